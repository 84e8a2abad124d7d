//! Starts an image for a program of the user's: writes `Image.toml`, terms, policies and a build for Cloud Build, with what can be
//! found out, and says what cannot. Nothing that exists is changed.

mod cargo;
mod cloud;
mod configured;
mod entries;
mod folder;
mod found;
mod go;
mod image;
mod origin;
mod policies;
mod python;
mod terms;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use oci::ImageRef;

use crate::at::At;
use crate::error::Error;
use crate::{fresh, spec};
use found::Found;
pub use found::Open;
use origin::Origin;

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The directory of the program.
    pub directory: &'a Path,
    /// The image of the workload's own program, which then starts the user's.
    pub exec: Option<&'a ImageRef>,
}

/// What was done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Started {
    /// The files that were written.
    pub written: Vec<PathBuf>,
    /// The files that existed before.
    pub kept: Vec<PathBuf>,
    /// What could not be found out, in files that were written.
    pub open: Vec<Open>,
}

/// Writes the files that do not exist.
///
/// # Errors
/// There is no program that is known how to build, the directory cannot be read, or a file cannot be written. What was written before stays.
pub fn init(wish: Wish<'_>) -> Result<Started, Error> {
    let directory = wish.directory;
    let found = find(directory)?;
    let origin = Origin::of(directory)?;
    let mut started = Started::default();
    let files = [
        (
            spec::FILE,
            image::text(&found, wish.exec),
            image::open(&found),
        ),
        (terms::FILE, terms::text(&found, wish.exec), terms::open()),
        (
            policies::RELEASE,
            policies::release(&origin),
            policies::release_open(&origin),
        ),
        (policies::GRANT, policies::grant(), policies::grant_open()),
        (cloud::FILE, cloud::text(&origin), cloud::open()),
    ];
    for (file, text, open) in files {
        let path = directory.join(file);
        match write(&path, &text)? {
            Written::Now => {
                started.written.push(path);
                started.open.extend(open);
            }
            Written::Before => started.kept.push(path),
        }
    }
    Ok(started)
}

/// Finds a program of one kind.
type Find = fn(&Path) -> Result<Option<Found>, Error>;

const KINDS: [Find; 3] = [cargo::find, go::find, folder::find];

/// What the directory has, by the first kind of build that knows it.
fn find(directory: &Path) -> Result<Found, Error> {
    for find in KINDS {
        if let Some(found) = find(directory)? {
            return Ok(found);
        }
    }
    let directory = directory.display();
    Err(Hinted::new(format_args!(
        "finding a program in {directory}: there is neither a Cargo.toml, nor a go.mod, nor a program in Python, nor an executable script"
    ))
    .hinting("write Image.toml with kind = \"command\"; docs/image-toml.md describes all entries, by example")
    .into())
}

enum Written {
    Now,
    Before,
}

fn write(path: &Path, text: &str) -> Result<Written, Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(At::writing(parent))?;
    }
    match fresh::create(path, 0o644, text.as_bytes()) {
        Ok(()) => Ok(Written::Now),
        Err(At { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Written::Before)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
