//! The files that name the inputs of a build: `Image.toml`, and those of the build's kind.

mod named;

use std::io;
use std::path::Path;

use console::hint::Hinted;
use content::Digest;

use super::faults;
use super::git::{self, Lists, Source};
use super::text::read;
use super::wheels::{self, WantedWheels};
use crate::at::At;
use crate::error::Error;
use crate::lock::{self, Lock, LockError};
use crate::spec::{self, BuildSpec, Spec};
use crate::untrusted;

pub use named::Named;

/// `Image.toml` and the files that its kind of build needs, parsed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `Image.toml`.
    pub spec: Spec,
    /// Digest of `Image.toml`.
    pub spec_digest: Digest,
    /// What the files of the build's kind name.
    pub named: Named,
    /// The Python packages that the image contains.
    pub wheels: Vec<WantedWheels>,
    /// The version of Rust that the package needs, if a lock is resolved and the package says so.
    pub rust_version: Option<String>,
}

impl Wanted {
    /// Reads the files in a directory of the working tree.
    ///
    /// # Errors
    /// A file is missing or invalid, or names a crate that is not from the public registry.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let (spec, spec_digest) = read_spec(Path::new(""), directory)?;
        faults::check_processor(&spec)?;
        let located = git::located(directory)?;
        let rust_version = match (&spec.build, &located.lists.cargo) {
            (BuildSpec::Cargo(cargo), Some(files)) => {
                faults::check(&located, files, cargo, &spec)?.rust_version
            }
            _ => None,
        };
        Ok(Self {
            named: Named::read(&spec, &located.top, &located.lists)?,
            wheels: read_wheels(&spec, Path::new(""), directory)?,
            spec,
            spec_digest,
            rust_version,
        })
    }

    /// Reads the files of a staged source.
    ///
    /// # Errors
    /// As [`Wanted::read`].
    pub fn staged(source: &Source) -> Result<Self, Error> {
        let (spec, spec_digest) = read_spec(&source.staged, &source.directory)?;
        let lists = Lists {
            cargo: source.cargo.clone(),
            go: source.go.clone(),
        };
        Ok(Self {
            named: Named::read(&spec, &source.staged, &lists)?,
            wheels: read_wheels(&spec, &source.staged, &source.directory)?,
            spec,
            spec_digest,
            rust_version: None,
        })
    }

    /// Reads the lock of a staged source, which must be the lock of these files. Also returns its digest.
    ///
    /// # Errors
    /// There is no lock, it is invalid, or it is the lock of other files.
    pub fn lock(&self, source: &Source) -> Result<(Lock, Digest), Error> {
        self.lock_in(&source.staged, &source.directory)
    }

    /// Reads the lock in a directory below `base`, as [`Wanted::lock`].
    ///
    /// # Errors
    /// As [`Wanted::lock`].
    pub(super) fn lock_in(&self, base: &Path, directory: &Path) -> Result<(Lock, Digest), Error> {
        let path = directory.join(lock::FILE);
        let text = read(base, &path).map_err(|error| match error {
            Error::At(At { path, source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let path = path.display();
                Hinted::new(format_args!("reading {path}: Image.lock does not exist"))
                    .hinting("run `builder lock` in that directory, and commit Image.lock")
                    .into()
            }
            other => other,
        })?;
        let lock = parse_lock(&path, &text)?;
        check_digest(spec::FILE, Some(lock.spec), Some(self.spec_digest))?;
        self.named.check(&lock)?;
        wheels::check(&self.wheels, &lock, &self.spec.root.architecture)?;
        Ok((lock, Digest::of(text.as_bytes())))
    }

    /// `Image.toml` and the lock in a directory of the working tree. The lock may be of an earlier `Image.toml`.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn spec_and_lock(directory: &Path) -> Result<(Spec, Lock), Error> {
        let (spec, _) = read_spec(Path::new(""), directory)?;
        let path = directory.join(lock::FILE);
        Ok((spec, parse_lock(&path, &read(Path::new(""), &path)?)?))
    }

    /// The lock that is now in a directory of the working tree, if it can be read: it is about to be replaced.
    pub(super) fn earlier_lock(directory: &Path) -> Option<Lock> {
        let text = read(Path::new(""), &directory.join(lock::FILE)).ok()?;
        Lock::parse(&text).ok()
    }
}

fn parse_lock(path: &Path, text: &str) -> Result<Lock, Hinted> {
    Lock::parse(text).map_err(|error| match error {
        LockError::Parse(error) => unparsed(path, &error).hinting(lock::AGAIN),
        LockError::Hinted(error) => error,
    })
}

/// Checks that a lock was made for the file with the digest `found`; `None` if there is no such file.
fn check_digest(file: &str, expected: Option<Digest>, found: Option<Digest>) -> Result<(), Hinted> {
    if expected == found {
        return Ok(());
    }
    let shown =
        |digest: Option<Digest>| digest.map_or("none".to_owned(), |digest| digest.to_string());
    let (expected, found) = (shown(expected), shown(found));
    Err(Hinted::new(format_args!(
        "checking Image.lock: it is out of date for {file}: expected {expected}, found {found}"
    ))
    .hinting(lock::AGAIN))
}

fn read_spec(base: &Path, directory: &Path) -> Result<(Spec, Digest), Error> {
    let path = directory.join(spec::FILE);
    let text = read(base, &path)?;
    let spec =
        Spec::parse(&text).map_err(|error| unparsed(&path, &error).hinting(spec::EXAMPLE))?;
    Ok((spec, Digest::of(text.as_bytes())))
}

/// The files of requirements in a directory below `base`.
fn read_wheels(spec: &Spec, base: &Path, directory: &Path) -> Result<Vec<WantedWheels>, Error> {
    let wheels = spec.wheels.iter().map(|one| {
        let text = read(base, &directory.join(&one.requirements))?;
        Ok(WantedWheels::parse(one, &text)?)
    });
    wheels.collect()
}

fn unparsed(path: &Path, error: &toml::de::Error) -> Hinted {
    let (path, said) = (path.display(), untrusted::toml(error));
    Hinted::new(format_args!("parsing {path}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::tests::lock;

    #[test]
    fn an_earlier_lock_is_one_of_this_version() {
        let directory = tempfile::tempdir().unwrap();
        let earlier = || Wanted::earlier_lock(directory.path());
        let write = |lock: &Lock| {
            std::fs::write(directory.path().join(lock::FILE), lock.to_text().unwrap()).unwrap();
        };
        assert_eq!(earlier(), None);
        write(&lock());
        assert_eq!(earlier(), Some(lock()));
        let older = Lock {
            version: 1,
            ..lock()
        };
        write(&older);
        assert_eq!(earlier(), None);
    }
}
