use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::at::At;
use content::{json, limits, read_limited};
use serde::Serialize;
use serde_json::{Value, json};

use super::ProjectId;

/// The credential files of the owner of a project.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// The path of the service account key file.
    pub credentials: PathBuf,
    /// The path of the file with the access token.
    pub access_token: PathBuf,
}

/// The content of a service account key file for Google's clients.
pub(super) fn credentials(
    project: &ProjectId,
    owner: &str,
    key_id: &str,
    private: &[u8],
    token_uri: &str,
) -> String {
    let text = STANDARD.encode(private);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let file = json!({
        "type": "service_account",
        "project_id": project.as_str(),
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": owner,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}\n")
}

/// The private key in a service account key file.
pub(super) fn private_key(bytes: &[u8]) -> Option<Vec<u8>> {
    let file: Value = json::parse(bytes, limits::KEY).ok()?;
    let pem = file["private_key"].as_str()?;
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).ok()
}

/// Reads a file; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, At> {
    match fs::File::open(path) {
        Ok(file) => {
            let bytes = read_limited(file, limits::KEY);
            bytes
                .map(Some)
                .map_err(|error| At::reading(path)(io::Error::other(error)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(At::reading(path)(error)),
    }
}

/// Writes a file atomically, readable by its owner only.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), At> {
    let written = path.parent().map_or(Ok(()), |folder| {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(At::writing(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old").unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        let refused = write(&folder.path().join("folder"), b"new").unwrap_err();
        assert!(refused.to_string().contains("Is a directory"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
