//! The files that name the inputs of a build: `Image.toml`, and those of the build's kind.

mod named;

use std::io;
use std::path::Path;

use attest::ImageName;
use console::hint::Hinted;
use content::Digest;

use super::faults;
use super::git::{self, Lists, Source};
use super::text::read;
use super::wheels::{self, WantedWheels};
use crate::at::At;
use crate::error::Error;
use crate::lock::{self, Lock, LockError};
use crate::spec::{self, BuildSpec, ImageSpec, Spec, WheelsSpec};
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
    /// The Python packages that each image contains.
    pub wheels: Vec<Vec<WantedWheels>>,
    /// The version of Rust that the package needs, if a lock is resolved and the package says so.
    pub rust_version: Option<String>,
}

/// An image that is wanted.
#[derive(Clone, Debug)]
pub struct Image {
    /// What it is.
    pub spec: ImageSpec,
    /// The lock, as it would be if the image were the only one of the file.
    pub lock: Lock,
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
                faults::check(&located, files, cargo, &spec, directory)?.rust_version
            }
            _ => {
                faults::check_files(&spec, directory)?;
                None
            }
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
        self.images(&lock)?;
        self.check_wheels(&lock)?;
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

    /// The images, each with its lock.
    ///
    /// # Errors
    /// The lock has other images.
    pub(super) fn images(&self, lock: &Lock) -> Result<Vec<Image>, Hinted> {
        let locked = lock.images.iter().map(|image| Some(&image.name));
        let named = self.spec.images.iter().map(|image| image.name.as_ref());
        if !named.filter(Option::is_some).eq(locked) {
            let others = "checking Image.lock: its images are not those of Image.toml";
            return Err(Hinted::new(others).hinting(lock::AGAIN));
        }
        let images = self.spec.images.iter().cloned().zip(lock.of_each());
        let images = images.map(|(spec, lock)| Image { spec, lock });
        Ok(images.collect())
    }

    /// The image with this name, or all images, each with its lock.
    ///
    /// # Errors
    /// There is no image with this name.
    pub(super) fn chosen(
        &self,
        name: Option<&ImageName>,
        lock: &Lock,
    ) -> Result<Vec<Image>, Hinted> {
        let mut images = self.images(lock)?;
        if let Some(name) = name {
            images.retain(|image| image.spec.name.as_ref() == Some(name));
        }
        match (images.is_empty(), name) {
            (true, Some(name)) => Err(self.without(name)),
            _ => Ok(images),
        }
    }

    fn without(&self, name: &ImageName) -> Hinted {
        let images = self.spec.images.iter();
        let known = images.filter_map(|image| image.name.as_ref());
        let known: Vec<_> = known.map(ImageName::as_str).collect();
        match known.is_empty() {
            true => Hinted::new(format_args!(
                "choosing image {name}: Image.toml describes one image, which has no name"
            ))
            .hinting("name no image; or write [[image]] with a name in Image.toml"),
            false => Hinted::new(format_args!(
                "choosing image {name}: Image.toml has no image of this name: it has {}",
                known.join(", ")
            ))
            .hinting("name one of these"),
        }
    }

    /// Checks that each image has its wheels, and those that a command uses are the same in all images: it runs once.
    ///
    /// # Errors
    /// It has others, or they differ.
    pub(super) fn check_wheels(&self, lock: &Lock) -> Result<(), Hinted> {
        let locks = lock.of_each();
        for (wheels, lock) in self.wheels.iter().zip(&locks) {
            wheels::check(wheels, lock, &self.spec.root.architecture)?;
        }
        let is_run =
            matches!(&self.spec.build, BuildSpec::Command(spec) if !spec.command.is_empty());
        let shared = self.spec.wheels.iter().filter(|_| is_run);
        for one in shared {
            let of = |lock: &Lock| {
                let wheels = lock.wheels.iter().filter(|wheel| wheel.path == one.path);
                wheels.cloned().collect::<Vec<_>>()
            };
            if locks.windows(2).any(|pair| of(&pair[0]) != of(&pair[1])) {
                return Err(Hinted::new(format_args!(
                    "checking Image.lock: the images have different wheels in {}, and the command of [build] sees one of them",
                    one.path.display()
                ))
                .hinting("use the same Python in all images, or write these [[wheels]] as [[image.wheels]]"));
            }
        }
        Ok(())
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

/// What the files of requirements in a directory below `base` name, for each image.
fn read_wheels(
    spec: &Spec,
    base: &Path,
    directory: &Path,
) -> Result<Vec<Vec<WantedWheels>>, Error> {
    let read_one = |one: &WheelsSpec| -> Result<_, Error> {
        let text = read(base, &directory.join(&one.requirements))?;
        Ok(WantedWheels::parse(one, &text)?)
    };
    let images = spec.images.iter();
    let images = images.map(|image| image.parts.wheels.iter().map(read_one).collect());
    images.collect()
}

fn unparsed(path: &Path, error: &toml::de::Error) -> Hinted {
    let (path, said) = (path.display(), untrusted::toml(error));
    Hinted::new(format_args!("parsing {path}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::image::LockedImage;
    use crate::lock::tests::lock;
    use crate::lock::wheels::Wheel;

    /// An `Image.toml` with a command and two images, which have these wheels of one requirement.
    fn checked(digests: [Digest; 2], command: &str) -> Result<(), String> {
        let image = |name: &str| format!("[[image]]\nname = '{name}'\nentrypoint = []\n");
        let text = format!(
            "[build]\nkind = 'command'\n{command}\n[[wheels]]\nrequirements = 'r'\npath = '/app'\npython = '3.12'\n\
             glibc = '2.36'\n{}{}",
            image("a"),
            image("b")
        );
        let spec = Spec::parse(&text).unwrap();
        let hex = digests.map(|digest| format!(" --hash=sha256:{}", digest.hex()));
        let required = format!("a==1{}\n", hex.concat());
        let wheels = WantedWheels::parse(&spec.wheels[0], &required).unwrap();
        let wanted = Wanted {
            spec,
            spec_digest: digests[0],
            named: Named::Command,
            wheels: vec![vec![wheels.clone()], vec![wheels]],
            rust_version: None,
        };
        let images = ["a", "b"].into_iter().zip(digests);
        let images = images.map(|(name, sha256)| LockedImage {
            name: name.parse().unwrap(),
            base: None,
            runtime: Vec::new(),
            wheels: vec![Wheel {
                path: "/app".into(),
                name: "a".parse().unwrap(),
                version: "1".parse().unwrap(),
                file: "a-1-py3-none-any.whl".parse().unwrap(),
                sha256,
                size: 1,
            }],
        });
        let lock = Lock {
            images: images.collect(),
            ..lock()
        };
        assert_eq!(wanted.images(&lock).unwrap().len(), 2);
        assert!(wanted.images(&self::lock()).is_err());
        wanted
            .check_wheels(&lock)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_sees_the_wheels_that_all_images_have() {
        let (one, other) = (Digest::of(b"x"), Digest::of(b"y"));
        let command = "command = ['make']\noutputs = { a = 'a' }";
        assert_eq!(checked([one, one], command), Ok(()));
        assert_eq!(checked([one, other], ""), Ok(()));
        assert_eq!(
            checked([one, other], command).unwrap_err(),
            "checking Image.lock: the images have different wheels in /app, and the command of [build] sees one of them"
        );
    }

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
