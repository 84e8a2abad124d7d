//! The files that `Image.toml` asks for, with their bytes.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use content::{Digest, Hasher};
use oci::layer::{Content, Entry, Executable, Kind};

use crate::spec::{FileSpec, Origin};
use crate::told::shown;

/// Where the bytes of an image come from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The staged folder of `Image.toml`.
    pub folder: &'a Path,
    /// The package that was compiled.
    pub package: &'a str,
    /// What it was compiled to.
    pub binary: &'a Path,
}

/// A file of the image that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// A name that leads out of where it belongs.
    #[error(
        "adding {}: \"{}\" is not a plain path below its directory",
        shown(path),
        shown(name)
    )]
    Outside {
        /// The path in the image.
        path: String,
        /// What `Image.toml` names.
        name: String,
    },
    /// A binary that was not compiled.
    #[error(
        "adding {}: expected the binary of package {}, found \"{}\"",
        shown(path),
        shown(package),
        shown(name)
    )]
    Binary {
        /// The path in the image.
        path: String,
        /// What was compiled.
        package: String,
        /// What `Image.toml` names.
        name: String,
    },
    /// A folder, where each file is named.
    #[error("adding {}: source \"{}\" is a directory", shown(path), shown(name))]
    Folder {
        /// The path in the image.
        path: String,
        /// What `Image.toml` names.
        name: String,
    },
    /// Something that is neither a file nor a folder.
    #[error(
        "adding {}: source \"{}\" is not a regular file",
        shown(path),
        shown(name)
    )]
    Special {
        /// The path in the image.
        path: String,
        /// What `Image.toml` names.
        name: String,
    },
    /// A file that the source does not have.
    #[error(
        "adding {}: the commit has no \"{}\" beside Image.toml",
        shown(path),
        shown(name)
    )]
    Absent {
        /// The path in the image.
        path: String,
        /// What `Image.toml` names.
        name: String,
    },
    /// A file that cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A path that no image may have.
    #[error("adding file: {0}")]
    Path(#[from] oci::Error),
}

impl ContentsError {
    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Folder { .. } => {
                Some("an image is made of files: name each of them with a [[file]] of its own")
            }
            Self::Special { .. } => Some("only regular files go into an image"),
            Self::Absent { .. } => Some("`source` in Image.toml is relative to its directory"),
            Self::Outside { .. } => {
                Some("`source` in Image.toml names a file of the directory that Image.toml is in")
            }
            Self::Binary { .. } => Some("`binary` in Image.toml is the package that is built"),
            Self::Read { .. } | Self::Path(_) => None,
        }
    }
}

/// All files that are asked for, in the order of `Image.toml`.
///
/// # Errors
/// See [`ContentsError`].
pub fn entries(files: &[FileSpec], sources: &Sources<'_>) -> Result<Vec<Entry>, ContentsError> {
    files.iter().map(|file| entry(file, sources)).collect()
}

fn entry(file: &FileSpec, sources: &Sources<'_>) -> Result<Entry, ContentsError> {
    let executable = match file.origin {
        Origin::Binary(_) => Executable::Yes,
        _ => Executable::No,
    };
    Ok(Entry {
        path: file.path.parse()?,
        kind: Kind::File {
            content: bytes(file, sources)?,
            executable,
        },
    })
}

fn bytes(file: &FileSpec, sources: &Sources<'_>) -> Result<Content, ContentsError> {
    match &file.origin {
        Origin::Text(text) => Ok(Content::Bytes(text.clone().into_bytes())),
        Origin::Source(name) => Ok(Content::File(below(sources.folder, name, &file.path)?)),
        Origin::Binary(name) if name == sources.package => {
            Ok(Content::File(sources.binary.to_owned()))
        }
        Origin::Binary(name) => Err(ContentsError::Binary {
            path: file.path.clone(),
            package: sources.package.to_owned(),
            name: name.clone(),
        }),
    }
}

fn below(folder: &Path, name: &str, path: &str) -> Result<PathBuf, ContentsError> {
    let relative = Path::new(name.strip_prefix('/').unwrap_or(name));
    let mut parts = relative.components();
    let (path, name) = (path.to_owned(), name.to_owned());
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(ContentsError::Outside { path, name });
    }
    // The staged source has no links, so that no part of the way can be one.
    let found = folder.join(relative);
    match fs::symlink_metadata(&found) {
        Ok(metadata) if metadata.is_file() => Ok(found),
        Ok(metadata) if metadata.is_dir() => Err(ContentsError::Folder { path, name }),
        Ok(_) => Err(ContentsError::Special { path, name }),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Err(ContentsError::Absent { path, name })
            }
            _ => Err(unread(&found, error)),
        },
    }
}

/// The absolute path and the digest of each file among `entries`.
///
/// # Errors
/// A file cannot be read.
pub fn digests(entries: &[Entry]) -> Result<Vec<(String, Digest)>, ContentsError> {
    let files = entries.iter().filter_map(|entry| match &entry.kind {
        Kind::File { content, .. } => Some((entry, content)),
        Kind::Directory | Kind::Symlink { .. } => None,
    });
    files
        .map(|(entry, content)| Ok((format!("/{}", entry.path), digest(content)?)))
        .collect()
}

fn digest(content: &Content) -> Result<Digest, ContentsError> {
    let path = match content {
        Content::Bytes(bytes) => return Ok(Digest::of(bytes)),
        Content::File(path) => path,
    };
    let mut hasher = Hasher::new();
    fs::File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut hasher))
        .map_err(|source| unread(path, source))?;
    Ok(hasher.finish())
}

fn unread(path: &Path, source: io::Error) -> ContentsError {
    ContentsError::Read {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(origin: Origin) -> FileSpec {
        FileSpec {
            path: "/etc/x".to_owned(),
            origin,
        }
    }

    fn sources(scratch: &Path) -> Sources<'_> {
        Sources {
            folder: scratch,
            package: "program",
            binary: Path::new("/nowhere/program"),
        }
    }

    #[test]
    fn names_stay_below_their_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let sources = sources(scratch.path());
        for name in ["", "..", "a/../../b", "."] {
            let refused = entries(&[wanted(Origin::Source(name.to_owned()))], &sources);
            assert!(
                matches!(refused, Err(ContentsError::Outside { .. })),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_source_is_a_file_of_the_source() {
        let scratch = tempfile::tempdir().unwrap();
        let sources = sources(scratch.path());
        let read = |name: &str| entries(&[wanted(Origin::Source(name.to_owned()))], &sources);
        fs::create_dir(scratch.path().join("folder")).unwrap();
        fs::write(scratch.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("file", scratch.path().join("link")).unwrap();
        assert!(read("file").is_ok());
        assert!(matches!(read("folder"), Err(ContentsError::Folder { .. })));
        assert!(matches!(read("link"), Err(ContentsError::Special { .. })));
        for absent in ["absent", "file/x"] {
            assert!(matches!(read(absent), Err(ContentsError::Absent { .. })));
        }
    }

    #[test]
    fn only_what_was_compiled_is_a_binary() {
        let scratch = tempfile::tempdir().unwrap();
        let sources = sources(scratch.path());
        let other = entries(&[wanted(Origin::Binary("other".to_owned()))], &sources);
        assert!(matches!(other, Err(ContentsError::Binary { .. })));
        let own = entries(&[wanted(Origin::Binary("program".to_owned()))], &sources).unwrap();
        let Kind::File { executable, .. } = own[0].kind else {
            panic!("{own:?}");
        };
        assert_eq!(executable, Executable::Yes);
    }
}
