//! A Sigstore bundle.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use console::at::At;
use content::limits;
use keyless::{Artifact, Refusal, TrustRoot, Trusted};

use super::{Judgement, keys};
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

/// Where the trusted root comes from. A bundle that is signed with a key and has no evidence needs none: it is then not
/// read.
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
/// A file cannot be read, that of the key has no public key in PEM, or the artifact is larger than 1 GiB.
pub fn bundle(request: &Bundle<'_>) -> Result<Judgement, Error> {
    let bundle = read(request.file, limits::BUNDLE)?;
    let bytes;
    let artifact = match digest(request.artifact)? {
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
type Verified = Result<Result<(), Refusal>, Error>;

fn verify(request: &Bundle<'_>, bundle: &[u8], artifact: &Artifact<'_>) -> Verified {
    match &request.signer {
        Signer::Certificate(trusted) => by_certificate(request, bundle, artifact, trusted),
        Signer::Key(path) => by_key(request, bundle, artifact, path),
    }
}

fn by_certificate(
    request: &Bundle<'_>,
    bundle: &[u8],
    artifact: &Artifact<'_>,
    trusted: &Trusted,
) -> Verified {
    let root = root(&request.root)?;
    let verify = || {
        let bundle = keyless::Bundle::parse(bundle)?;
        keyless::verify_keyless(&bundle, artifact, trusted, &root?, request.now).map(drop)
    };
    Ok(verify())
}

fn by_key(request: &Bundle<'_>, bundle: &[u8], artifact: &Artifact<'_>, key: &Path) -> Verified {
    let key = match keys::read_one(key)? {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let bundle = match keyless::Bundle::parse(bundle) {
        Ok(bundle) => bundle,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let root = match bundle.has_evidence() {
        true => Some(root(&request.root)?),
        false => None,
    };
    let verify = || {
        let root = root.transpose()?;
        keyless::verify_key(&bundle, artifact, &key, root.as_ref(), request.now).map(drop)
    };
    Ok(verify())
}

/// The outer result is whether the file could be read.
fn root(root: &Root) -> Result<Result<TrustRoot, Refusal>, At> {
    Ok(match root {
        Root::File(path) => TrustRoot::parse(&read(path, limits::BUNDLE)?),
        Root::Embedded(text) => TrustRoot::parse(text.as_bytes()),
    })
}

/// The artifact is a digest only if it is written as one and is no path.
fn digest(artifact: &Path) -> Result<Option<Artifact<'static>>, At> {
    let digest = artifact.to_str().map(Artifact::from_digest);
    let Some(Ok(digest)) = digest else {
        return Ok(None);
    };
    let exists = artifact.try_exists().map_err(At::reading(artifact))?;
    Ok((!exists).then_some(digest))
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
