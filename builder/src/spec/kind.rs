//! The kinds of builds, which `kind` in `[build]` names. Each has entries of its own.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::cargo::CargoSpec;
use super::command::CommandSpec;
use super::go::GoSpec;

/// The program, by kind of build.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BuildSpec {
    /// Cargo.
    Cargo(CargoSpec),
    /// Go.
    Go(GoSpec),
    /// Any command.
    Command(CommandSpec),
}

const KINDS: &str = "\"cargo\", \"go\" or \"command\"";

impl<'de> Deserialize<'de> for BuildSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let kind = match table.remove("kind") {
            None => "cargo".to_owned(),
            Some(Value::String(kind)) => kind,
            Some(other) => {
                let found = other.type_str();
                return Err(D::Error::custom(format!(
                    "kind: expected {KINDS}, found {found}"
                )));
            }
        };
        let read = match kind.as_str() {
            "cargo" => parse(&table).map(Self::Cargo),
            "go" => parse(&table).map(Self::Go),
            "command" => parse(&table).map(Self::Command),
            other => {
                return Err(D::Error::custom(format!(
                    "kind: expected {KINDS}, found {other:?}"
                )));
            }
        };
        read.map_err(|fault| D::Error::custom(format!("[build] of kind {kind:?}: {fault}")))
    }
}

/// Parses the entries of one kind as strictly as the whole file.
fn parse<T: DeserializeOwned>(table: &Table) -> Result<T, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    content::toml::parse(text).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BuildSpec, String> {
        content::toml::parse::<BuildSpec>(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn each_kind_has_entries_of_its_own() {
        let go = read("kind = 'go'\npackages = ['./cmd/x']").unwrap();
        assert!(matches!(go, BuildSpec::Go(spec) if spec.packages == ["./cmd/x"]));
        let command = read("kind = 'command'\ncommand = ['make']\noutputs = { a = 'b' }").unwrap();
        assert!(matches!(command, BuildSpec::Command(_)));
        for (text, fault) in [
            (
                "kind = 'go'\ncommand = ['make']",
                "[build] of kind \"go\": unknown field `command`",
            ),
            (
                "kind = 'command'\nfeatures = []",
                "[build] of kind \"command\": unknown field `features`",
            ),
            (
                "command = ['make']",
                "[build] of kind \"cargo\": unknown field `command`",
            ),
            (
                "kind = 'go'\nenv = [['A', 'b']]",
                "[build] of kind \"go\": invalid type: sequence",
            ),
            (
                "kind = 'bazel'",
                "kind: expected \"cargo\", \"go\" or \"command\", found \"bazel\"",
            ),
            (
                "kind = 1",
                "kind: expected \"cargo\", \"go\" or \"command\", found integer",
            ),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
