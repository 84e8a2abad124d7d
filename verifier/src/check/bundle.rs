//! A Sigstore bundle.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ::signature::PublicKey;
use chrono::{DateTime, Utc};
use console::at::At;
use content::limits;
use keyless::{Artifact, Reason, Refusal, TrustRoot, Trusted};

use super::Judgement;
use crate::Error;

/// The largest artifact that is read, in bytes. A larger one can be given by its digest.
const ARTIFACT: u64 = 1 << 30;

/// What to check.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    /// The file with the bundle.
    pub file: &'a Path,
    /// The signed file, or its digest, if there is no file of that name.
    pub artifact: &'a Path,
    /// Who must have signed.
    pub signer: Signer,
    /// The authorities and logs that are trusted.
    pub root: Root,
    /// The time that counts as now.
    pub now: DateTime<Utc>,
}

/// Who must have signed.
#[derive(Clone, Debug)]
pub enum Signer {
    /// The subject of a certificate.
    Certificate(Trusted),
    /// The key in this file, in PEM.
    Key(PathBuf),
}

/// Where the trusted root comes from. It is read only if the bundle needs it.
#[derive(Clone, Debug)]
pub enum Root {
    /// A file.
    File(PathBuf),
    /// A document of this program.
    Embedded(&'static str),
}

/// Checks a bundle. A root or a key that cannot be parsed verifies nothing, which is a refusal.
///
/// # Errors
/// A file cannot be read, or the artifact is larger than 1 GiB.
pub fn bundle(request: &Bundle<'_>) -> Result<Judgement, Error> {
    let bundle = read(request.file, limits::BUNDLE)?;
    let bytes;
    let artifact = match digest(request.artifact) {
        Some(artifact) => artifact,
        None => {
            bytes = content::at::read(request.artifact, ARTIFACT)?;
            Artifact::Bytes(&bytes)
        }
    };
    let verified = verify(request, &bundle, &artifact)?;
    Ok(match verified {
        Ok(()) => Judgement::Accepted,
        Err(refusal) => Judgement::RefusedBy(refusal),
    })
}

/// The outer result is whether files could be read.
fn verify(
    request: &Bundle<'_>,
    bundle: &[u8],
    artifact: &Artifact<'_>,
) -> Result<Result<(), Refusal>, Error> {
    let bundle = match keyless::Bundle::parse(bundle) {
        Ok(bundle) => bundle,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let file;
    let root = match &request.root {
        Root::File(path) => {
            file = read(path, limits::BUNDLE)?;
            &file[..]
        }
        Root::Embedded(text) => text.as_bytes(),
    };
    let root = || TrustRoot::parse(root);
    let now = request.now;
    Ok(match &request.signer {
        Signer::Certificate(trusted) => root()
            .and_then(|root| keyless::verify_keyless(&bundle, artifact, trusted, &root, now))
            .map(drop),
        Signer::Key(path) => {
            let pem = read(path, limits::KEY)?;
            parse_key(&pem).and_then(|key| verify_key(&bundle, artifact, &key, root, now))
        }
    })
}

fn verify_key(
    bundle: &keyless::Bundle,
    artifact: &Artifact<'_>,
    key: &PublicKey,
    root: impl FnOnce() -> Result<TrustRoot, Refusal>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let root = bundle.has_evidence().then(root).transpose()?;
    keyless::verify_key(bundle, artifact, key, root.as_ref(), now).map(drop)
}

fn parse_key(pem: &[u8]) -> Result<PublicKey, Refusal> {
    let refused = |detail: String| Refusal {
        reason: Reason::Key,
        detail,
    };
    let pem = std::str::from_utf8(pem).map_err(|error| refused(format!("parsing key: {error}")))?;
    PublicKey::from_pem(pem).map_err(|error| refused(error.to_string()))
}

/// The artifact is a digest only if it is written as one and is no path.
fn digest(artifact: &Path) -> Option<Artifact<'static>> {
    let digest = Artifact::from_digest(artifact.to_str()?).ok()?;
    (!artifact.exists()).then_some(digest)
}

/// Reads up to one byte more than `limit`, so that the parser refuses what is larger.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, At> {
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read(path).map_err(At::reading(path))
}
