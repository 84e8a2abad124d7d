//! `[[file]]`: the files of the image.

use serde::Deserialize;

/// A file of the image.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawFile")]
pub struct FileSpec {
    /// The absolute path in the image.
    pub path: String,
    /// The origin of its bytes.
    pub origin: Origin,
}

/// The origin of the bytes of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The compiled binary of this name.
    Binary(String),
    /// A file of the source, relative to `Image.toml`.
    Source(String),
    /// These bytes.
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: String,
    binary: Option<String>,
    source: Option<String>,
    content: Option<String>,
}

impl TryFrom<RawFile> for FileSpec {
    type Error = String;

    fn try_from(raw: RawFile) -> Result<Self, String> {
        let origins = [
            raw.binary.map(Origin::Binary),
            raw.source.map(Origin::Source),
            raw.content.map(Origin::Text),
        ];
        let mut origins = origins.into_iter().flatten();
        match (raw.path.starts_with('/'), origins.next(), origins.next()) {
            (false, ..) => Err(format!("file {:?}: expected an absolute path", raw.path)),
            (true, Some(origin), None) => Ok(Self {
                path: raw.path,
                origin,
            }),
            _ => Err(format!(
                "file {:?}: expected one of binary, source, content",
                raw.path
            )),
        }
    }
}
