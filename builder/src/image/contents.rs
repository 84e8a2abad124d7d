//! The files that `Image.toml` lists, with their contents.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use content::{Digest, Hasher};
use oci::layer::{Content, Entry, Executable, Kind};

use crate::at::At;
use crate::compile::program::Program;
use crate::spec::{FileSpec, Origin};
use crate::untrusted::shown;

/// A file that cannot be added to the image.
#[derive(Debug, thiserror::Error)]
#[error("adding {}: {fault}", shown(path))]
pub struct ContentsError {
    /// The path in the image.
    pub path: String,
    /// Why it cannot be added.
    #[source]
    pub fault: Fault,
}

/// Why a file cannot be added to the image.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The source's name leads out of its directory.
    #[error("\"{}\" is not a plain path below its directory", shown(.0))]
    Outside(String),
    /// The binary is not the one that was compiled.
    #[error(
        "expected the binary of package {}, found \"{}\"",
        shown(package),
        shown(name)
    )]
    Binary {
        /// The package that was compiled.
        package: String,
        /// The binary that `Image.toml` names.
        name: String,
    },
    /// The source is a directory.
    #[error("source \"{}\" is a directory", shown(.0))]
    Folder(String),
    /// The source is neither a file nor a directory.
    #[error("source \"{}\" is not a regular file", shown(.0))]
    Special(String),
    /// The commit does not have the source.
    #[error("the commit has no \"{}\" beside Image.toml", shown(.0))]
    Absent(String),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] At),
    /// No image may have this path.
    #[error(transparent)]
    Path(#[from] oci::Error),
}

impl ContentsError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self.fault {
            Fault::Folder(_) => {
                Some("an image is made of files: name each of them with a [[file]] of its own")
            }
            Fault::Special(_) => Some("only regular files go into an image"),
            Fault::Absent(_) => Some("`source` in Image.toml is relative to its directory"),
            Fault::Outside(_) => {
                Some("`source` in Image.toml names a file of the directory that Image.toml is in")
            }
            Fault::Binary { .. } => Some("`binary` in Image.toml is the package that is built"),
            Fault::Read(_) | Fault::Path(_) => None,
        }
    }
}

/// All files, in the order of `Image.toml`, which is in the staged `directory`.
///
/// # Errors
/// A file cannot be added.
pub fn entries(
    files: &[FileSpec],
    directory: &Path,
    program: &Program,
) -> Result<Vec<Entry>, ContentsError> {
    let entry = |file: &FileSpec| {
        entry(file, directory, program).map_err(|fault| ContentsError {
            path: file.path.clone(),
            fault,
        })
    };
    files.iter().map(entry).collect()
}

fn entry(file: &FileSpec, directory: &Path, program: &Program) -> Result<Entry, Fault> {
    let (content, executable) = match &file.origin {
        Origin::Text(text) => (Content::Bytes(text.clone().into_bytes()), Executable::No),
        Origin::Source(name) => (Content::File(below(directory, name)?), Executable::No),
        Origin::Binary(name) if *name == program.name => {
            (Content::File(program.path.clone()), Executable::Yes)
        }
        Origin::Binary(name) => {
            return Err(Fault::Binary {
                package: program.name.clone(),
                name: name.clone(),
            });
        }
    };
    Ok(Entry {
        path: file.path.parse()?,
        kind: Kind::File {
            content,
            executable,
        },
    })
}

fn below(directory: &Path, name: &str) -> Result<PathBuf, Fault> {
    let relative = Path::new(name.strip_prefix('/').unwrap_or(name));
    let mut parts = relative.components();
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(Fault::Outside(name.to_owned()));
    }
    // The staged source contains no links, so no part of the path can be one.
    let found = directory.join(relative);
    match fs::symlink_metadata(&found) {
        Ok(metadata) if metadata.is_file() => Ok(found),
        Ok(metadata) if metadata.is_dir() => Err(Fault::Folder(name.to_owned())),
        Ok(_) => Err(Fault::Special(name.to_owned())),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Err(Fault::Absent(name.to_owned()))
            }
            _ => Err(At::reading(&found)(error).into()),
        },
    }
}

/// The absolute path and the digest of each file among `entries`.
///
/// # Errors
/// A file cannot be read.
pub fn digests(entries: &[Entry]) -> Result<Vec<(String, Digest)>, At> {
    let files = entries.iter().filter_map(|entry| match &entry.kind {
        Kind::File { content, .. } => Some((entry, content)),
        Kind::Directory | Kind::Symlink { .. } => None,
    });
    files
        .map(|(entry, content)| Ok((format!("/{}", entry.path), digest(content)?)))
        .collect()
}

fn digest(content: &Content) -> Result<Digest, At> {
    let path = match content {
        Content::Bytes(bytes) => return Ok(Digest::of(bytes)),
        Content::File(path) => path,
    };
    let mut hasher = Hasher::new();
    fs::File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut hasher))
        .map_err(At::reading(path))?;
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compile::program::Invocation;

    /// The entry of one file with this origin.
    fn entry(origin: Origin, directory: &Path) -> Result<Entry, Fault> {
        let file = FileSpec {
            path: "/etc/x".to_owned(),
            origin,
        };
        let program = Program {
            name: "program".to_owned(),
            path: "/nowhere/program".into(),
            invocation: Invocation {
                command: Vec::new(),
                environment: BTreeMap::new(),
            },
            linked: Vec::new(),
        };
        let entries = entries(&[file], directory, &program);
        let entries = entries.map_err(|error| error.fault)?;
        Ok(entries.into_iter().next().unwrap())
    }

    fn source(name: &str, directory: &Path) -> Result<Entry, Fault> {
        entry(Origin::Source(name.to_owned()), directory)
    }

    #[test]
    fn names_stay_below_their_directory() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["", "..", "a/../../b", "."] {
            let refused = source(name, scratch.path());
            assert!(matches!(refused, Err(Fault::Outside(_))), "{name:?}");
        }
    }

    #[test]
    fn a_source_is_a_file_of_the_source() {
        let scratch = tempfile::tempdir().unwrap();
        let read = |name: &str| source(name, scratch.path());
        fs::create_dir(scratch.path().join("folder")).unwrap();
        fs::write(scratch.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("file", scratch.path().join("link")).unwrap();
        assert!(read("file").is_ok());
        assert!(matches!(read("folder"), Err(Fault::Folder(_))));
        assert!(matches!(read("link"), Err(Fault::Special(_))));
        for absent in ["absent", "file/x"] {
            assert!(matches!(read(absent), Err(Fault::Absent(_))));
        }
    }

    #[test]
    fn only_the_compiled_program_is_a_binary() {
        let scratch = tempfile::tempdir().unwrap();
        let binary = |name: &str| entry(Origin::Binary(name.to_owned()), scratch.path());
        assert!(matches!(binary("other"), Err(Fault::Binary { .. })));
        let own = binary("program").unwrap();
        let Kind::File { executable, .. } = own.kind else {
            panic!("{own:?}");
        };
        assert_eq!(executable, Executable::Yes);
    }
}
