//! The files that name the inputs of a build: `Image.toml` and `Cargo.lock`.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use console::hint::Hinted;
use content::{Digest, limits};

use super::cargo::CargoLock;
use super::faults;
use super::git::{self, Configuration, Source};
use crate::at::At;
use crate::error::Error;
use crate::lock::crates::Crate;
use crate::lock::{self, Lock, LockError};
use crate::spec::{self, BuildSpec, Spec};
use crate::untrusted;

/// `Image.toml` and `Cargo.lock`, parsed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `Image.toml`.
    pub spec: Spec,
    /// Digest of `Image.toml`.
    pub spec_digest: Digest,
    /// `Cargo.lock`.
    pub crates: CargoLock,
    /// Digest of `Cargo.lock`.
    pub crates_digest: Digest,
    /// The configuration of cargo and rustup in the source.
    pub configuration: Vec<Configuration>,
    /// The version of Rust that the package needs, if a lock is resolved and the package says so.
    pub rust_version: Option<String>,
}

impl Wanted {
    /// Reads the files in a directory of the working tree.
    ///
    /// # Errors
    /// A file is missing or invalid, or names a crate that is not from the public registry.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let (spec, _) = read_spec(Path::new(""), directory)?;
        let located = git::located(directory)?;
        let chosen = faults::check(&located, &spec)?;
        let wanted = Self::read_below(Path::new(""), directory, &located.cargo_lock)?;
        let rust_version = chosen.rust_version;
        Ok(Self {
            rust_version,
            ..wanted.obeying(&located.configuration)?
        })
    }

    /// Reads the files of a staged source.
    ///
    /// # Errors
    /// As [`Wanted::read`].
    pub fn staged(source: &Source) -> Result<Self, Error> {
        let wanted = Self::read_below(&source.staged, &source.directory, &source.cargo_lock)?;
        wanted.obeying(&source.configuration)
    }

    /// Checks that configuration of cargo in the source would have no effect, or is to be ignored.
    fn obeying(self, found: &[Configuration]) -> Result<Self, Error> {
        let BuildSpec::Cargo(cargo) = &self.spec.build;
        git::check(found, cargo)?;
        let configuration = found.to_vec();
        Ok(Self {
            configuration,
            ..self
        })
    }

    fn read_below(base: &Path, directory: &Path, cargo_lock: &Path) -> Result<Self, Error> {
        let (spec, text) = read_spec(base, directory)?;
        let cargo_lock = read(base, cargo_lock)?;
        Ok(Self {
            spec,
            spec_digest: Digest::of(text.as_bytes()),
            crates: CargoLock::parse(&cargo_lock)?,
            crates_digest: Digest::of(cargo_lock.as_bytes()),
            configuration: Vec::new(),
            rust_version: None,
        })
    }

    /// Reads the lock of a staged source, which must be the lock of these files. Also returns its digest.
    ///
    /// # Errors
    /// There is no lock, it is invalid, or it is the lock of other files.
    pub fn lock(&self, source: &Source) -> Result<(Lock, Digest), Error> {
        let path = source.directory.join(lock::FILE);
        let text = read(&source.staged, &path).map_err(|error| match error {
            Error::At(At { path, source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let path = path.display();
                Hinted::new(format_args!("reading {path}: Image.lock does not exist"))
                    .hinting("run `builder lock` in that directory, and commit Image.lock")
                    .into()
            }
            other => other,
        })?;
        let lock = Lock::parse(&text).map_err(|error| match error {
            LockError::Parse(error) => unparsed(&path, &error).hinting(lock::AGAIN),
            LockError::Hinted(error) => error,
        })?;
        self.check(&lock)?;
        Ok((lock, Digest::of(text.as_bytes())))
    }

    /// The lock that is now in a directory of the working tree, if it can be read: it is about to be replaced.
    pub(super) fn earlier_lock(directory: &Path) -> Option<Lock> {
        let text = read(Path::new(""), &directory.join(lock::FILE)).ok()?;
        Lock::parse(&text).ok()
    }

    fn check(&self, lock: &Lock) -> Result<(), Hinted> {
        let files = [
            (spec::FILE, lock.spec, self.spec_digest),
            ("Cargo.lock", lock.cargo_lock, self.crates_digest),
        ];
        for (file, expected, found) in files {
            if expected != found {
                return Err(Hinted::new(format_args!(
                    "checking Image.lock: it is out of date for {file}: expected {expected}, found {found}"
                ))
                .hinting(lock::AGAIN));
            }
        }
        // The compiler uses the crates that Cargo.lock names, and provenance names those of the lock.
        let locked: BTreeSet<_> = lock.crates.iter().map(Crate::named).collect();
        let wanted: BTreeSet<_> = self.crates.crates.iter().cloned().collect();
        match locked.symmetric_difference(&wanted).next() {
            None => Ok(()),
            Some(first) => Err(Hinted::new(format_args!(
                "checking Image.lock: its crates differ from those of Cargo.lock: {first}"
            ))
            .hinting(lock::AGAIN)),
        }
    }
}

fn unparsed(path: &Path, error: &toml::de::Error) -> Hinted {
    let (path, said) = (path.display(), untrusted::toml(error));
    Hinted::new(format_args!("parsing {path}: {said}"))
}

/// `Image.toml` in `directory` below `base`, and its text.
fn read_spec(base: &Path, directory: &Path) -> Result<(Spec, String), Error> {
    let path = directory.join(spec::FILE);
    let text = read(base, &path)?;
    let spec = Spec::parse(&text).map_err(|error| {
        unparsed(&path, &error).hinting("docs/image-toml.md describes all entries, by example")
    })?;
    Ok((spec, text))
}

/// Reads the text at `path` below `base`; an error names it without `base`.
pub(super) fn read(base: &Path, path: &Path) -> Result<String, Error> {
    let bytes = crate::at::read(&base.join(path), limits::DOCUMENT);
    let named = |source| At::reading(path)(source);
    let bytes = bytes.map_err(|error| named(error.source))?;
    Ok(String::from_utf8(bytes).map_err(|error| named(io::Error::other(error)))?)
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
