//! The verdicts that the owner of a key has kept: reports of `--json`, and folders of countersignatures. They are the owner's own
//! files: a signature is only verified with the key beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use attest::{Statement, Vsa};
use console::at::{self, At, shown};
use console::hint::Hinted;
use content::{Digest, json, limits};
use serde::Deserialize;
use signature::PublicKey;
use signature::bundle::Bundle;

use crate::countersign::{KEY, VERDICT};
use crate::error::Error;

/// The largest number of files in a folder.
const FILES: usize = 10_000;
const HINT: &str = "the folder may hold reports of `verifier verify|countersign|authorize --json` as *.json, and folders that `verifier \
                    countersign` has written";

/// Which images were approved, and which refused.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdicts {
    /// Images with a verdict that is a pass.
    pub approved: BTreeSet<Digest>,
    /// Images with a verdict that is a fail.
    pub refused: BTreeSet<Digest>,
}

/// What a report says, as far as it is needed.
#[derive(Deserialize)]
struct Report {
    image_digest: Digest,
    verdict: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Pass,
    Fail,
}

impl Verdicts {
    /// Reads all verdicts in a folder, or the one that it is itself.
    ///
    /// # Errors
    /// A file cannot be read, or is no verdict.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut verdicts = Self::default();
        let signed = folder.join(VERDICT);
        if signed.try_exists().map_err(At::reading(folder))? {
            verdicts.add(folder.to_owned())?;
            return Ok(verdicts);
        }
        for (count, entry) in fs::read_dir(folder)
            .map_err(At::reading(folder))?
            .enumerate()
        {
            let path = entry.map_err(At::reading(folder))?.path();
            if count >= FILES {
                let many = format_args!("reading {}: more than {FILES} files", shown(folder));
                return Err(Hinted::new(many).into());
            }
            verdicts.add(path)?;
        }
        Ok(verdicts)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        let signed = path.join(VERDICT);
        if path.is_dir() && signed.exists() {
            let image = signed_pass(&signed, &path.join(KEY))?;
            self.approved.insert(image);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let bytes = at::read(&path, limits::DOCUMENT)?;
            let report: Report = json::parse(&bytes, limits::DOCUMENT)
                .map_err(|error| refused(&path, &error.to_string()))?;
            match report.verdict {
                Word::Pass => self.approved.insert(report.image_digest),
                Word::Fail => self.refused.insert(report.image_digest),
            };
        }
        Ok(())
    }
}

/// The image of a signed verdict. A refusal is never signed.
fn signed_pass(path: &Path, key: &Path) -> Result<Digest, Error> {
    let wrong = |reason: &str| refused(path, reason);
    let pem = at::read(key, limits::KEY)?;
    let pem = String::from_utf8_lossy(&pem);
    let key = PublicKey::from_pem(&pem).map_err(|error| refused(key, &error.to_string()))?;
    let bytes = at::read(path, limits::BUNDLE)?;
    let bundle = Bundle::parse(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let payload = bundle.envelope().verify(&key);
    let payload = payload.map_err(|error| wrong(&error.to_string()))?;
    let statement = Statement::<Vsa>::parse(payload);
    let statement = statement.map_err(|error| wrong(&error.to_string()))?;
    let is_verdict = statement.predicate_type == Vsa::PREDICATE.uri;
    if !is_verdict || statement.predicate.verification_result != "PASSED" {
        return Err(wrong("it is no verdict that is a pass").into());
    }
    let mut digests = statement
        .subject
        .iter()
        .filter_map(|it| it.digest.get("sha256"));
    let digest = digests.next();
    let digest = digest.and_then(|hex| format!("sha256:{hex}").parse().ok());
    Ok(digest.ok_or_else(|| wrong("it names no digest"))?)
}

fn refused(path: &Path, reason: &str) -> Hinted {
    Hinted::new(format_args!(
        "reading the verdict {}: {reason}",
        shown(path)
    ))
    .hinting(HINT)
}
