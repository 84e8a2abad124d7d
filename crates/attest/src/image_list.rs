//! The list that a build of several images writes beside their layouts.

use std::io;
use std::path::Path;

use content::at::{self, At};
use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};

use crate::image_name::LIST;
use crate::{Error, ImageName};

/// An image, whose layout is in the folder of its name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListedImage {
    /// Its name.
    pub name: ImageName,
    /// The digest of its manifest.
    pub image_digest: Digest,
    /// The digest of its configuration.
    pub image_id: Digest,
}

/// The images of one build, in the order of `Image.toml`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ImageList {
    /// The images.
    pub images: Vec<ListedImage>,
}

impl ImageList {
    /// The name of the file.
    pub const FILE: &'static str = LIST;

    /// Parses a list.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::DOCUMENT`], not strict JSON, or no list.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::DOCUMENT).map_err(document)
    }

    /// Reads the list in a folder; `None` if the folder has none.
    ///
    /// # Errors
    /// The file cannot be read or parsed.
    pub fn read(folder: &Path) -> Result<Option<Self>, At> {
        let path = folder.join(Self::FILE);
        let bytes = match at::read(&path, limits::DOCUMENT) {
            Err(At { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let list = Self::parse(&bytes).map_err(invalid);
        Ok(Some(list.map_err(At::reading(&path))?))
    }

    /// The list as canonical JSON.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(self).map_err(document)
    }
}

fn document(source: json::JsonError) -> Error {
    Error::Document {
        what: ImageList::FILE,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was() {
        let image = ListedImage {
            name: "server".parse().unwrap(),
            image_digest: Digest::of(b"manifest"),
            image_id: Digest::of(b"configuration"),
        };
        let list = ImageList {
            images: vec![image],
        };
        assert_eq!(ImageList::parse(&list.to_bytes().unwrap()).unwrap(), list);
        for other in ["{}", "[{\"name\":\"server\"}]", "[1]", ""] {
            let error = ImageList::parse(other.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("parsing images.json: "), "{error}");
        }
    }
}
