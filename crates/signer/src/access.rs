use std::io;
use std::path::Path;

use signature::Algorithm;
use zeroize::Zeroizing;

use crate::KmsEndpoint;

/// Obtains a secret, perhaps from the user.
pub type Ask = fn() -> io::Result<Zeroizing<String>>;

/// How a key is opened.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Replaces the public URL of Cloud KMS.
    pub kms_endpoint: Option<&'a KmsEndpoint>,
    /// The module for keys of PKCS #11 whose URI names none.
    pub pkcs11_module: Option<&'a Path>,
    /// The algorithm to sign with, in place of the default of the key's type. A key in Cloud KMS has only one.
    pub algorithm: Option<Algorithm>,
    /// Obtains the password of an encrypted key.
    pub password: Ask,
    /// Obtains the PIN of a token.
    pub pin: Ask,
}

impl Default for Access<'_> {
    /// Cloud KMS at its public URL, the default algorithm, no module, and no secret.
    fn default() -> Self {
        Self {
            kms_endpoint: None,
            pkcs11_module: None,
            algorithm: None,
            password: || Err(io::Error::other("no password was given")),
            pin: || Err(io::Error::other("no PIN was given")),
        }
    }
}
