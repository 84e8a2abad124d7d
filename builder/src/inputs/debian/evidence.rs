//! The files that prove what an archive has signed. An archive serves only its newest index, so these files are
//! written to the layout and published with the image.

use std::fs;
use std::io;
use std::path::Path;

use crate::lock::index::{IndexFile, SignedIndex};
use crate::lock::signature::Signature;
use crate::lock::time::Time;

/// The folder of a layout that contains them.
pub const FOLDER: &str = "evidence";
/// Name of the release file.
pub const RELEASE: &str = "InRelease";
/// Name of the package list.
pub const PACKAGES: &str = "Packages.xz";
/// Name of the keyring.
pub const KEYRING: &str = "keyring.gpg";

/// A signed package index, and the keys to verify it with. It must not be trusted before [`super::chain::check`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evidence {
    /// The release file, a cleartext signed message.
    pub release: Vec<u8>,
    /// The package list in xz.
    pub packages: Vec<u8>,
    /// The keyring.
    pub keyring: Vec<u8>,
}

impl Evidence {
    /// The files by name.
    pub fn files(&self) -> [(&'static str, &[u8]); 3] {
        [
            (RELEASE, &self.release),
            (PACKAGES, &self.packages),
            (KEYRING, &self.keyring),
        ]
    }

    /// The index as a lock names it, with the signatures that were found and the time of locking.
    pub(crate) fn index(&self, signatures: Vec<Signature>, date: Time) -> SignedIndex {
        SignedIndex {
            date,
            release: IndexFile::of(&self.release),
            packages: IndexFile::of(&self.packages),
            keyring: IndexFile::of(&self.keyring),
            signatures,
        }
    }

    /// Writes the files into the new folder `folder`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)?;
        for (name, bytes) in self.files() {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }
}
