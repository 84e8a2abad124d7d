//! `Image.lock`: the inputs that an `Image.toml` was resolved to, each with path, size and digest. These types read no
//! files and start no processes.
//!
//! The lock is committed next to `Image.toml`. It cannot name the commit that contains it, so the source is named in
//! provenance.

pub mod archives;
pub mod base;
pub mod crates;
pub mod image;
pub mod index;
pub mod modules;
pub mod packages;
pub mod repository;
pub mod signature;
mod size;
pub mod time;
pub mod wheels;

use attest::ImageName;
use console::hint::Hinted;
use content::Digest;
use serde::{Deserialize, Serialize};

use crate::untrusted;
use archives::Archive;
use base::LockedBase;
use crates::Crate;
use image::{Contained, LockedImage};
use index::Indexes;
use modules::Module;
use packages::Package;
use repository::Repository;
use wheels::Wheel;

/// The name of the file.
pub const FILE: &str = "Image.lock";
const HEAD: &str =
    "# Every input of the image, by digest. Written by `builder lock`; not to be edited.\n\n";

/// Version of the format. Version 1 did not name the package index.
const VERSION: u32 = 2;

/// All external inputs of a build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of this format: 2.
    pub version: u32,
    /// Digest of the `Image.toml` that this lock resolves.
    pub spec: Digest,
    /// Digest of the `Cargo.lock` that names the crates, if cargo builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cargo_lock: Option<Digest>,
    /// Digest of the `go.sum` that names the modules, if Go builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_sum: Option<Digest>,
    /// Digest of the unpacked build root.
    pub root: Digest,
    /// The signed package indexes that name the packages.
    #[serde(rename = "index", default, skip_serializing_if = "Indexes::is_empty")]
    pub indexes: Indexes,
    /// The base image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<LockedBase>,
    /// The packages that make the build root, by name.
    #[serde(rename = "package", default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// The packages that the image contains, by name.
    #[serde(rename = "runtime", default, skip_serializing_if = "Vec::is_empty")]
    pub runtime: Vec<Package>,
    /// The archives, in the order of `Image.toml`.
    #[serde(rename = "archive", default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Archive>,
    /// The crates, by name and version, if cargo builds.
    #[serde(rename = "crate", default, skip_serializing_if = "Option::is_none")]
    pub crates: Option<Vec<Crate>>,
    /// The git repositories with crates, by URL and commit.
    #[serde(rename = "git", default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// The modules, by name and version, and the toolchain, if Go builds.
    #[serde(rename = "module", default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// The Python packages that the image contains, by directory and name.
    #[serde(rename = "wheel", default, skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<Wheel>,
    /// The images with names, in the order of `Image.toml`. Then base, runtime and wheels are theirs, and not of the lock itself.
    #[serde(rename = "image", default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<LockedImage>,
}

