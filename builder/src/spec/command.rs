//! `[build]` of kind `command`: any command, with declared inputs and outputs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::environment::Environment;

/// Variables that the sandbox sets (see `docs/image-toml.md`).
const FIXED: [&str; 3] = ["HOME", "PATH", "TMPDIR"];

/// What a command makes of the source.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Raw")]
pub struct CommandSpec {
    /// The program and its arguments; none if nothing has to be made.
    pub command: Vec<String>,
    /// The files and folders of the source that it sees, relative to the directory of `Image.toml`; `None` for the whole
    /// directory.
    pub inputs: Option<Vec<String>>,
    /// The files and folders that it makes, relative to the directory of `Image.toml`, by the names by which files of the image
    /// refer to them.
    pub outputs: BTreeMap<String, String>,
    /// Variables of the environment.
    pub env: Environment,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    command: Vec<String>,
    inputs: Option<Vec<String>>,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    #[serde(default)]
    env: Environment,
}

impl TryFrom<Raw> for CommandSpec {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        if raw.command.is_empty() != raw.outputs.is_empty() {
            return Err(
                "expected command and outputs together: outputs = { name = \"path\" } says what the command makes"
                    .to_owned(),
            );
        }
        if raw.command.is_empty() && !raw.env.is_empty() {
            return Err("env: expected a command that it is for".to_owned());
        }
        for (name, path) in &raw.outputs {
            check_path(path).map_err(|fault| format!("output {name:?}: {fault}"))?;
        }
        for path in raw.inputs.iter().flatten() {
            check_path(path).map_err(|fault| format!("inputs: {fault}"))?;
        }
        raw.env
            .keys()
            .try_for_each(|name| check_variable(name.as_str()))?;
        Ok(Self {
            command: raw.command,
            inputs: raw.inputs,
            outputs: raw.outputs,
            env: raw.env,
        })
    }
}

/// A path below the directory of `Image.toml`.
fn check_path(path: &str) -> Result<(), String> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    match path.split('/').all(is_plain) {
        true => Ok(()),
        false => Err(format!(
            "expected a path below the directory of Image.toml, found {path:?}"
        )),
    }
}

fn check_variable(name: &str) -> Result<(), String> {
    match FIXED.contains(&name) {
        true => Err(format!(
            "env {name:?}: it is fixed, so that every machine builds at the same paths"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CommandSpec, String> {
        content::toml::parse::<CommandSpec>(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_command_has_outputs() {
        let spec = read(
            "command = ['make', 'all']\ninputs = ['src']\noutputs = { app = 'out/app' }\nenv = { V = '1' }",
        );
        assert_eq!(spec.unwrap().outputs["app"], "out/app");
        assert_eq!(read("").unwrap().command, Vec::<String>::new());
        for (text, fault) in [
            (
                "command = ['make']",
                "expected command and outputs together",
            ),
            (
                "outputs = { a = 'b' }",
                "expected command and outputs together",
            ),
            ("env = { A = 'b' }", "env: expected a command"),
            (
                "command = ['make']\noutputs = { a = '../b' }",
                "output \"a\": expected a path below",
            ),
            (
                "command = ['make']\noutputs = { a = '/b' }",
                "output \"a\": ",
            ),
            ("inputs = ['.']", "inputs: expected a path below"),
            (
                "command = ['make']\noutputs = { a = 'b' }\nenv = { PATH = '/x' }",
                "env \"PATH\": it is fixed",
            ),
            ("package = 'x'", "unknown field `package`"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
