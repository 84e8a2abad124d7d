//! Arguments of the commands about keys, and how all commands reach a key.

use std::path::PathBuf;

use clap::Args;
use signature::{Algorithm, KeyType};
use signer::KmsEndpoint;

/// How a key is reached that is not in a file.
#[derive(Args, Debug)]
pub struct Access {
    /// The endpoint of Cloud KMS [default: Google's public endpoint]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_KMS_ENDPOINT")]
    pub kms_endpoint: Option<KmsEndpoint>,
    /// The module for keys of PKCS #11 [default: module-path of the key]
    #[arg(long, value_name = "PATH", env = "COSIGN_PKCS11_MODULE_PATH")]
    pub pkcs11_module: Option<PathBuf>,
}

/// Arguments of `key`.
#[derive(Args, Debug)]
pub struct Identify {
    /// The key: a PEM file with the private or the public key, which cosign may have encrypted,
    /// gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…
    // A `KeyRef`, which the command parses: clap would print an invalid one, which may hold a PIN.
    pub key: String,
    /// How the key is reached.
    #[command(flatten)]
    pub access: Access,
    /// The algorithm that the key signs with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
    /// Print JSON: the key ID, the type, the algorithm, its name in Confidential Space, and the public key in PEM
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `keygen`.
#[derive(Args, Debug)]
pub struct Keygen {
    /// The path of the two files, without their extensions
    pub prefix: PathBuf,
    /// The type of the key: ecdsa-p256, ecdsa-p384, ecdsa-p521, rsa-2048, rsa-3072, rsa-4096 or ed25519
    #[arg(long, value_name = "TYPE", default_value_t = KeyType::P256)]
    pub algorithm: KeyType,
}
