//! `[[file]]`: the files, directories and links of the image.

use oci::layer::Mode;
use serde::Deserialize;

use super::OwnerSpec;

/// Files of the image, or a directory or link.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawFile")]
pub struct FileSpec {
    /// The absolute path in the image.
    pub path: String,
    /// What is there.
    pub origin: Origin,
    /// The owner, if it is not root.
    pub owner: Option<OwnerSpec>,
    /// The mode, if it is not that of format v1.
    pub mode: Option<Mode>,
}

/// What is at a path of the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The compiled binary of this name.
    Binary(String),
    /// A file of the source, relative to `Image.toml`.
    Source(String),
    /// A file with this text.
    Text(String),
    /// A directory of the source, relative to `Image.toml`, with everything below it.
    Tree(String),
    /// A symbolic link with this target.
    Link(String),
    /// An empty directory.
    Directory,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: String,
    binary: Option<String>,
    source: Option<String>,
    content: Option<String>,
    tree: Option<String>,
    link: Option<String>,
    directory: Option<bool>,
    owner: Option<OwnerSpec>,
    mode: Option<String>,
}

impl TryFrom<RawFile> for FileSpec {
    type Error = String;

    fn try_from(raw: RawFile) -> Result<Self, String> {
        let path = raw.path;
        let wrong = |fault: &str| format!("file {path:?}: {fault}");
        if raw.directory == Some(false) {
            return Err(wrong("expected directory = true"));
        }
        let origins = [
            raw.binary.map(Origin::Binary),
            raw.source.map(Origin::Source),
            raw.content.map(Origin::Text),
            raw.tree.map(Origin::Tree),
            raw.link.map(Origin::Link),
            raw.directory.map(|_| Origin::Directory),
        ];
        let mut origins = origins.into_iter().flatten();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Err(wrong(
                "expected one of binary, source, content, tree, link, directory",
            ));
        };
        if !path.starts_with('/') {
            return Err(wrong("expected an absolute path"));
        }
        let has_mode = !matches!(origin, Origin::Link(_) | Origin::Tree(_));
        let mode = raw.mode.as_deref().map(mode).transpose();
        let mode = mode.map_err(|fault| wrong(&fault))?;
        match &origin {
            _ if mode.is_some() && !has_mode => Err(wrong(
                "mode: links have none, and the files of a tree keep their own",
            )),
            Origin::Link(_) if raw.owner.is_some() => Err(wrong("owner: links have none")),
            _ => Ok(Self {
                path,
                origin,
                owner: raw.owner,
                mode,
            }),
        }
    }
}

/// Parses a mode: octal digits, as `chmod` has them.
fn mode(text: &str) -> Result<Mode, String> {
    let is_octal = (3..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = u32::from_str_radix(text, 8).ok().filter(|_| is_octal);
    let bits =
        bits.ok_or_else(|| format!("mode: expected octal digits as \"0750\", found {text:?}"))?;
    Mode::new(bits).map_err(|error| format!("mode: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FileSpec, String> {
        let parsed = content::toml::parse(format!("path = \"/a\"\n{text}"));
        parsed.map_err(|error| error.message().to_owned())
    }

    #[test]
    fn each_entry_has_one_origin() {
        let origin = |text: &str| parse(text).unwrap().origin;
        assert_eq!(origin("tree = 'assets'"), Origin::Tree("assets".into()));
        assert_eq!(origin("link = 'b'"), Origin::Link("b".into()));
        assert_eq!(origin("directory = true"), Origin::Directory);
        for (text, fault) in [
            ("directory = false", "expected directory = true"),
            (
                "tree = 'a'\nlink = 'b'",
                "expected one of binary, source, content, tree, link, directory",
            ),
            ("link = 'b'\nowner = '1:1'", "owner: links have none"),
            (
                "tree = 'b'\nmode = '0700'",
                "mode: links have none, and the files of a tree keep their own",
            ),
            (
                "directory = true\nmode = '0o700'",
                "mode: expected octal digits as \"0750\", found \"0o700\"",
            ),
            (
                "directory = true\nmode = '0788'",
                "mode: expected octal digits as \"0750\", found \"0788\"",
            ),
            (
                "directory = true\nmode = '4755'",
                "mode: 4755 is not a mode: only the bits 1777 are allowed, which exclude setuid and setgid",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), format!("file \"/a\": {fault}"));
        }
    }

    #[test]
    fn a_mode_is_octal() {
        let found = parse("directory = true\nmode = '1777'\nowner = 'app'").unwrap();
        assert_eq!(found.mode, Some(Mode::new(0o1777).unwrap()));
        assert_eq!(found.owner, Some(OwnerSpec::User("app".into())));
    }
}
