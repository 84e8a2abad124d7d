//! Fetches the signed package indexes that a lock names from the referrers of the image, because an archive serves only its
//! newest index. Its files are found by digest here, and verified by the builder.

use std::path::{Path, PathBuf};

use console::at::At;
use console::progress::Progress;
use content::{Digest, limits};
use oci::Descriptor;
use serde::Deserialize;

use super::RebuildError;
use crate::place::{Place, Unfetched};

/// The builder's name for its lock.
const LOCK: &str = "Image.lock";
/// Maximum size of one file of an index, in bytes. The package list is the largest: Debian's has 10 MB.
const FILE: u64 = 64 << 20;
/// The names of the files for the builder.
const NAMES: [&str; 3] = ["InRelease", "Packages.xz", "keyring.gpg"];

/// Where the files of an index are fetched from.
pub struct Attached<'a> {
    /// Where the image is.
    pub place: Place<'a>,
    /// Files that are published as parts of package indexes. They are untrusted.
    pub files: Vec<Descriptor>,
}

/// The fields of a lock that are read here.
#[derive(Deserialize)]
struct Lock {
    index: Option<Indexes>,
}

/// One index is a table, and several are an array.
#[derive(Deserialize)]
#[serde(untagged)]
enum Indexes {
    One(Index),
    Several(Vec<Index>),
}

#[derive(Deserialize)]
struct Index {
    /// The suite, if there are several.
    suite: Option<String>,
    release: File,
    packages: File,
    keyring: File,
}

#[derive(Deserialize)]
struct File {
    sha256: Digest,
    size: u64,
}

/// Fetches the files that the lock in `directory` names into the new folder `folder`. The builder looks for files
/// that are not published in its store and in the archive.
///
/// # Errors
/// The place does not answer, or `folder` cannot be written.
pub(super) async fn fetch(
    attached: &Attached<'_>,
    directory: &Path,
    folder: PathBuf,
    progress: &Progress,
) -> Result<Option<PathBuf>, RebuildError> {
    let indexes = locked(directory);
    if indexes.is_empty() {
        return Ok(None);
    }
    std::fs::create_dir(&folder).map_err(At::writing(&folder))?;
    for index in indexes {
        let place = match &index.suite {
            None => folder.clone(),
            // The lock is untrusted. The builder refuses a suite with another name.
            Some(suite) if is_name(suite) => folder.join(suite),
            Some(_) => continue,
        };
        std::fs::create_dir_all(&place).map_err(At::writing(&place))?;
        fetch_one(attached, index, &place, progress).await?;
    }
    Ok(Some(folder))
}

/// Fetches the files of one index into a folder.
async fn fetch_one(
    attached: &Attached<'_>,
    index: Index,
    folder: &Path,
    progress: &Progress,
) -> Result<(), RebuildError> {
    let wanted = [index.release, index.packages, index.keyring];
    for (name, wanted) in NAMES.into_iter().zip(wanted) {
        let Some(found) = attached.files.iter().find(|file| wanted.is(file)) else {
            progress.note(&format!("the image has no referrer with the locked {name}"));
            continue;
        };
        if let Some(bytes) = blob(attached.place, found, name, progress).await? {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(At::writing(&path))?;
        }
    }
    Ok(())
}

/// Whether a suite's name is that of a file in the folder.
fn is_name(suite: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+~".contains(&byte);
    !suite.is_empty() && !suite.starts_with('.') && suite.bytes().all(plain)
}

impl File {
    fn is(&self, file: &Descriptor) -> bool {
        file.digest == self.sha256 && file.size == self.size && file.size <= FILE
    }
}

/// Fetches a blob; `None` if the place does not have it, or has other bytes.
async fn blob(
    place: Place<'_>,
    file: &Descriptor,
    name: &'static str,
    progress: &Progress,
) -> Result<Option<Vec<u8>>, RebuildError> {
    match place.blob(file, FILE).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unfetched::Absent(_)) => {
            progress.note(&format!("fetching {name}: it is listed but does not exist"));
            Ok(None)
        }
        Err(Unfetched::Damaged(other)) => {
            let (expected, found) = (&other.expected, &other.found);
            progress.note(&format!(
                "fetching {name}: expected {expected}, found {found}"
            ));
            Ok(None)
        }
        Err(Unfetched::Failed(cause)) => {
            let doing = format_args!("fetching {name} of the locked package index");
            Err(RebuildError::Index(cause.doing(doing)))
        }
    }
}

/// The indexes that the lock names; none if the lock cannot be read, since the builder reports that.
fn locked(directory: &Path) -> Vec<Index> {
    let read = || {
        let file = content::open_regular(&directory.join(LOCK)).ok()?;
        let bytes = content::read_limited(file, limits::DOCUMENT).ok()?;
        content::toml::parse::<Lock>(&bytes).ok()?.index
    };
    match read() {
        None => Vec::new(),
        Some(Indexes::One(index)) => vec![index],
        Some(Indexes::Several(indexes)) => indexes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_index_and_several_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let suites = |text: &str| {
            std::fs::write(directory.path().join(LOCK), text).unwrap();
            let indexes = locked(directory.path()).into_iter();
            indexes.map(|index| index.suite).collect::<Vec<_>>()
        };
        let digest = Digest::of(b"");
        let file = format!("{{ sha256 = '{digest}', size = 1 }}");
        let files = format!("release = {file}\npackages = {file}\nkeyring = {file}\n");
        assert_eq!(suites(&format!("version = 2\n[index]\n{files}")), [None]);
        let of = |suite: &str| format!("[[index]]\nsuite = '{suite}'\n{files}");
        let both = suites(&[of("a"), of("b")].concat());
        assert_eq!(both, [Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(suites("version = 2\n"), []);
        assert_eq!(suites("no lock"), []);
        for (suite, expected) in [
            ("trixie-backports", true),
            ("..", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(is_name(suite), expected, "{suite}");
        }
    }
}
