//! Signatures over an image that prove themselves: a payload with its signature, or a bundle. Anyone who carries them can withhold
//! them, but not forge them.

mod bundle;
mod payload;

use content::json::JsonError;
use content::{Digest, limits};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::encode::{from_base64, printable};
use crate::key::PublicKey;
use crate::repository::Repository;

use bundle::{Envelope, Material};

pub(crate) use bundle::{MEDIA_TYPE, SIGN};

/// The largest size of signatures that another party carries: a value of an instance's metadata (Compute Engine, "VM metadata").
pub const CARRIED: u64 = 256 << 10;
/// The most signatures that another party carries.
const COUNT: usize = 64;
/// The largest size of the bundle of a signature.
pub(crate) const BUNDLE: u64 = 128 << 10;
/// The number of characters of an error that a message shows.
const SHOWN: usize = 200;

/// A signature that was not verified yet.
#[derive(Debug)]
pub struct Signed(Form);

#[derive(Debug)]
enum Form {
    Payload { bytes: Vec<u8>, signature: Vec<u8> },
    Bundle(Envelope),
}

/// What a signature says, once it was verified.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Said {
    image_digest: Digest,
    repository: Option<String>,
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum Objection {
    /// It is not in a known form.
    #[error("parsing {what}: {}", printable(&.source.to_string(), SHOWN))]
    Form {
        /// What was parsed.
        what: &'static str,
        /// The cause.
        source: JsonError,
    },
    /// A part of it is wrong.
    #[error("expected {expected}, found {}", printable(.found, SHOWN))]
    Value {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// It is by no key of the parties.
    #[error("it is by none of the keys of the parties")]
    UnknownKey,
    /// It is for another image.
    #[error("{party} has signed another image, {found}")]
    Image {
        /// The party.
        party: String,
        /// The image that it has signed.
        found: Digest,
    },
    /// It is for another repository, or names none.
    #[error("{party} has signed for {}, not for {expected}", place(.found.as_deref()))]
    Repository {
        /// The party.
        party: String,
        /// The repository of the terms.
        expected: String,
        /// The repository that it has signed for.
        found: Option<String>,
    },
    /// It is another statement about the image, which says nothing about its release.
    #[error("it is a statement of type {}, not a signature", printable(.0, SHOWN))]
    Statement(String),
}

fn place(found: Option<&str>) -> String {
    found.map_or_else(
        || "no repository".to_owned(),
        |found| format!("repository {:?}", printable(found, SHOWN)),
    )
}

/// A signature as another party carries it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    payload: Option<String>,
    signature: Option<String>,
    media_type: Option<String>,
    verification_material: Option<Material>,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<IgnoredAny>,
}

impl Signed {
    /// A simple-signing payload and its signature.
    pub fn payload(bytes: Vec<u8>, signature: Vec<u8>) -> Self {
        Self(Form::Payload { bytes, signature })
    }

    /// Parses a Sigstore bundle.
    ///
    /// # Errors
    /// It is too large, no bundle that is signed with a key, or without an envelope.
    pub fn bundle(bytes: &[u8]) -> Result<Self, Objection> {
        let what = "bundle";
        let wire = content::json::parse(bytes, BUNDLE);
        let wire: Wire = wire.map_err(|source| Objection::Form { what, source })?;
        wire.read_bundle()
    }

    /// Parses signatures that another party carries: an array of `{"payload": …, "signature": …}`, both in base64, and of bundles.
    ///
    /// # Errors
    /// The array is larger than [`CARRIED`] or malformed, or any of its signatures is.
    pub fn carried(bytes: &[u8]) -> Result<Vec<Self>, Objection> {
        let what = "signatures";
        let wire: Result<Vec<Wire>, _> = content::json::parse(bytes, CARRIED);
        let wire = wire.map_err(|source| Objection::Form { what, source })?;
        match wire.len() {
            0..=COUNT => wire.into_iter().map(Wire::read).collect(),
            many => Err(value("at most 64 signatures", many.to_string())),
        }
    }

    /// What `key` says by this signature; `None` if the signature is not by `key`.
    ///
    /// # Errors
    /// It is by `key`, and no signature over an image.
    fn said(&self, key: &PublicKey) -> Result<Option<Said>, Objection> {
        match &self.0 {
            Form::Payload { bytes, signature } => match key.verify(bytes, signature) {
                Ok(()) => payload::read(bytes).map(Some),
                Err(_) => Ok(None),
            },
            Form::Bundle(envelope) => match envelope.verified(key) {
                Some(statement) => bundle::read(statement).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Checks that `party` has signed the image for the repository with `key`. `Ok(false)`: the signature is by another key.
    pub(crate) fn check(
        &self,
        party: &str,
        key: &PublicKey,
        image: Digest,
        repository: &Repository,
    ) -> Result<bool, Objection> {
        let party = || party.to_owned();
        let Some(Said {
            image_digest,
            repository: found,
        }) = self.said(key)?
        else {
            return Ok(false);
        };
        match found
            .as_deref()
            .is_some_and(|name| repository.is_named(name))
        {
            _ if image_digest != image => Err(Objection::Image {
                party: party(),
                found: image_digest,
            }),
            true => Ok(true),
            false => Err(Objection::Repository {
                party: party(),
                expected: repository.to_string(),
                found,
            }),
        }
    }
}

impl Wire {
    fn read(self) -> Result<Signed, Objection> {
        let (Some(payload), Some(signature), None) =
            (&self.payload, &self.signature, &self.media_type)
        else {
            return self.read_bundle();
        };
        let decode = |text: &str, expected| {
            let bytes = from_base64(text).filter(|bytes| bytes.len() as u64 <= limits::PAYLOAD);
            bytes.ok_or_else(|| value(expected, "other text".to_owned()))
        };
        Ok(Signed::payload(
            decode(payload, "a payload in base64, of at most 64 KiB")?,
            decode(signature, "a signature in base64")?,
        ))
    }

    fn read_bundle(self) -> Result<Signed, Objection> {
        bundle::check_version(self.media_type.as_deref())?;
        self.verification_material.unwrap_or_default().check()?;
        match (self.dsse_envelope, self.message_signature, self.payload) {
            (Some(envelope), None, None) => Ok(Signed(Form::Bundle(envelope.check()?))),
            _ => Err(value(
                "a bundle with an envelope and nothing else",
                "another".to_owned(),
            )),
        }
    }
}

fn value(expected: &'static str, found: String) -> Objection {
    Objection::Value { expected, found }
}
