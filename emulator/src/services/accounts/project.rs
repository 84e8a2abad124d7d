use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use content::Digest;

use super::ProjectId;
use super::files::{Files, credentials, private_key, read, write};
use crate::error::StartError;
use crate::random;

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// The number of the project.
    pub number: String,
    /// The files of the owner.
    pub files: Files,
    pub(super) owner: String,
    pub(super) public_key: Vec<u8>,
    pub(super) key_id: String,
    pub(super) access_token: Digest,
}

impl Project {
    /// The address of the owner.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Sets up a project with an owner whose files are below `folder`. Existing keys and tokens there are
    /// kept.
    ///
    /// # Errors
    /// A key cannot be made, or a file cannot be read or written.
    pub(super) fn set_up(
        id: &ProjectId,
        number: String,
        folder: &Path,
        token_uri: &str,
    ) -> Result<Self, StartError> {
        let failed = || StartError::keys(&format!("project {id}"));
        let folder = folder.join(id.as_str());
        let files = Files {
            credentials: folder.join("credentials.json"),
            access_token: folder.join("access_token"),
        };
        let key = match kept_key(&files.credentials)? {
            Some(key) => key,
            None => KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?,
        };
        let public_key = key.public_key().as_ref().to_vec();
        let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().map_err(|_| failed())?;
        let key_id = Digest::of(&public_key).hex()[..40].to_owned();
        let owner = format!("owner@{id}.iam.gserviceaccount.com");
        let access_token = match read(&files.access_token)? {
            Some(kept) => kept,
            None => format!("ya29.{}", random::text().map_err(|_| failed())?).into_bytes(),
        };
        let credentials = credentials(id, &owner, &key_id, private.as_ref(), token_uri);
        write(&files.credentials, credentials.as_bytes())?;
        write(&files.access_token, &access_token)?;
        let access_token = Digest::of(&access_token);
        Ok(Self {
            number,
            files,
            owner,
            public_key,
            key_id,
            access_token,
        })
    }
}

/// The key in an existing credentials file; `None` if there is no file.
pub(super) fn kept_key(path: &Path) -> Result<Option<KeyPair>, StartError> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let key = private_key(&bytes).and_then(|der| KeyPair::from_pkcs8(&der).ok());
    let hint = "remove the file to have a new one made";
    key.map(Some)
        .ok_or_else(|| StartError::file(path, "not a service account key file", hint))
}
