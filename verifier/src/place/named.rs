//! The names that users give to images: a reference into a registry, or a saved image.

use std::path::PathBuf;
use std::str::FromStr;

use content::Digest;
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
    /// An archive of an OCI layout, plain or in gzip.
    LayoutArchive,
    /// An archive of `docker save`, plain or in gzip.
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

impl FromStr for Named {
    type Err = oci::Error;

    fn from_str(text: &str) -> Result<Self, oci::Error> {
        for (prefix, form) in FORMS {
            if let Some(rest) = text.strip_prefix(prefix) {
                return Ok(Self::Saved(location(form, rest)));
            }
        }
        text.parse().map(Self::Registry)
    }
}

/// Splits `PATH`, `PATH:NAME` or `PATH@DIGEST`. As in skopeo, the path ends at the first colon.
fn location(form: Form, text: &str) -> Location {
    let digest = |(path, digest): (&str, &str)| {
        let digest = digest.parse().ok()?;
        Some((path.to_owned(), Chosen::Digest(digest)))
    };
    let name = |(path, name): (&str, &str)| Some((path.to_owned(), Chosen::Name(name.to_owned())));
    let split = text.rsplit_once('@').and_then(digest);
    let split = split.or_else(|| text.split_once(':').and_then(name));
    let (path, chosen) = match split {
        Some((path, chosen)) => (path, Some(chosen)),
        None => (text.to_owned(), None),
    };
    Location {
        form,
        path: path.into(),
        chosen,
    }
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
    fn anything_else_is_a_reference() {
        let text = "registry.example/oci:v1";
        let expected = Named::Registry(text.parse().unwrap());
        assert_eq!(text.parse::<Named>().unwrap(), expected);
        assert!("oci".parse::<Named>().is_err());
    }
}
