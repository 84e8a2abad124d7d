//! Fetches the secrets that a program is given, each from the party that lends it.

use std::fs::File;
use std::path::Path;

use google::kms::Key;
use tee::{Access, Digest, Secret};

use crate::job::exec::{ExecError, Form, Program, Source, Wanted, associated_data};
use crate::platform::Error;
use crate::terms::{Collaborator, InvalidTerms};

/// The largest size of a ciphertext, in bytes: Cloud KMS encrypts at most 64 KiB.
const CIPHERTEXT: u64 = 128 << 10;
/// The largest size of an object that is not encrypted, in bytes. All secrets are in memory.
const OBJECT: u64 = 16 << 20;

/// What the parties lend: their access tokens are in the order of the terms.
pub struct Lender<'a> {
    /// The parties in the terms.
    pub collaborators: &'a [Collaborator],
    /// Their access tokens.
    pub access: &'a [Access<'a>],
    /// The digest of this image.
    pub image: Digest,
    /// The root of the image.
    pub root: &'a Path,
}

/// Checks that each secret is lent by a party in the terms, which has a key if the secret is encrypted.
///
/// # Errors
/// The name of the secret.
pub fn check(program: &Program, collaborators: &[Collaborator]) -> Result<(), InvalidTerms> {
    program.secrets.iter().try_for_each(|wanted| {
        let name = &wanted.collaborator;
        let lender = collaborators
            .iter()
            .find(|one| one.federation.party == *name);
        let fault = match (lender, wanted.form) {
            (None, _) => format!("{name:?} is not a collaborator"),
            (Some(one), Form::Encrypted) if one.kms_key.is_none() => {
                format!("collaborator {name:?} has no kms_key")
            }
            (Some(_), _) => return Ok(()),
        };
        Err(InvalidTerms::of(format_args!(
            "job: secret {}: {fault}",
            wanted.name
        )))
    })
}

impl Lender<'_> {
    /// A secret, decrypted.
    ///
    /// # Errors
    /// Its owner denies access, or it is missing, corrupted, or not encrypted for this image.
    pub fn lend(&self, wanted: &Wanted) -> Result<Secret, Error> {
        let (access, key) = self.find(wanted)?;
        let limit = match wanted.form {
            Form::Encrypted => CIPHERTEXT,
            Form::Plain => OBJECT,
        };
        let found = match &wanted.source {
            Source::Image(path) => self.read(path)?,
            Source::Version(version) => access.secret(version)?,
            Source::Object(object) => access.object(object, limit)?,
        };
        match (wanted.form, key) {
            (Form::Encrypted, Some(key)) => self.decrypt(wanted, access, key, &found),
            _ => Ok(found),
        }
    }

    /// The access to the lender of a secret, and the lender's key.
    fn find(&self, wanted: &Wanted) -> Result<(&Access<'_>, Option<&Key>), Error> {
        let pairs = self.collaborators.iter().zip(self.access);
        let mut named = pairs.filter(|(one, _)| one.federation.party == wanted.collaborator);
        let unknown =
            || InvalidTerms::of(format_args!("no collaborator {:?}", wanted.collaborator));
        let (one, access) = named.next().ok_or_else(unknown)?;
        Ok((access, one.kms_key.as_ref()))
    }

    fn decrypt(
        &self,
        wanted: &Wanted,
        access: &Access,
        key: &Key,
        ciphertext: &Secret,
    ) -> Result<Secret, Error> {
        let doing = format!(
            "decrypting secret {} of {}",
            wanted.name, wanted.collaborator
        );
        let aad = associated_data::of(wanted, &self.image).map_err(Error::Request)?;
        Ok(access.decrypt(&doing, key, ciphertext.bytes(), &aad)?)
    }

    /// Reads a file of the image.
    fn read(&self, path: &str) -> Result<Secret, Error> {
        let failed = |source: content::ReadError| Error::Image {
            path: path.to_owned(),
            source,
        };
        let file = File::open(self.root.join(path.trim_start_matches('/')));
        let file = file.map_err(|error| failed(error.into()))?;
        let bytes = content::read_limited(file, CIPHERTEXT).map_err(failed)?;
        Ok(Secret::new(bytes))
    }
}

impl From<ExecError> for Error {
    fn from(error: ExecError) -> Self {
        Self::Program {
            hint: error.hint(),
            source: Box::new(error),
        }
    }
}
