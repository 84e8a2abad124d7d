//! Names in Cloud Storage ("About Cloud Storage buckets: bucket names", "About Cloud Storage objects: object names").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{is_lower_id, name};
use crate::project::positive;

/// The allowed length of the name of a bucket, in characters.
const BUCKET: std::ops::RangeInclusive<usize> = 3..=222;
/// The largest length of the name of an object, in bytes.
const OBJECT: usize = 1024;
/// The scheme of the names that `gcloud storage` uses.
const SCHEME: &str = "gs://";

/// An object of one generation, `gs://BUCKET/OBJECT#GENERATION`. Without a generation, whoever may write to the bucket chooses
/// what the object is.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Object {
    bucket: String,
    name: String,
    generation: u64,
}

name!(
    Object,
    "gs://BUCKET/OBJECT#GENERATION, with a number GENERATION"
);

impl Object {
    fn read(text: &str) -> Option<Self> {
        let (path, generation) = text.strip_prefix(SCHEME)?.rsplit_once('#')?;
        let (bucket, name) = path.split_once('/')?;
        let is_bucket = is_lower_id(bucket, "-_.") && BUCKET.contains(&bucket.len());
        (is_bucket && is_object(name)).then_some(Self {
            bucket: bucket.to_owned(),
            name: name.to_owned(),
            generation: positive(generation)?,
        })
    }

    /// The name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The name within the bucket; it may have slashes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The generation, which is positive.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The name within the bucket as one segment of the path of a URL (RFC 3986 section 2.1).
    pub fn segment(&self) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let escape = |byte: u8| match is_plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        self.name.bytes().map(escape).collect()
    }
}

fn is_object(name: &str) -> bool {
    let is_reserved = matches!(name, "." | "..") || name.starts_with(".well-known/acme-challenge/");
    !name.is_empty()
        && name.len() <= OBJECT
        && !name.contains(char::is_control)
        && !name.contains('#')
        && !is_reserved
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
