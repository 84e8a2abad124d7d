//! The countersignature of a party: on a pass, the signed verdict and the signature on the image. They are published where the
//! image is, or kept in a folder, from which a user who may write to the repository publishes them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use attest::{PolicyDescriptor, Vsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use chrono::SecondsFormat;
use console::at::{At, shown};
use console::hint::Hinted;
use content::Digest;
use oci::ImageRef;
use scratch::Scratch;
use serde_json::{Value, json};
use signature::Annotations;
use signer::{Published, Shelf, Signer};

use crate::error::Error;
use crate::verdict::Approval;

/// The file with the payload of the signature that Confidential Space reads.
pub const PAYLOAD: &str = "payload.json";
/// The signature of the payload, in base64.
pub const SIGNATURE: &str = "payload.sig";
/// The bundle with the signature's statement.
pub const BUNDLE: &str = "signature.sigstore.json";
/// The bundle with the verdict, and the public key.
pub use verdicts::{KEY, VERDICT};

/// How many hexadecimal digits of the image's digest are in the name of a folder.
const SHORT: usize = 12;

/// The key with which a party countersigns.
pub struct Countersigner<'a> {
    /// The key.
    pub signer: &'a Signer,
    /// The URI of the verifier, for the verdict.
    pub verifier_id: &'a str,
}

/// What became of a countersignature.
#[derive(Clone, Debug)]
pub enum Done {
    /// It is published, where the image is or in another repository.
    Published {
        /// The repository.
        repository: String,
        /// Who can read it there.
        readers: Published,
    },
    /// It is in a folder.
    Kept {
        /// The folder.
        folder: PathBuf,
        /// Where it can be published.
        repository: String,
        /// Why it was not published, unless the user wanted it so.
        denied: Option<String>,
    },
}

/// Signs the verdict and the image. Both are published where the shelf says, or written into the new folder `output` if there is one. If the registry
/// does not permit to publish them, they are written into a new folder in the working directory.
///
/// # Errors
/// Signing or pushing fails for another reason, or a folder cannot be written.
pub async fn countersign(
    shelf: Shelf<'_>,
    approval: &Approval,
    party: &Countersigner<'_>,
    output: Option<&Path>,
) -> Result<Done, Error> {
    let repository = shelf.evidence.repository().to_string();
    if let Some(folder) = output {
        keep(folder, approval, party).await?;
        let folder = folder.to_owned();
        return Ok(Done::Kept {
            folder,
            repository,
            denied: None,
        });
    }
    let denied = match publish(shelf, approval, party).await {
        Ok(readers) => {
            return Ok(Done::Published {
                repository,
                readers,
            });
        }
        Err(denied) if denied.is_denied() => denied,
        Err(error) => return Err(error.into()),
    };
    let digest = approval.image().digest.hex();
    let folder = PathBuf::from(format!("countersignature-{}", &digest[..SHORT]));
    keep(&folder, approval, party).await?;
    let denied = Some(denied.to_string());
    Ok(Done::Kept {
        folder,
        repository,
        denied,
    })
}

/// Refuses a folder that exists, before the rebuild.
///
/// # Errors
/// It exists.
pub fn require_new(folder: &Path) -> Result<(), Hinted> {
    match folder.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => Err(Hinted::new(format_args!(
            "choosing a folder: {} exists already",
            shown(folder)
        ))
        .hinting("give --output a new folder")),
    }
}

async fn publish(
    shelf: Shelf<'_>,
    approval: &Approval,
    party: &Countersigner<'_>,
) -> Result<Published, signer::Error> {
    let image = approval.image();
    let vsa = summary(approval, party.verifier_id);
    let attested = signer::attest_image(shelf, image, party.signer, &Vsa::PREDICATE, vsa);
    let attested = attested.await?;
    let signed = signer::sign_image(shelf, image, party.signer, &Annotations::default()).await?;
    Ok(attested.max(signed))
}