/// A lock that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The text is not a lock.
    #[error("parsing Image.lock: {}", untrusted::toml(.0))]
    Parse(#[from] toml::de::Error),
    /// It is of another version.
    #[error(transparent)]
    Hinted(#[from] Hinted),
}

/// The hint for a lock that cannot be used.
pub(crate) const AGAIN: &str = "run `builder lock` in that directory again, and commit Image.lock";

/// The field that every version of a lock has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Lock {
    /// A lock in the current version of the format.
    pub(crate) const VERSION: u32 = VERSION;

    /// Parses `Image.lock`.
    ///
    /// # Errors
    /// The text is not a lock, or one of another version.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        // Another version may have other fields.
        let Versioned { version } = content::toml::parse(text)?;
        match version {
            VERSION => content::toml::parse::<Self>(text)?.checked(),
            found => Err(Hinted::new(format_args!(
                "reading Image.lock: expected version 2, found {found}"
            ))
            .hinting(AGAIN)
            .into()),
        }
    }

    fn checked(self) -> Result<Self, LockError> {
        let has_own = self.base.is_some() || !self.runtime.is_empty() || !self.wheels.is_empty();
        match has_own && !self.images.is_empty() {
            true => Err(Hinted::new(
                "reading Image.lock: it has both [[image]] and inputs of an image without a name",
            )
            .hinting(AGAIN)
            .into()),
            false => Ok(self),
        }
    }

    /// The lock of each image, as it would be if the image were the only one of the file.
    pub fn of_each(&self) -> Vec<Self> {
        if self.images.is_empty() {
            return vec![self.clone()];
        }
        let images = self.images.iter().cloned();
        let alone = images.map(|image| Self {
            base: image.base,
            runtime: image.runtime,
            wheels: image.wheels,
            images: Vec::new(),
            ..self.clone()
        });
        alone.collect()
    }

    /// This lock with what each image contains.
    pub(crate) fn with(mut self, images: Vec<(Option<ImageName>, Contained)>) -> Self {
        for (name, contained) in images {
            let Contained {
                base,
                runtime,
                wheels,
            } = contained;
            match name {
                Some(name) => self.images.push(LockedImage {
                    name,
                    base,
                    runtime,
                    wheels,
                }),
                None => (self.base, self.runtime, self.wheels) = (base, runtime, wheels),
            }
        }
        self
    }

    /// The packages that the images contain; one of several images is named several times.
    pub fn contained(&self) -> impl Iterator<Item = &Package> {
        let of_images = self.images.iter().flat_map(|image| &image.runtime);
        self.runtime.iter().chain(of_images)
    }

    /// The crates; none unless cargo builds.
    pub fn crates(&self) -> &[Crate] {
        self.crates.as_deref().unwrap_or_default()
    }

    /// The lock as text. The same inputs always give the same text.
    ///
    /// # Errors
    /// Does not happen: a lock contains text and numbers only.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEAD}{}", toml::to_string(self)?))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::index::{IndexFile, SignedIndex};
    use super::signature::Signature;
    use super::*;

    #[test]
    fn sizes_have_limits() {
        let package = |size: u64| {
            let sha256 = Digest::of(b"");
            let text = format!(
                "name = 'p'\nversion = '1'\npath = 'p'\nsha256 = '{sha256}'\nsize = {size}\n"
            );
            content::toml::parse::<Package>(&text).map_err(|error| error.to_string())
        };
        assert_eq!(package(1 << 30).unwrap().size, 1 << 30);
        let error = package((1 << 30) + 1).unwrap_err();
        assert!(error.contains("more than 1073741824 bytes"), "{error}");
    }

    #[test]
    fn an_array_is_not_a_table() {
        let text = lock().to_text().unwrap();
        let (before, after) = text.split_once("[[package]]\n").unwrap();
        let array = package_as_array();
        let text = format!("package = [{array}]\n{before}");
        assert!(after.starts_with("name = "), "{after}");
        let error = Lock::parse(&text).unwrap_err().to_string();
        assert!(error.contains("invalid type: sequence"), "{error}");
    }

    /// The members of a package, in the order of its fields.
    fn package_as_array() -> String {
        format!("[\"p\", \"1\", \"p\", \"{}\", 1]", Digest::of(b"x"))
    }

    #[test]
    fn another_version_is_named() {
        let lock = lock();
        assert_eq!(Lock::parse(&lock.to_text().unwrap()).unwrap(), lock);
        let refusal = |text: &str| Lock::parse(text).unwrap_err().to_string();
        assert_eq!(
            refusal("version = 1\nother = true\n"),
            "reading Image.lock: expected version 2, found 1"
        );
        let nonsense = refusal("nonsense");
        assert!(nonsense.starts_with("parsing Image.lock: "), "{nonsense}");
    }

    /// A lock with one package.
    pub(crate) fn lock() -> Lock {
        let digest = Digest::of(b"x");
        let package = Package {
            name: "p".into(),
            suite: None,
            source: None,
            version: "1".into(),
            path: "p".parse().unwrap(),
            sha256: digest,
            size: 1,
        };
        Lock {
            version: VERSION,
            spec: digest,
            cargo_lock: Some(digest),
            go_sum: None,
            root: digest,
            indexes: Indexes(vec![index("2026-07-11T10:17:11Z")]),
            base: None,
            packages: vec![package],
            runtime: Vec::new(),
            archives: Vec::new(),
            crates: Some(Vec::new()),
            repositories: Vec::new(),
            modules: Vec::new(),
            wheels: Vec::new(),
            images: Vec::new(),
        }
    }

    /// An index that was locked at `date`.
    pub(crate) fn index(date: &str) -> SignedIndex {
        let signature = Signature {
            key: "A".repeat(40).parse().unwrap(),
            time: "2026-07-11T10:17:11Z".parse().unwrap(),
        };
        SignedIndex {
            suite: None,
            date: date.parse().unwrap(),
            release: IndexFile::of(b"release"),
            packages: IndexFile::of(b"packages"),
            keyring: IndexFile::of(b"keyring"),
            signatures: vec![signature],
        }
    }

    #[test]
    fn each_image_has_a_lock_as_if_alone() {
        let single = lock();
        assert_eq!(single.of_each(), std::slice::from_ref(&single));
        assert!(!single.to_text().unwrap().contains("[[image]]"));
        let of = |name: &str, runtime: &[Package]| LockedImage {
            name: name.parse().unwrap(),
            base: None,
            runtime: runtime.to_vec(),
            wheels: Vec::new(),
        };
        let several = Lock {
            images: vec![of("a", &single.packages), of("b", &[])],
            ..single.clone()
        };
        let text = several.to_text().unwrap();
        assert!(text.ends_with("[[image]]\nname = \"b\"\n"), "{text}");
        assert_eq!(Lock::parse(&text).unwrap(), several);
        let alone = Lock {
            runtime: single.packages.clone(),
            ..single.clone()
        };
        assert_eq!(several.of_each(), [alone.clone(), single]);
        assert_eq!(several.contained().count(), 1);
        let both = Lock {
            images: several.images,
            ..alone
        };
        let refused = Lock::parse(&both.to_text().unwrap()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "reading Image.lock: it has both [[image]] and inputs of an image without a name"
        );
    }

    #[test]
    fn the_same_index_keeps_its_date() {
        let at = |date: &str| Indexes(vec![index(date)]);
        let (first, later) = (at("2026-07-12T00:00:00Z"), at("2026-08-01T00:00:00Z"));
        assert_eq!(later.clone().dated_as(Some(&first)), first);
        assert_eq!(later.clone().dated_as(None), later);
        let mut other = first.clone();
        other.0[0].signatures.clear();
        assert_eq!(later.clone().dated_as(Some(&other)), later);
    }

    #[test]
    fn one_index_is_a_table_and_several_name_their_suites() {
        let one = lock();
        let text = one.to_text().unwrap();
        assert!(text.contains("\n[index]\ndate = "), "{text}");
        assert!(!text.contains("suite"), "{text}");
        let of = |suite: &str| SignedIndex {
            suite: Some(suite.to_owned()),
            ..index("2026-07-11T10:17:11Z")
        };
        let mut several = lock();
        several.indexes = Indexes(vec![of("a"), of("b")]);
        several.packages[0].suite = Some("b".to_owned());
        let text = several.to_text().unwrap();
        assert!(
            text.contains("\n[[index]]\nsuite = \"a\"\ndate = "),
            "{text}"
        );
        assert_eq!(Lock::parse(&text).unwrap(), several);
        let none = Lock {
            indexes: Indexes::default(),
            packages: Vec::new(),
            ..lock()
        };
        assert_eq!(Lock::parse(&none.to_text().unwrap()).unwrap(), none);
        let file = "{ sha256 = 'x', size = 1 }";
        let array = format!("index = [['2026-07-11T10:17:11Z', {file}]]");
        let before = text.split_once("\n[[index]]").unwrap().0;
        let error = Lock::parse(&format!("{before}\n{array}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("invalid type: sequence"), "{error}");
    }
}
