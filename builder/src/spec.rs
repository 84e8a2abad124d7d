//! `Image.toml`: the description of an image, as its author writes it. Unknown fields are errors.

mod archive;
pub mod cargo;
mod command;
mod entry;
pub mod environment;
mod file;
mod go;
mod image;
mod kind;
mod parts;
pub(crate) mod root;
mod runtime;
mod start;
mod user;
mod wheels;

pub use archive::ArchiveSpec;
pub(crate) use archive::is_free;
pub use cargo::CargoSpec;
pub use command::CommandSpec;
pub use file::{FileSpec, Origin};
pub use go::{GoSpec, GoVersion, InvalidGoVersion};
pub use image::ImageSpec;
pub use kind::BuildSpec;
pub use parts::Parts;
pub use root::{PackageSpec, RootSpec, Section, Toolchain};
pub use runtime::RuntimeSpec;
pub use start::StartSpec;
pub use user::{OwnerSpec, UserSpec};
pub(crate) use wheels::pair;
pub use wheels::{PythonSpec, WheelsSpec};

use std::collections::BTreeSet;

use image::Images;
use serde::Deserialize;

/// The name of the file.
pub const FILE: &str = "Image.toml";
/// The hint for one that cannot be parsed.
pub(crate) const EXAMPLE: &str = "docs/image-toml.md describes all entries, by example";

/// An `Image.toml`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawSpec")]
pub struct Spec {
    /// The program.
    pub build: BuildSpec,
    /// The build root.
    pub root: RootSpec,
    /// Archives that are unpacked for the build.
    pub archives: Vec<ArchiveSpec>,
    /// The Python packages that every image contains.
    pub wheels: Vec<WheelsSpec>,
    /// The images: one without a name, or those that have names.
    pub images: Vec<ImageSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpec {
    build: BuildSpec,
    #[serde(default)]
    root: RootSpec,
    #[serde(default, deserialize_with = "archive::distinct")]
    archive: Vec<ArchiveSpec>,
    #[serde(default)]
    runtime: RuntimeSpec,
    #[serde(default, deserialize_with = "wheels::distinct")]
    wheels: Vec<WheelsSpec>,
    image: Images,
    #[serde(default)]
    user: Vec<UserSpec>,
    file: Option<Vec<FileSpec>>,
}

impl TryFrom<RawSpec> for Spec {
    type Error = String;

    fn try_from(raw: RawSpec) -> Result<Self, String> {
        if matches!(raw.image, Images::One(_)) && raw.file.is_none() {
            return Err("missing field `file`".to_owned());
        }
        let shared = Parts {
            runtime: raw.runtime,
            wheels: raw.wheels.clone(),
            users: raw.user,
            files: raw.file.unwrap_or_default(),
        };
        Ok(Self {
            build: raw.build,
            root: raw.root,
            archives: raw.archive,
            wheels: raw.wheels,
            images: raw.image.with(&shared)?,
        })
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

    /// The names of the binaries that cargo or Go compiles: those that `[build]` lists, or else those that the files of all images
    /// name, or else that of the package.
    pub fn binaries(&self) -> BTreeSet<&str> {
        let images = self.images.iter();
        let named: BTreeSet<_> = images.flat_map(|image| image.parts.binaries()).collect();
        match &self.build {
            BuildSpec::Cargo(cargo) if !cargo.binaries.is_empty() => {
                cargo.binaries.iter().map(String::as_str).collect()
            }
            BuildSpec::Cargo(cargo) if named.is_empty() => [cargo.package.as_str()].into(),
            BuildSpec::Cargo(_) | BuildSpec::Go(_) | BuildSpec::Command(_) => named,
        }
    }

    /// The files of all images.
    pub fn files(&self) -> impl Iterator<Item = &FileSpec> {
        self.images.iter().flat_map(|image| &image.parts.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"
[build]
package = "p"
target = "x86_64-unknown-linux-gnu"
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
        assert_eq!(
            spec.images[0].parts.files[0].origin,
            Origin::Binary("p".into())
        );
    }

    #[test]
    fn binaries_are_listed_or_those_of_the_files() {
        let binaries = |old: &str, new: &str| {
            let spec = Spec::parse(&SPEC.replace(old, new)).unwrap();
            spec.binaries()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let two = "binary = \"rg\"\n[[file]]\npath = \"/q\"\nbinary = \"q\"";
        assert_eq!(binaries("binary = \"p\"", two), ["q", "rg"]);
        assert_eq!(
            binaries("target", "binaries = [\"rg\", \"p\"]\ntarget"),
            ["p", "rg"]
        );
        assert_eq!(binaries("binary = \"p\"", "content = \"\""), ["p"]);
    }

    #[test]
    fn an_array_is_not_a_table() {
        let (before, after) = SPEC.split_once("[image]\nentrypoint = [\"/p\"]\n").unwrap();
        for array in [
            "image = [\"\", [\"/p\"], [], {}, {}, \"\", \"\"]",
            "image = [[\"/p\"]]",
        ] {
            let error = Spec::parse(&format!("{array}\n{before}{after}")).unwrap_err();
            assert!(error.message().starts_with("invalid type: "), "{error}");
        }
        let (before, _) = SPEC.split_once("[[file]]").unwrap();
        let text = format!(
            "file = [[\"/p\", \"p\", \"q\", \"r\", \"s\", \"t\", true, \"u\", \"v\"]]\n{before}"
        );
        let error = Spec::parse(&text).unwrap_err();
        assert!(error.message().contains("sequence"), "{error}");
    }

    #[test]
    fn unknown_and_contradicting_fields_are_refused() {
        let one = "expected one of binary, source, content, tree, link, directory";
        for (old, new, reason) in [
            (
                "target = \"x86_64-unknown-linux-gnu\"",
                "target = \"x86_64-unknown-linux-gnu\"\nnetwork = true",
                "unknown field `network`",
            ),
            ("binary = \"p\"", "binary = \"p\"\nsource = \"q\"", one),
            (
                "binary = \"p\"",
                "binary = \"p\"\nsize = 7",
                "unknown field `size`",
            ),
            ("binary = \"p\"", "", one),
            ("path = \"/p\"", "path = \"p\"", "expected an absolute path"),
        ] {
            let error = Spec::parse(&SPEC.replace(old, new)).unwrap_err();
            assert!(error.message().contains(reason), "{error}");
        }
    }
}
