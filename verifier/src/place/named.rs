//! The names that users give to images: a reference into a registry, or a saved image.

use std::path::PathBuf;
use std::str::FromStr;

use content::{Digest, InvalidDigest};
use oci::Reference;

/// An image, as the user names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Named {
    /// In a registry.
    Registry(Reference),
    /// In a file or directory.
    Saved(Location),
}

/// A file or directory with images, and which of them is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Location {
    /// How the images are saved.
    pub form: Form,
    /// The file or directory.
    pub path: PathBuf,
    /// The image; `None` if there is only one.
    pub chosen: Option<Chosen>,
}

/// How images are saved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// A directory with an OCI layout, as `cosign save` also writes it.
    Layout,
    /// An archive of an OCI layout, plain or in gzip or zstd.
    LayoutArchive,
    /// An archive of `docker save`, plain or in gzip or zstd.
    DockerArchive,
}

/// One of several saved images.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Chosen {
    /// By the digest of its manifest.
    Digest(Digest),
    /// By its name or tag in the layout.
    Name(String),
}

/// The prefixes, as skopeo and podman have them (containers-transports(5)).
const FORMS: [(&str, Form); 3] = [
    ("oci:", Form::Layout),
    ("oci-archive:", Form::LayoutArchive),
    ("docker-archive:", Form::DockerArchive),
];

/// Text that names no image.
#[derive(Debug, thiserror::Error)]
pub enum InvalidName {
    /// The reference into a registry is invalid.
    #[error(transparent)]
    Reference(#[from] oci::Error),
    /// The digest of a saved image is invalid.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl FromStr for Named {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        for (prefix, form) in FORMS {
            if let Some(rest) = text.strip_prefix(prefix) {
                return Ok(Self::Saved(location(form, rest)?));
            }
        }
        Ok(Self::Registry(text.parse()?))
    }
}

/// Splits `PATH`, `PATH:NAME` or `PATH@DIGEST`. As in skopeo, the path ends at the first colon.
fn location(form: Form, text: &str) -> Result<Location, InvalidDigest> {
    let digest = text.rsplit_once('@');
    // The path and the name may have the sign too.
    let digest = digest.filter(|(_, digest)| digest.starts_with("sha256:"));
    let (path, chosen) = match (digest, text.split_once(':')) {
        (Some((path, digest)), _) => (path, Some(Chosen::Digest(digest.parse()?))),
        (None, Some((path, name))) => (path, Some(Chosen::Name(name.to_owned()))),
        (None, None) => (text, None),
    };
    Ok(Location {
        form,
        path: path.into(),
        chosen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_a_file_or_directory() {
        let digest = Digest::of(b"");
        let cases = [
            ("oci:dir", Form::Layout, "dir", None),
            ("oci:/a/b", Form::Layout, "/a/b", None),
            (
                "oci:dir:v1",
                Form::Layout,
                "dir",
                Some(Chosen::Name("v1".to_owned())),
            ),
            (
                "docker-archive:a@b.tar:r.example/a:v1",
                Form::DockerArchive,
                "a@b.tar",
                Some(Chosen::Name("r.example/a:v1".to_owned())),
            ),
            (
                &format!("oci-archive:x.tar@{digest}"),
                Form::LayoutArchive,
                "x.tar",
                Some(Chosen::Digest(digest)),
            ),
        ];
        for (text, form, path, chosen) in cases {
            let path = path.into();
            let expected = Named::Saved(Location { form, path, chosen });
            assert_eq!(text.parse::<Named>().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn an_invalid_digest_is_called_so() {
        for text in [
            "oci:dir@sha256:bad",
            "oci-archive:x.tar@sha256:",
            "oci:a@b@sha256:0A",
        ] {
            let error = text.parse::<Named>().unwrap_err().to_string();
            assert!(error.starts_with("parsing digest"), "{error}");
        }
    }

    #[test]
    fn anything_else_is_a_reference() {
        let text = "registry.example/oci:v1";
        let expected = Named::Registry(text.parse().unwrap());
        assert_eq!(text.parse::<Named>().unwrap(), expected);
        assert!("oci".parse::<Named>().is_err());
    }
}
