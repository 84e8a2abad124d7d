//! Where a secret comes from.

use google::secret::SecretVersion;
use google::storage::Object;
use serde::Deserialize;

use super::invalid::InvalidProgram;

/// The place of a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A file of the image, by its absolute path.
    Image(String),
    /// A version of a secret in Secret Manager.
    Version(SecretVersion),
    /// One generation of an object in Cloud Storage: another content has another.
    Object(Object),
}

/// What is at the place of a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// A ciphertext of Cloud KMS, which the collaborator's key decrypts.
    Encrypted,
    /// The secret itself.
    Plain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireObject {
    bucket: String,
    name: String,
    generation: u64,
}

/// The entries of which a secret has exactly one.
pub(super) struct Wire {
    pub(super) ciphertext: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) object: Option<WireObject>,
    pub(super) kms: Option<bool>,
}

impl Source {
    pub(super) fn read(wire: Wire, name: &str) -> Result<(Self, Form), InvalidProgram> {
        let form = match wire.kms {
            Some(true) => Form::Encrypted,
            Some(false) | None => Form::Plain,
        };
        match (wire.ciphertext, wire.secret, wire.object) {
            (Some(path), None, None) => match wire.kms {
                Some(false) => Err(InvalidProgram::Uncovered(name.to_owned())),
                _ => Ok((Self::Image(absolute(path)?), Form::Encrypted)),
            },
            (None, Some(version), None) => Ok((Self::Version(version.parse()?), form)),
            (None, None, Some(object)) => Ok((object.read(name)?, form)),
            _ => Err(InvalidProgram::Sources(name.to_owned())),
        }
    }
}

impl WireObject {
    fn read(self, secret: &str) -> Result<Source, InvalidProgram> {
        let object = Object::new(self.bucket.parse()?, self.name.parse()?, self.generation);
        let object = object.ok_or_else(|| InvalidProgram::Object(secret.to_owned()))?;
        Ok(Source::Object(object))
    }
}

/// The path of a file in the image.
pub(super) fn absolute(path: String) -> Result<String, InvalidProgram> {
    match path.starts_with('/') && path.chars().all(content::is_plain) {
        true => Ok(path),
        false => Err(InvalidProgram::Path(path.chars().take(80).collect())),
    }
}
