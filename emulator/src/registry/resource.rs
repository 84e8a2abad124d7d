//! The resources of a registry, by path.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use oci::{Repository, Tag};

use super::RegistryError;
use super::digest::ContentDigest;

/// The parameters of a request.
pub type Query = BTreeMap<String, String>;

/// The name of a repository within the registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Name(String);

impl Name {
    /// Parses a name: components of lower-case letters and digits, separated by slashes. No component
    /// begins with `_`, so that a name never collides with the folders of a store.
    ///
    /// # Errors
    /// The name is invalid.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        // The grammar is that of an image reference, which needs a registry in front.
        let repository = format!("localhost/{text}").parse::<Repository>();
        let repository = repository.map_err(|_| {
            let message = "parsing name: invalid repository name";
            RegistryError::new(StatusCode::BAD_REQUEST, "NAME_INVALID", message)
        })?;
        Ok(Self(repository.path().to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a request names a manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// By tag.
    Tag(Tag),
    /// By digest.
    Digest(ContentDigest),
}

/// The resource that a path below `/v2/` names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// The tags of a repository.
    Tags(Name),
    /// The manifests that refer to a subject.
    Referrers(Name, ContentDigest),
    /// A manifest.
    Manifest(Name, Target),
    /// The uploads of a repository, where new ones begin.
    Uploads(Name),
    /// One upload.
    Upload(Name, UploadId),
    /// A blob.
    Blob(Name, ContentDigest),
}

impl Resource {
    /// Parses a path without its `/v2/`.
    ///
    /// # Errors
    /// The path names no resource of the specification, or has an invalid name, tag or digest.
    pub fn parse(path: &str) -> Result<Self, RegistryError> {
        let parts: Vec<&str> = path.split('/').collect();
        let name = |parts: &[&str]| Name::parse(&parts.join("/"));
        match parts.as_slice() {
            [n @ .., "tags", "list"] => Ok(Self::Tags(name(n)?)),
            [n @ .., "referrers", digest] => Ok(Self::Referrers(name(n)?, digest.parse()?)),
            [n @ .., "manifests", target] => Ok(Self::Manifest(name(n)?, parse_target(target)?)),
            [n @ .., "blobs", "uploads"] | [n @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(name(n)?))
            }
            [n @ .., "blobs", "uploads", id] => Ok(Self::Upload(name(n)?, UploadId::parse(id)?)),
            [n @ .., "blobs", digest] => Ok(Self::Blob(name(n)?, digest.parse()?)),
            _ => {
                let message = "answering request: no such resource";
                Err(RegistryError::new(
                    StatusCode::NOT_FOUND,
                    "UNSUPPORTED",
                    message,
                ))
            }
        }
    }
}

fn parse_target(text: &str) -> Result<Target, RegistryError> {
    if text.contains(':') {
        return Ok(Target::Digest(text.parse()?));
    }
    let tag = text
        .parse()
        .map_err(|_| RegistryError::manifest("parsing tag: invalid tag"))?;
    Ok(Target::Tag(tag))
}

/// The ID of an upload, which is also the name of its file: 32 hex digits.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct UploadId(String);

impl UploadId {
    /// An identifier made of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, RegistryError> {
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if text.len() != 32 || !is_hex {
            return Err(RegistryError::upload_unknown());
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_resource() {
        let name = |text| Name::parse(text).unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        let parsed = digest.parse::<ContentDigest>().unwrap();
        for (path, resource) in [
            ("a/tags/list".to_owned(), Resource::Tags(name("a"))),
            (
                "a/b/blobs/uploads/".to_owned(),
                Resource::Uploads(name("a/b")),
            ),
            (
                format!("a/blobs/{digest}"),
                Resource::Blob(name("a"), parsed.clone()),
            ),
            (
                // A repository may have the name of a resource.
                format!("blobs/uploads/manifests/{digest}"),
                Resource::Manifest(name("blobs/uploads"), Target::Digest(parsed.clone())),
            ),
            (
                format!("a/referrers/{digest}"),
                Resource::Referrers(name("a"), parsed),
            ),
        ] {
            assert_eq!(Resource::parse(&path).unwrap(), resource, "{path}");
        }
    }

    #[test]
    fn refuses_paths_outside_of_the_store() {
        let (name, tag) = ("parsing name: ", "parsing tag: ");
        let (digest, none) = ("parsing digest: ", "answering request: no such resource");
        for (path, reason) in [
            ("../tags/list", name),
            ("a/../../tags/list", name),
            ("_tags/tags/list", name),
            ("/tags/list", name),
            ("a/manifests/..", tag),
            ("a/manifests/sha256:../../x", none),
            ("a/blobs/uploads/../x", none),
            ("a/blobs/uploads/..", "finding upload: "),
            ("a/blobs/..", digest),
            ("a/manifests/", tag),
            ("a", none),
            ("", none),
        ] {
            let error = Resource::parse(path).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{path}: {error}");
        }
    }
}
