//! Arguments that several programs have.

use std::path::PathBuf;

use clap::Args;

/// How to reach a registry.
#[derive(Args, Clone, Debug)]
pub struct Registry {
    /// Connect to registries by HTTP, without TLS
    #[arg(long, alias = "registry-plain-http")]
    pub plain_http: bool,
    /// Trust the certificate authorities in this PEM file, in addition to the system's
    #[arg(long, value_name = "FILE", conflicts_with = "plain_http")]
    pub ca: Option<PathBuf>,
}
