//! The verdicts that the owner of a key has kept: reports of `--json`, and folders of countersignatures. They are the owner's own
//! files: a signature is only verified with the key beside it.
#![forbid(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use attest::{Statement, Vsa};
use console::at::{self, At, shown};
use console::hint::{self, Hinted};
use content::{Digest, json, limits};
use grant::Verdicts;
use serde::Deserialize;
use signature::PublicKey;
use signature::bundle::Bundle;

/// The largest number of files in a folder.
const FILES: usize = 10_000;
/// The bundle with the verdict, in a folder of a countersignature.
pub const VERDICT: &str = "verdict.sigstore.json";
/// The public key that has signed it.
pub const KEY: &str = "key.pub";
const HINT: &str = "the folder may hold reports of `verifier verify|countersign|authorize --json` as *.json, and folders that `verifier \
                    countersign` has written";

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

/// Reads all verdicts in a folder, or the one that it is itself.
///
/// # Errors
/// A file cannot be read, or is no verdict.
pub fn read(folder: &Path) -> Result<Verdicts, Hinted> {
    let mut verdicts = Verdicts::default();
    if let Some(image) = countersigned(folder)? {
        verdicts.approved.insert(image);
        return Ok(verdicts);
    }
    let unread = |error| unread(At::reading(folder)(error));
    for (count, entry) in fs::read_dir(folder).map_err(unread)?.enumerate() {
        let path = entry.map_err(unread)?.path();
        if count >= FILES {
            let many = format_args!("reading {}: more than {FILES} files", shown(folder));
            return Err(Hinted::new(many));
        }
        add(&mut verdicts, &path)?;
    }
    Ok(verdicts)
}

fn unread(error: At) -> Hinted {
    let hint = hint::of_file(&error.source);
    Hinted::from_error(error).hinting(hint)
}

/// Adds what a file or folder says; one that is neither a report nor a countersignature says nothing.
fn add(verdicts: &mut Verdicts, path: &Path) -> Result<(), Hinted> {
    if let Some(image) = countersigned(path)? {
        verdicts.approved.insert(image);
        return Ok(());
    }
    let is_report = path
        .extension()
        .is_some_and(|extension| extension == "json");
    if is_report {
        let bytes = at::read(path, limits::DOCUMENT).map_err(unread)?;
        let report: Report = json::parse(&bytes, limits::DOCUMENT)
            .map_err(|error| refused(path, &error.to_string()))?;
        match report.verdict {
            Word::Pass => verdicts.approved.insert(report.image_digest),
            Word::Fail => verdicts.refused.insert(report.image_digest),
        };
    }
    Ok(())
}

/// The image of a countersignature, if the path is a folder with one.
fn countersigned(folder: &Path) -> Result<Option<Digest>, Hinted> {
    let path = folder.join(VERDICT);
    match at::read(&path, limits::BUNDLE) {
        Ok(bytes) => signed_pass(&path, &bytes, &folder.join(KEY)).map(Some),
        Err(error) if is_absent(error.source.kind()) => Ok(None),
        Err(error) => Err(unread(error)),
    }
}

/// Whether there is no such file: the folder does not have it, or is a file itself.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The image of a signed verdict. A refusal is never signed.
fn signed_pass(path: &Path, bundle: &[u8], key: &Path) -> Result<Digest, Hinted> {
    let wrong = |reason: &str| refused(path, reason);
    let pem = at::read(key, limits::KEY).map_err(unread)?;
    let pem = String::from_utf8_lossy(&pem);
    let key = PublicKey::from_pem(&pem).map_err(|error| refused(key, &error.to_string()))?;
    let bundle = Bundle::parse(bundle).map_err(|error| wrong(&error.to_string()))?;
    let payload = bundle.envelope().verify(&key);
    let payload = payload.map_err(|error| wrong(&error.to_string()))?;
    let statement = Statement::<Vsa>::parse(payload);
    let statement = statement.map_err(|error| wrong(&error.to_string()))?;
    let is_verdict = statement.predicate_type == Vsa::PREDICATE.uri;
    if !is_verdict || statement.predicate.verification_result != "PASSED" {
        return Err(wrong("it is no verdict that is a pass"));
    }
    let [image] = &statement.subject[..] else {
        return Err(wrong("expected one image"));
    };
    let hex = image.digest.get("sha256");
    let digest = hex.and_then(|hex| format!("sha256:{hex}").parse().ok());
    digest.ok_or_else(|| wrong("it names no digest"))
}

fn refused(path: &Path, reason: &str) -> Hinted {
    Hinted::new(format_args!(
        "reading the verdict {}: {reason}",
        shown(path)
    ))
    .hinting(HINT)
}

#[cfg(test)]
mod tests;
