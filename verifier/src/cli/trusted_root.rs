//! The arguments of `trusted-root`.

use std::path::PathBuf;

use clap::Args;
use content::{Digest, InvalidDigest};

/// Arguments of `trusted-root`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 updated, 1 refused: what the mirror has does not verify, has expired or is older than what the store \
                  has; 2 error."
)]
pub struct TrustedRoot {
    /// The URL below which the TUF repository is: of a Sigstore instance, or of a copy of its repository
    #[arg(long, value_name = "URL")]
    pub mirror: String,
    /// Root metadata that you trust, of any version; the repository must continue it
    #[arg(long, value_name = "FILE")]
    pub root: PathBuf,
    /// The SHA-256 that this file must have, as hex
    #[arg(long, value_name = "SHA256", value_parser = checksum)]
    pub root_checksum: Option<Digest>,
    /// The directory that keeps the newest metadata, so that older metadata is refused the next time
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The trusted root to write, for `keyless.trusted_root` in a policy and for --trusted-root
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write the signing config as well, for `builder sign --signing-config`
    #[arg(long, value_name = "FILE")]
    pub signing_config: Option<PathBuf>,
    /// Trust the certificate authorities in this PEM file, in addition to the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Report as JSON on standard output; otherwise the digest of the trusted root is printed
    #[arg(long)]
    pub json: bool,
}

/// Parses a digest with or without the name of the algorithm.
fn checksum(text: &str) -> Result<Digest, InvalidDigest> {
    Digest::from_hex(text.strip_prefix("sha256:").unwrap_or(text))
}
