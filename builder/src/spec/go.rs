//! `[build]` of kind `go`: a program that Go compiles.

mod version;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::environment::{Environment, Variable};
pub use version::{GoVersion, InvalidGoVersion};

/// Variables that change what Go builds and not where it finds its tools and modules (`go help environment`).
const VARIABLES: [&str; 4] = ["GOAMD64", "GODEBUG", "GOEXPERIMENT", "GOFIPS140"];

/// A program that Go compiles, without cgo.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Raw")]
pub struct GoSpec {
    /// The toolchain; `None` for the one that `go.mod` names.
    pub go: Option<GoVersion>,
    /// The packages of the programs, relative to the directory of `Image.toml`, as arguments of `go build`.
    pub packages: Vec<String>,
    /// Build tags.
    pub tags: Vec<String>,
    /// Options of the linker, as one text each.
    pub ldflags: Vec<String>,
    /// Variables of the program that the linker sets, by import path and name.
    pub stamps: BTreeMap<String, Variable>,
    /// Variables of the environment.
    pub env: Environment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    go: Option<GoVersion>,
    package: Option<String>,
    packages: Option<Vec<String>>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    ldflags: Vec<String>,
    #[serde(default)]
    stamps: BTreeMap<String, Variable>,
    #[serde(default)]
    env: Environment,
}

impl TryFrom<Raw> for GoSpec {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let packages = match (raw.package, raw.packages) {
            (None, None) => vec![".".to_owned()],
            (Some(one), None) => vec![one],
            (None, Some(all)) if !all.is_empty() => all,
            (None, Some(_)) => return Err("packages: expected at least one package".to_owned()),
            (Some(_), Some(_)) => return Err("expected one of package, packages".to_owned()),
        };
        packages.iter().try_for_each(|one| check_package(one))?;
        raw.tags.iter().try_for_each(|tag| check_tag(tag))?;
        raw.env
            .keys()
            .try_for_each(|name| check_variable(name.as_str()))?;
        raw.stamps
            .iter()
            .try_for_each(|(name, value)| check_stamp(name, value))?;
        Ok(Self {
            go: raw.go,
            packages,
            tags: raw.tags,
            ldflags: raw.ldflags,
            stamps: raw.stamps,
            env: raw.env,
        })
    }
}

fn check_package(package: &str) -> Result<(), String> {
    let parts = || package.split('/');
    let is_plain = !package.is_empty()
        && parts().all(|part| !part.is_empty() && part != "..")
        && !package.contains(|c: char| c.is_control() || c.is_whitespace() || c == '@');
    match is_plain && parts().next() == Some(".") {
        true => Ok(()),
        false => Err(format!(
            "package {package:?}: expected a folder below that of Image.toml, as \".\" or \"./cmd/server\""
        )),
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    match !tag.is_empty() && tag.chars().all(is_plain) {
        true => Ok(()),
        false => Err(format!(
            "tag {tag:?}: expected letters, digits, `_` and `.`"
        )),
    }
}

fn check_variable(name: &str) -> Result<(), String> {
    match VARIABLES.contains(&name) {
        true => Ok(()),
        false => Err(format!(
            "env {name:?}: expected one of {}: other variables do not change the program, or say where Go finds its \
             tools and modules",
            VARIABLES.join(", ")
        )),
    }
}

/// The linker reads its options as words between spaces, with quotation marks of two kinds and without escapes.
fn check_stamp(name: &str, value: &Variable) -> Result<(), String> {
    let is_quotable =
        |text: &str| !(text.contains('\n') || text.contains('\'') && text.contains('"'));
    let value = match value {
        Variable::Text(text) => text,
        Variable::Commit | Variable::Time => "",
    };
    let is_named =
        name.contains('.') && !name.contains(|c: char| c.is_whitespace() || "='\"".contains(c));
    match (is_named, is_quotable(value)) {
        (true, true) => Ok(()),
        (false, _) => Err(format!(
            "stamp {name:?}: expected the import path of a package and the name of a variable, as \"main.version\""
        )),
        (true, false) => Err(format!(
            "stamp {name:?}: expected one line without both kinds of quotation marks, found {value:?}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GoSpec, String> {
        content::toml::parse::<GoSpec>(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn reads_every_entry() {
        let spec = read(
            "go = '1.26.0'\npackage = './cmd/x'\ntags = ['netgo']\nldflags = ['-s -w']\n\
             stamps = { 'main.version' = '1', 'example.org/a/b.Commit' = { source = 'commit' } }\nenv = { GOAMD64 = 'v3' }",
        )
        .unwrap();
        assert_eq!(spec.go.unwrap().to_string(), "1.26.0");
        assert_eq!(spec.packages, ["./cmd/x"]);
        assert_eq!(spec.stamps["example.org/a/b.Commit"], Variable::Commit);
        assert_eq!(read("").unwrap().packages, ["."]);
        assert_eq!(read("packages = ['.', './...']").unwrap().packages.len(), 2);
    }

    #[test]
    fn entries_that_would_mean_something_else_are_refused() {
        for (text, fault) in [
            (
                "package = '.'\npackages = ['.']",
                "expected one of package, packages",
            ),
            ("packages = []", "packages: expected at least one package"),
            (
                "package = 'cmd/x'",
                "package \"cmd/x\": expected a folder below",
            ),
            ("package = '-o'", "package \"-o\": "),
            ("package = './../x'", "package \"./../x\": "),
            ("package = './x@latest'", "package \"./x@latest\": "),
            ("tags = ['a,b']", "tag \"a,b\": "),
            (
                "env = { GOFLAGS = '-mod=mod' }",
                "env \"GOFLAGS\": expected one of GOAMD64",
            ),
            ("env = { GOPROXY = 'direct' }", "env \"GOPROXY\": "),
            ("stamps = { version = '1' }", "stamp \"version\": "),
            (
                "stamps = { 'main.a' = \"'\\\"\" }",
                "stamp \"main.a\": expected one line",
            ),
            ("cgo = true", "unknown field `cgo`"),
            ("go = 'latest'", "expected a version of Go such as 1.26.3"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
