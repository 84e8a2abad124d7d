//! `Image.toml`: the description of an image, as its author writes it. Unknown fields are errors.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The name of the file.
pub const FILE: &str = "Image.toml";

/// An `Image.toml`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The program.
    pub build: BuildSpec,
    /// The build root.
    pub root: RootSpec,
    /// How a container of the image starts.
    pub image: StartSpec,
    /// The files.
    #[serde(rename = "file")]
    pub files: Vec<FileSpec>,
}

/// The program, by kind of build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "CargoSpec")]
pub enum BuildSpec {
    /// Cargo.
    Cargo(CargoSpec),
}

impl From<CargoSpec> for BuildSpec {
    fn from(cargo: CargoSpec) -> Self {
        Self::Cargo(cargo)
    }
}

/// A program that cargo compiles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CargoSpec {
    /// The name of the package, and of its binary.
    pub package: String,
    /// The target, by rustc's name.
    pub target: String,
    /// The C library that is linked statically.
    #[serde(rename = "static")]
    pub linked: Library,
}

/// A C library that can be linked statically.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// The GNU C library of Debian.
    Glibc,
}

/// The build root, made of Debian packages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RootSpec {
    /// The release, for example `bookworm`.
    pub suite: String,
    /// The component, for example `main`. The archive keeps packages of `main` for years, but deletes superseded security
    /// updates.
    pub component: String,
    /// The architecture, for example `amd64`.
    pub architecture: String,
    /// The packages that are needed; the lock also names their dependencies.
    pub packages: Vec<String>,
}

/// How a container of the image starts (OCI image specification, config.md).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct StartSpec {
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, which a launch policy may allow to be overridden.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Labels, among them the launch policy.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// User and group.
    #[serde(default)]
    pub user: Option<String>,
    /// The working directory.
    #[serde(default)]
    pub working_dir: Option<String>,
}

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

impl Spec {
    /// Parses `Image.toml`.
    ///
    /// # Errors
    /// The text is not TOML, or has missing or unknown fields.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        content::toml::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"
[build]
package = "p"
target = "t"
static = "glibc"
[root]
suite = "bookworm"
component = "main"
architecture = "amd64"
packages = ["gcc-12"]
[image]
entrypoint = ["/p"]
[[file]]
path = "/p"
binary = "p"
"#;

    #[test]
    fn reads_an_image_toml() {
        let spec = Spec::parse(SPEC).unwrap();
        assert_eq!(spec.files[0].origin, Origin::Binary("p".into()));
    }

    #[test]
    fn an_array_is_not_a_table() {
        let (before, after) = SPEC.split_once("[image]\nentrypoint = [\"/p\"]\n").unwrap();
        for array in [
            "image = [[\"/p\"], [], {}, {}, \"\", \"\"]",
            "image = [[\"/p\"]]",
        ] {
            let error = Spec::parse(&format!("{array}\n{before}{after}")).unwrap_err();
            assert!(error.message().contains("sequence"), "{error}");
        }
        let (before, _) = SPEC.split_once("[[file]]").unwrap();
        let text = format!("file = [[\"/p\", \"p\", \"q\", \"r\"]]\n{before}");
        let error = Spec::parse(&text).unwrap_err();
        assert!(error.message().contains("sequence"), "{error}");
    }

    #[test]
    fn unknown_and_contradicting_fields_are_refused() {
        let one = "expected one of binary, source, content";
        for (old, new, reason) in [
            (
                "target = \"t\"",
                "target = \"t\"\nnetwork = true",
                "unknown field `network`",
            ),
            ("binary = \"p\"", "binary = \"p\"\nsource = \"q\"", one),
            (
                "binary = \"p\"",
                "binary = \"p\"\nmode = 7",
                "unknown field `mode`",
            ),
            ("binary = \"p\"", "", one),
            ("path = \"/p\"", "path = \"p\"", "expected an absolute path"),
        ] {
            let error = Spec::parse(&SPEC.replace(old, new)).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
        }
    }
}
