//! References to images: a repository with a tag or digest.

use std::fmt;
use std::str::FromStr;

use content::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

mod repository;

pub use repository::Repository;

use crate::Error;

/// The longest tag, in characters (OCI distribution specification, pulling manifests).
const TAG_LIMIT: usize = 128;
/// Why a reference is invalid. Tags and paths follow the distribution specification's grammar.
type Fault = &'static str;
const NO_DIGEST: Fault = "expected REPOSITORY@sha256:<digest>";
const NO_TARGET: Fault = "expected REPOSITORY:TAG or REPOSITORY@sha256:<digest>";
const TAG_AND_DIGEST: Fault = "expected a tag or a digest, not both";
const TAG: Fault = "tag must be at most 128 letters, digits, `_`, `.` and `-`";
const DIGEST: Fault = "digest must be sha256:<64 lower-case hex digits>";

/// A tag: a name that can be moved to another manifest at any time.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(String);

impl Tag {
    /// The tag `sha256-<hex><suffix>`, under which cosign keeps signatures (`.sig`) and attestations (`.att`) of
    /// the image with this digest, and clients keep its referrers (empty suffix).
    ///
    /// # Errors
    /// `suffix` contains a character that is not allowed in a tag.
    pub fn of_digest(digest: &Digest, suffix: &str) -> Result<Self, Error> {
        format!("sha256-{}{suffix}", digest.hex()).parse()
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_tag(text).map_err(|fault| Error::reference(text, fault))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image by its digest, `REPOSITORY@sha256:…`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ImageRef {
    /// The repository of the image.
    pub repository: Repository,
    /// The digest of the image's manifest.
    pub digest: Digest,
}

impl FromStr for ImageRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let (repository, digest) = text.split_once('@').ok_or(NO_DIGEST)?;
            Ok(Self {
                repository: Repository::read(repository)?,
                digest: digest.parse().map_err(|_| DIGEST)?,
            })
        };
        parse().map_err(|fault| Error::reference(text, fault))
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

/// The name of a manifest in a repository.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// A tag.
    Tag(Tag),
    /// The manifest's digest.
    Digest(Digest),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// A repository with a tag or a digest.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag or the digest.
    pub target: Target,
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_reference(text).map_err(|fault| Error::reference(text, fault))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.target {
            Target::Tag(_) => ':',
            Target::Digest(_) => '@',
        };
        write!(f, "{}{separator}{}", self.repository, self.target)
    }
}

impl From<ImageRef> for Reference {
    fn from(image: ImageRef) -> Self {
        Self {
            repository: image.repository,
            target: Target::Digest(image.digest),
        }
    }
}

macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(Repository, Tag, ImageRef, Reference);

fn parse_reference(text: &str) -> Result<Reference, Fault> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let (repository, tag) = split_tag(name);
    let target = match (tag, digest) {
        (Some(_), Some(_)) => return Err(TAG_AND_DIGEST),
        (None, None) => return Err(NO_TARGET),
        (Some(tag), None) => Target::Tag(parse_tag(tag)?),
        (None, Some(digest)) => Target::Digest(digest.parse().map_err(|_| DIGEST)?),
    };
    Ok(Reference {
        repository: Repository::read(repository)?,
        target,
    })
}

/// Splits off the tag. A colon before the last slash belongs to the registry's port.
fn split_tag(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

fn parse_tag(text: &str) -> Result<Tag, Fault> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let allowed = |c: char| is_word(c) || c == '.' || c == '-';
    if text.len() > TAG_LIMIT || !text.starts_with(is_word) || !text.chars().all(allowed) {
        return Err(TAG);
    }
    Ok(Tag(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::repository::{LENGTH, PATH, REGISTRY};
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_tags_and_digests() {
        let reference: Reference = "127.0.0.1:5000/builder/workload:v1.0".parse().unwrap();
        assert_eq!(reference.repository.registry(), "127.0.0.1:5000");
        assert_eq!(reference.repository.path(), "builder/workload");
        assert_eq!(reference.target, Target::Tag("v1.0".parse().unwrap()));
        for text in [
            "localhost/a:b",
            "registry.example/a-b/c__d.e_f--g:X_1.-",
            "[::1]:5000/a:latest",
            &format!("registry.example/p/q@sha256:{HEX}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_invalid_references() {
        for (text, expected) in [
            ("ubuntu:latest", REGISTRY),
            ("library/ubuntu:latest", REGISTRY),
            ("r.example/a", NO_TARGET),
            ("r.example/A:b", PATH),
            ("r.example//a:b", PATH),
            ("r.example/a/../b:c", PATH),
            ("r.example/a___b:c", PATH),
            ("r.example/:c", PATH),
            ("r.example:0/a:c", REGISTRY),
            ("r.example:+1/a:c", REGISTRY),
            ("-r.example/a:c", REGISTRY),
            ("r.example@evil/a:c", DIGEST),
            ("r.example/a:.c", TAG),
            ("r.example/a:", TAG),
            (&format!("r.example/a:b@sha256:{HEX}"), TAG_AND_DIGEST),
            (&format!("r.example/a@sha256:{}", &HEX[1..]), DIGEST),
            (&format!("r.example/{}:c", "a".repeat(260)), LENGTH),
            (&format!("r.example/a:{}", "a".repeat(129)), TAG),
        ] {
            match text.parse::<Reference>() {
                Err(Error::Invalid { fault, .. }) => assert_eq!(fault, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_image_is_named_by_digest_only() {
        let text = format!("r.example/a@sha256:{HEX}");
        assert_eq!(text.parse::<ImageRef>().unwrap().to_string(), text);
        for (text, expected) in [
            ("r.example/a:b", NO_DIGEST),
            (&format!("r.example/a:b@sha256:{HEX}"), PATH),
            ("r.example/a@sha256:0", DIGEST),
        ] {
            match text.parse::<ImageRef>() {
                Err(Error::Invalid { fault, .. }) => assert_eq!(fault, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn legacy_tags_spell_the_digest() {
        let tag = Tag::of_digest(&Digest::of(b""), ".sig").unwrap();
        assert_eq!(tag.as_str(), format!("sha256-{HEX}.sig"));
        let error = Tag::of_digest(&Digest::of(b""), "/x").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("parsing reference \"sha256-{HEX}/x\": {TAG}")
        );
    }
}