async fn keep(folder: &Path, approval: &Approval, party: &Countersigner<'_>) -> Result<(), Error> {
    let image = approval.image();
    let vsa = summary(approval, party.verifier_id);
    let verdict = signer::attest_unpublished(image, party.signer, &Vsa::PREDICATE, vsa).await?;
    let signed = signer::sign_unpublished(image, party.signer, &Annotations::default()).await?;
    let files = [
        (PAYLOAD, signed.payload),
        (SIGNATURE, BASE64.encode(signed.signature).into_bytes()),
        (BUNDLE, signed.bundle),
        (VERDICT, verdict),
        (KEY, party.signer.public().to_pem().into_bytes()),
    ];
    Ok(write(folder, &files).map_err(At::writing(folder))?)
}

/// Writes all files, or none: the folder appears when it is complete. A folder of this name that is not empty is not replaced.
fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> io::Result<()> {
    let parent = folder.parent().filter(|parent| *parent != Path::new(""));
    let scratch = Scratch::below(parent.unwrap_or(Path::new(".")))?;
    let complete = scratch.path().join("complete");
    fs::create_dir(&complete)?;
    for (name, bytes) in files {
        fs::write(complete.join(name), bytes)?;
    }
    fs::rename(complete, folder)
}

impl Done {
    /// What the user should know, in lines.
    pub fn notes(&self, image: &ImageRef) -> Vec<String> {
        let (folder, repository, denied) = match self {
            Self::Published {
                repository,
                readers,
            } => return published_notes(image, repository, *readers),
            Self::Kept {
                folder,
                repository,
                denied,
            } => (folder, repository, denied),
        };
        let denied = denied.iter();
        let mut notes: Vec<_> = denied
            .map(|reason| format!("not published: {reason}"))
            .collect();
        let folder = shown(folder);
        notes.push(format!(
            "verdict and countersignature are in {folder}; a user who may write to the repository publishes them with"
        ));
        let to = match *repository == image.repository.to_string() {
            true => String::new(),
            false => format!(" --to {repository}"),
        };
        let attach = format!("  builder attach {image}{to} --key {folder}/{KEY}");
        notes.extend([
            format!("{attach} --payload {folder}/{PAYLOAD} --signature {folder}/{SIGNATURE}"),
            format!("{attach} --envelope {folder}/{BUNDLE}"),
            format!("{attach} --envelope {folder}/{VERDICT}"),
        ]);
        notes
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Published { repository, .. } => {
                json!({"published": true, "repository": repository})
            }
            Self::Kept {
                folder,
                repository,
                denied,
            } => json!({
                "published": false,
                "folder": folder.to_string_lossy(),
                "repository": repository,
                "denied": denied,
            }),
        }
    }
}

/// Those who should read another repository must be told of it.
fn published_notes(image: &ImageRef, repository: &str, readers: Published) -> Vec<String> {
    let note = readers.note().map(ToOwned::to_owned);
    let mut notes: Vec<_> = note.into_iter().collect();
    if repository != image.repository.to_string() {
        notes.push(format!(
            "published in {repository}: the other parties read it if their policies name it in [evidence], and Confidential Space if the \
             operator names it in tee-signed-image-repos"
        ));
    }
    notes
}

/// The policy that has this digest. SLSA demands a URI of it, which for bytes without an address is the name of their digest
/// (RFC 6920, section 3).
pub fn policy(digest: &Digest) -> PolicyDescriptor {
    let name = URL_SAFE_NO_PAD.encode(digest.as_bytes());
    PolicyDescriptor {
        uri: Some(format!("ni:///sha-256;{name}")),
        digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
    }
}

/// The verdict as a SLSA verification summary. Only an approval has one: a refusal is not signed.
fn summary(approval: &Approval, verifier_id: &str) -> Value {
    let vsa = Vsa {
        verifier: attest::Verifier {
            id: verifier_id.to_owned(),
        },
        time_verified: Some(approval.at().to_rfc3339_opts(SecondsFormat::Secs, true)),
        resource_uri: approval.image().to_string(),
        policy: policy(approval.policy()),
        verification_result: "PASSED".to_owned(),
        // The policy is not one of SLSA's, and implies none of its levels.
        verified_levels: Vec::new(),
        slsa_version: Some("1.0".to_owned()),
    };
    json!(vsa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_named_by_its_digest() {
        // RFC 6920, section 8.1.
        let named = policy(&Digest::of(b"Hello World!"));
        let expected = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk";
        assert_eq!(named.uri.as_deref(), Some(expected));
        let hex = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069";
        assert_eq!(named.digest["sha256"], hex);
    }
}
