//! The files of a repository from a capsule.

use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use console::hint::Hinted;
use content::{CheckedReader, Digest};

use super::kept::{place, publish};
use super::listing::{Line, lines};
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::capsule::opened::Capsule;
use crate::inputs::error::DependencyError;
use crate::inputs::git::entry::Mode;
use crate::inputs::git::limits::FILE;
use crate::inputs::unpack::{Entry, Fault, Unpacker};
use crate::lock::repository::Repository;

/// Maximum size of the list of files, in bytes.
const LIST: u64 = 64 << 20;
/// Maximum length of the target of a link, in bytes (Linux, `PATH_MAX`).
const TARGET: u64 = 4096;
/// Most bytes of all files: a list may name one content many times.
const FILES: u64 = 8 << 30;

const DAMAGED: &str = "the capsule is damaged, not complete, or of another Image.lock: make it again, with `builder capsule`";

/// Brings the files of a locked repository into the store.
///
/// # Errors
/// The capsule lacks a file, or has other bytes, or the work was interrupted.
pub(super) fn restore(
    repository: &Repository,
    capsule: &Capsule,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    let name = format!("read {repository} from the capsule");
    supply.during(name, |_| restore_now(repository, capsule, supply))
}

fn restore_now(
    repository: &Repository,
    capsule: &Capsule,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    let scratch = supply.store.scratch()?;
    let folder = scratch.path().join("tree");
    fs::create_dir(&folder).map_err(At::writing(&folder))?;
    let restoring = Restoring {
        capsule,
        repository,
    };
    let list = restoring.bytes(&repository.sha256, "its list of files", LIST)?;
    let list = lines(&list).ok_or_else(|| restoring.failed("its list of files is not one"))?;
    let mut unpacker = Unpacker::new(&folder, supply.interrupt, &|_| Some(0));
    let mut left = FILES;
    for line in list {
        restoring.put(&line, &mut unpacker, &mut left)?;
    }
    publish(&folder, &place(repository, supply), supply)
}

struct Restoring<'a> {
    capsule: &'a Capsule,
    repository: &'a Repository,
}

impl Restoring<'_> {
    fn put(
        &self,
        line: &Line,
        unpacker: &mut Unpacker<'_>,
        left: &mut u64,
    ) -> Result<(), DependencyError> {
        let path = Path::new(line.path.as_str());
        let put = match line.mode {
            // A repository of its own.
            Mode::Submodule => return Ok(()),
            Mode::Link => {
                let target = self.bytes(&line.content, line.path.as_str(), TARGET)?;
                let target = std::ffi::OsString::from_vec(target);
                unpacker.put(path, Entry::Link(target.into()))
            }
            Mode::Plain | Mode::Executable => {
                let piece = self.capsule.find(&line.content)?;
                let piece = piece.ok_or_else(|| self.absent(line.path.as_str(), &line.content))?;
                let size = piece.size();
                if size > FILE {
                    let path = &line.path;
                    let large = format!("{path}: expected at most {FILE} bytes, found {size}");
                    return Err(self.failed(&large).into());
                }
                *left = left
                    .checked_sub(size)
                    .ok_or_else(|| self.failed("its files are too large"))?;
                let mut content = CheckedReader::new(piece, line.content, size);
                // The unpacker would blame the file that it writes.
                let mut bytes = Vec::new();
                let read = content.read_to_end(&mut bytes);
                read.map_err(|error| self.failed(&format!("{}: {error}", line.path)))?;
                let is_program = line.mode == Mode::Executable;
                let content = &mut &bytes[..];
                unpacker.put(
                    path,
                    Entry::File {
                        content,
                        is_program,
                    },
                )
            }
        };
        put.map_err(|fault| match fault {
            Fault::Wrong(reason) => self.failed(&reason).into(),
            Fault::At(at) => at.into(),
            Fault::Interrupted(interrupted) => interrupted.into(),
        })
    }

    /// A small input with this digest.
    fn bytes(&self, digest: &Digest, what: &str, limit: u64) -> Result<Vec<u8>, DependencyError> {
        let piece = self.capsule.find(digest)?;
        let piece = piece.ok_or_else(|| self.absent(what, digest))?;
        let size = piece.size();
        let read = content::read_checked(piece, *digest, size, limit);
        Ok(read.map_err(|error| self.failed(&format!("{what}: {error}")))?)
    }

    fn absent(&self, what: &str, digest: &Digest) -> Hinted {
        self.failed(&format!("the capsule does not have {what} ({digest})"))
    }

    fn failed(&self, reason: &str) -> Hinted {
        let (name, repository) = (self.capsule.name(), self.repository);
        let reason = crate::untrusted::shown(reason);
        Hinted::new(format_args!(
            "reading capsule {name}: {repository}: {reason}"
        ))
        .hinting(DAMAGED)
    }
}
