//! Names in Cloud Storage ("About Cloud Storage buckets: bucket names", "About Cloud Storage objects: object names").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{is_lower_id, name};
use crate::project::positive;

/// The allowed length of the name of a bucket, in characters; with dots in it, that of each part.
const BUCKET: std::ops::RangeInclusive<usize> = 3..=63;
/// The largest length of the name of a bucket with dots.
const DOTTED: usize = 222;
/// The largest length of the name of an object, in bytes.
const OBJECT: usize = 1024;
/// The scheme of the names that `gcloud storage` uses.
const SCHEME: &str = "gs://";

/// The name of a bucket, which is unique among the buckets of all projects.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bucket(String);

/// The name of an object within its bucket; it may have slashes.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectName(String);

/// An object of one generation, `gs://BUCKET/OBJECT#GENERATION`. Without a generation, anyone who may write to the bucket chooses
/// what the object is.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Object {
    bucket: Bucket,
    name: ObjectName,
    generation: u64,
}

name!(Bucket, "the name of a bucket");
name!(ObjectName, "the name of an object");
name!(
    Object,
    "gs://BUCKET/OBJECT#GENERATION, with a number GENERATION"
);

impl Bucket {
    fn read(text: &str) -> Option<Self> {
        let is_length = match text.contains('.') {
            true => text.len() <= DOTTED && text.split('.').all(|part| part.len() <= *BUCKET.end()),
            false => BUCKET.contains(&text.len()),
        };
        let is_name = is_lower_id(text, "-_.")
            && text.len() >= *BUCKET.start()
            && text.ends_with(|last: char| last.is_ascii_alphanumeric());
        (is_length && is_name).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectName {
    fn read(text: &str) -> Option<Self> {
        let is_reserved =
            matches!(text, "." | "..") || text.starts_with(".well-known/acme-challenge/");
        let is_name = !text.is_empty()
            && text.len() <= OBJECT
            && !text.contains(char::is_control)
            && !is_reserved;
        is_name.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one segment of the path of a URL (RFC 3986 section 2.1).
    pub fn segment(&self) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let escape = |byte: u8| match is_plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        self.0.bytes().map(escape).collect()
    }
}

impl Object {
    /// The object of this generation; `None` if the generation is 0, or the name contains `#`.
    pub fn new(bucket: Bucket, name: ObjectName, generation: u64) -> Option<Self> {
        (generation > 0 && !name.0.contains('#')).then_some(Self {
            bucket,
            name,
            generation,
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (path, generation) = text.strip_prefix(SCHEME)?.rsplit_once('#')?;
        let (bucket, name) = path.split_once('/')?;
        let (bucket, name) = (Bucket::read(bucket)?, ObjectName::read(name)?);
        Self::new(bucket, name, positive(generation)?)
    }

    /// The name of the bucket.
    pub fn bucket(&self) -> &str {
        self.bucket.as_str()
    }

    /// The name within the bucket; it may have slashes.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The generation, which is positive.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The name within the bucket as one segment of the path of a URL.
    pub fn segment(&self) -> String {
        self.name.segment()
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bucket,
            name,
            generation,
        } = self;
        write!(out, "{SCHEME}{bucket}/{name}#{generation}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        let object: Object = "gs://b-u_c.k/a b/c%2f?é#7".parse().unwrap();
        assert_eq!((object.bucket(), object.generation()), ("b-u_c.k", 7));
        assert_eq!(object.segment(), "a%20b%2Fc%252f%3F%C3%A9");
        assert_eq!(object.to_string(), "gs://b-u_c.k/a b/c%2f?é#7");
    }

    #[test]
    fn buckets_have_names_of_hosts() {
        for name in ["bank-data", "a_b", "data.bank.example", "1ab"] {
            assert_eq!(name.parse::<Bucket>().unwrap().to_string(), name);
        }
        let long = "a".repeat(64);
        for name in ["ab", "", "Bank", "a/b", "bank-", "-bank", "a?b", &long] {
            assert!(name.parse::<Bucket>().is_err(), "{name}");
        }
    }

    #[test]
    fn an_object_has_a_generation() {
        for text in [
            "gs://bucket/name",
            "gs://bucket/name#",
            "gs://bucket/name#latest",
            "gs://bucket/name#0",
            "gs://bucket/#1",
            "gs://bucket/..#1",
            "gs://bucket/a#b#1",
            "gs://bucket/a\n#1",
            "gs://Bucket/name#1",
            "gs://b/name#1",
            "gs://a/../name#1",
            "s3://bucket/name#1",
        ] {
            assert!(text.parse::<Object>().is_err(), "{text}");
        }
    }
}
