//! The files that `Image.toml` lists, with their contents.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};
use oci::layer::{Content, Entry, Executable, Kind};
use sha1_checked::{Digest as _, Sha1};

use crate::at::At;
use crate::compile::program::Program;
use crate::spec::{FileSpec, Origin};
use crate::untrusted::shown;

/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// All files, in the order of `Image.toml`, which is in the staged `directory`.
///
/// # Errors
/// A file cannot be added.
pub fn entries(
    files: &[FileSpec],
    directory: &Path,
    program: &Program,
) -> Result<Vec<Entry>, Hinted> {
    let entry = |file: &FileSpec| {
        entry(file, directory, program)
            .map_err(|fault| fault.during(format_args!("adding {}", shown(&file.path))))
    };
    files.iter().map(entry).collect()
}

fn entry(file: &FileSpec, directory: &Path, program: &Program) -> Result<Entry, Hinted> {
    let (content, executable) = match &file.origin {
        Origin::Text(text) => (Content::Bytes(text.clone().into_bytes()), Executable::No),
        Origin::Source(name) => (Content::File(below(directory, name)?), Executable::No),
        Origin::Binary(name) => {
            let path = program.binaries.get(name).ok_or_else(|| unbuilt(name))?;
            (Content::File(path.clone()), Executable::Yes)
        }
    };
    Ok(Entry {
        path: file.path.parse().map_err(Hinted::from_error)?,
        kind: Kind::File {
            content,
            executable,
        },
    })
}

fn unbuilt(name: &str) -> Hinted {
    Hinted::new(format_args!("no binary \"{}\" is built", shown(name)))
        .hinting("`binary` in Image.toml must be one of `binaries`, if [build] has that entry")
}

fn below(directory: &Path, name: &str) -> Result<PathBuf, Hinted> {
    let relative = Path::new(name.strip_prefix('/').unwrap_or(name));
    let mut parts = relative.components();
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        let outside = Hinted::new(format_args!(
            "\"{}\" is not a plain path below its directory",
            shown(name)
        ));
        return Err(outside.hinting(
            "`source` in Image.toml names a file of the directory that Image.toml is in",
        ));
    }
    // The staged source contains no links, so no part of the path can be one.
    let found = directory.join(relative);
    match fs::symlink_metadata(&found) {
        Ok(metadata) if metadata.is_file() => Ok(found),
        Ok(metadata) if metadata.is_dir() => Err(Hinted::new(format_args!(
            "source \"{}\" is a directory",
            shown(name)
        ))
        .hinting("add a [[file]] entry for each file of the directory")),
        Ok(_) => Err(Hinted::new(format_args!(
            "source \"{}\" is not a regular file",
            shown(name)
        ))
        .hinting("an image contains regular files only: name one")),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Err(Hinted::new(format_args!(
                    "the commit has no file \"{}\" in the directory of Image.toml",
                    shown(name)
                ))
                .hinting("`source` in Image.toml is relative to its directory"))
            }
            _ => Err(Hinted::from_error(At::reading(&found)(error))),
        },
    }
}

/// A file of the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digests {
    /// The absolute path.
    pub path: String,
    /// The digest.
    pub sha256: Digest,
    /// The SHA-1 as hex, which SPDX has beside it.
    pub sha1: String,
}

/// The digests of each file among `entries`.
///
/// # Errors
/// A file cannot be read.
pub fn digests(entries: &[Entry]) -> Result<Vec<Digests>, At> {
    let files = entries.iter().filter_map(|entry| match &entry.kind {
        Kind::File { content, .. } => Some((entry, content)),
        Kind::Directory | Kind::Symlink { .. } => None,
    });
    files
        .map(|(entry, content)| {
            let path = format!("/{}", entry.path);
            let (read, from) = match content {
                Content::Bytes(bytes) => (hash(&mut &bytes[..]), Path::new(&path)),
                Content::File(file) => {
                    let opened = fs::File::open(file);
                    let read = opened.and_then(|mut opened| hash(&mut opened));
                    (read, file.as_path())
                }
            };
            let (sha256, sha1) = read.map_err(At::reading(from))?;
            Ok(Digests { path, sha256, sha1 })
        })
        .collect()
}

/// The SHA-256, and the SHA-1 as hex.
fn hash(content: &mut dyn Read) -> io::Result<(Digest, String)> {
    let (mut sha256, mut sha1) = (Hasher::new(), Sha1::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        sha256.update(&buffer[..count]);
        sha1.update(&buffer[..count]);
    }
    Ok((sha256.finish(), hex::encode(sha1.try_finalize().hash())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compile::program::Invocation;

    /// The entry of one file with this origin.
    fn entry(origin: Origin, directory: &Path) -> Result<Entry, Hinted> {
        let file = FileSpec {
            path: "/etc/x".to_owned(),
            origin,
        };
        let program = Program {
            binaries: [("program".to_owned(), "/nowhere/program".into())].into(),
            invocation: Invocation {
                command: Vec::new(),
                environment: BTreeMap::new(),
            },
            linked: Vec::new(),
        };
        let entries = entries(&[file], directory, &program);
        entries.map(|entries| entries.into_iter().next().unwrap())
    }

    fn source(name: &str, directory: &Path) -> Result<Entry, Hinted> {
        entry(Origin::Source(name.to_owned()), directory)
    }

    #[test]
    fn names_stay_below_their_directory() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["", "..", "a/../../b", "."] {
            let refused = source(name, scratch.path()).unwrap_err();
            let expected =
                format!("adding /etc/x: \"{name}\" is not a plain path below its directory");
            assert_eq!(refused.to_string(), expected);
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
        for (name, fault) in [
            ("folder", "source \"folder\" is a directory"),
            ("link", "source \"link\" is not a regular file"),
            (
                "absent",
                "the commit has no file \"absent\" in the directory of Image.toml",
            ),
            (
                "file/x",
                "the commit has no file \"file/x\" in the directory of Image.toml",
            ),
        ] {
            let refused = read(name).unwrap_err().to_string();
            assert_eq!(refused, format!("adding /etc/x: {fault}"));
        }
    }

    #[test]
    fn only_compiled_programs_are_binaries() {
        let scratch = tempfile::tempdir().unwrap();
        let binary = |name: &str| entry(Origin::Binary(name.to_owned()), scratch.path());
        assert_eq!(
            binary("other").unwrap_err().to_string(),
            "adding /etc/x: no binary \"other\" is built"
        );
        let own = binary("program").unwrap();
        let Kind::File { executable, .. } = own.kind else {
            panic!("{own:?}");
        };
        assert_eq!(executable, Executable::Yes);
    }
}
