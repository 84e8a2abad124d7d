use std::io;
use std::path::{Path, PathBuf};

use content::at::{self, At};
use content::limits;
use reqwest::Certificate;

use crate::Error;

/// One or more certificate authorities to trust in addition to the system's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorities {
    path: PathBuf,
    pem: Vec<u8>,
}

impl Authorities {
    /// Reads certificates in PEM. The file is read on a blocking thread: it may be a pipe that has no
    /// data yet.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, [`Error::Refused`] if it holds no certificate or an
    /// invalid one.
    pub async fn read(path: &Path) -> Result<Self, Error> {
        let (path, shown) = (path.to_owned(), path.to_owned());
        let read = tokio::task::spawn_blocking(move || Self::read_now(&path)).await;
        read.unwrap_or_else(|error| Err(At::reading(&shown)(io::Error::other(error)).into()))
    }

    fn read_now(path: &Path) -> Result<Self, Error> {
        let pem = at::read(path, limits::DOCUMENT)?;
        let authorities = Self {
            path: path.to_owned(),
            pem,
        };
        let certificates = authorities.certificates()?;
        // Certificates are parsed only when a client is built with them.
        let client = reqwest::Client::builder().tls_certs_only(certificates);
        client
            .build()
            .map_err(|source| authorities.refused(&source))?;
        Ok(authorities)
    }

    /// The certificates.
    ///
    /// # Errors
    /// None in practice: they were read before.
    pub fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let certificates = Certificate::from_pem_bundle(&self.pem);
        let certificates = certificates.map_err(|source| self.refused(&source))?;
        match certificates.is_empty() {
            true => Err(self.refused(&"no certificate in PEM")),
            false => Ok(certificates),
        }
    }

    fn refused(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::refused(
            format!("reading certificate authorities {}", at::shown(&self.path)),
            reason,
            "--ca takes a PEM file with one or more certificates",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_without_a_valid_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let block = |label: &str, body: &str| {
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        for text in [
            String::new(),
            "nonsense".to_owned(),
            block("PUBLIC KEY", "AAAA"),
            block("CERTIFICATE", "AAAA"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let read = Authorities::read(&path).await;
            let error = read.unwrap_err().to_string();
            let doing = format!("reading certificate authorities {}: ", path.display());
            assert!(error.starts_with(&doing), "{text}: {error}");
        }
        let missing = Authorities::read(&folder.path().join("missing")).await;
        match missing {
            Err(Error::File(at)) => assert_eq!(at.source.kind(), io::ErrorKind::NotFound),
            other => panic!("{other:?}"),
        }
    }
}
