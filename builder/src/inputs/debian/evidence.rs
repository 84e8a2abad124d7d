//! The files that prove what an archive has signed. An archive serves only its newest index, so these files are
//! written to the layout and published with the image.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::lock::index::{self, IndexFile, SignedIndex};
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
    pub(crate) fn index(
        &self,
        suite: Option<String>,
        signatures: Vec<Signature>,
        date: Time,
    ) -> SignedIndex {
        SignedIndex {
            suite,
            date,
            release: IndexFile::of(&self.release),
            packages: IndexFile::of(&self.packages),
            keyring: IndexFile::of(&self.keyring),
            signatures,
        }
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)?;
        for (name, bytes) in self.files() {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }
}

/// The folder of the index of a suite: `folder` itself if a lock names one index, and otherwise a folder in it. The parser of
/// locks has checked the name of the suite.
pub fn folder_of(folder: &Path, suite: Option<&str>) -> PathBuf {
    suite.map_or_else(|| folder.to_owned(), |suite| folder.join(suite))
}

/// The files of the indexes of suites. The suite is named if there are several.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AllEvidence(pub Vec<(Option<String>, Evidence)>);

impl AllEvidence {
    /// Writes the files into the new folder `folder`. Without an index, there is no folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        if self.0.iter().any(|(suite, _)| suite.is_some()) {
            fs::create_dir(folder)?;
        }
        let mut all = self.0.iter();
        all.try_for_each(|(suite, one)| one.write(&folder_of(folder, suite.as_deref())))
    }
}

/// A file in a folder of evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// Its path below the folder.
    pub name: String,
    /// Its maximum size, in bytes.
    pub limit: u64,
}

/// The files in a folder that [`AllEvidence::write`] wrote, by name.
///
/// # Errors
/// It cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<File>> {
    let mut suites = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            suites.extend(entry.file_name().into_string().ok());
        }
    }
    suites.sort();
    let below = |prefix: &str| {
        let files = [
            (RELEASE, index::RELEASE),
            (PACKAGES, index::PACKAGES),
            (KEYRING, index::KEYRING),
        ];
        files.map(|(name, limit)| File {
            name: format!("{prefix}{name}"),
            limit,
        })
    };
    Ok(match suites.is_empty() {
        true => below("").to_vec(),
        false => suites
            .iter()
            .flat_map(|suite| below(&format!("{suite}/")))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_indexes_have_a_folder_each() {
        let place = tempfile::tempdir().unwrap();
        let one = |text: &str| Evidence {
            release: text.into(),
            packages: text.into(),
            keyring: text.into(),
        };
        let names = |all: AllEvidence, folder: &str| {
            let folder = place.path().join(folder);
            all.write(&folder).unwrap();
            let files = list(&folder).unwrap();
            for file in &files {
                assert!(folder.join(&file.name).is_file(), "{file:?}");
            }
            let names = files.into_iter().map(|file| file.name);
            names.collect::<Vec<_>>()
        };
        let alone = AllEvidence(vec![(None, one("a"))]);
        assert_eq!(names(alone, "one"), [RELEASE, PACKAGES, KEYRING]);
        let both = ["b", "a"].map(|suite| (Some(suite.to_owned()), one(suite)));
        let both = names(AllEvidence(both.to_vec()), "two");
        assert_eq!(both.len(), 6);
        assert_eq!((&*both[0], &*both[5]), ("a/InRelease", "b/keyring.gpg"));
        let none = place.path().join("none");
        AllEvidence::default().write(&none).unwrap();
        assert!(!none.exists());
    }
}
