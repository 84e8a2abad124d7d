//! The arguments of `check`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use signature::Algorithm;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// What to judge.
    #[command(subcommand)]
    pub what: What,
}

/// What to judge.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Judge a signature over a file
    Signature(Signature),
    /// Judge a DSSE envelope
    Envelope(Envelope),
}

/// The keys.
#[derive(Args, Debug)]
pub struct Keys {
    /// A public key in PEM; repeatable, and one that signed is enough
    #[arg(long = "key", value_name = "PEM", required = true)]
    pub keys: Vec<PathBuf>,
    /// The only algorithm of the keys: ecdsa-der-HASH, ecdsa-p1363-HASH, rsa-pkcs1-HASH, rsa-pss-HASH or rsa-pss-HASH-saltBYTES,
    /// with sha256, sha384 or sha512 for HASH; or ed25519 [default: those of each key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
}

/// Arguments of `check signature`.
#[derive(Args, Debug)]
pub struct Signature {
    /// The file that was signed
    pub file: PathBuf,
    /// The signature, as bytes or base64
    #[arg(long, value_name = "FILE")]
    pub signature: PathBuf,
    /// The keys.
    #[command(flatten)]
    pub keys: Keys,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check envelope`.
#[derive(Args, Debug)]
pub struct Envelope {
    /// The envelope
    pub file: PathBuf,
    /// The keys.
    #[command(flatten)]
    pub keys: Keys,
    /// The only type that the payload may have [default: any]
    #[arg(long, value_name = "TYPE")]
    pub payload_type: Option<String>,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}
