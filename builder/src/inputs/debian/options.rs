//! Which package archive is used.

use std::path::Path;

use tokio::runtime::Handle;

use super::signers::Signers;

/// Which archive to use, and which keys to trust.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The address; by default that of the host's apt.
    pub url: Option<&'a str>,
    /// The keyring; by default that of the host's apt.
    pub keyring: Option<&'a Path>,
    /// The keys that are trusted.
    pub signers: &'a Signers,
    /// A folder with the files of the locked index: `evidence` of a layout.
    pub evidence: Option<&'a Path>,
    /// Runs the downloads.
    pub runtime: &'a Handle,
}
