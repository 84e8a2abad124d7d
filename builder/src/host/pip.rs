//! The user's pip.

use std::process::Command;

use super::error::HostError;
use super::run::run;

/// The programs that may be pip.
const NAMES: [&str; 2] = ["pip", "pip3"];
/// The option of pip with the index, and how pip's help begins the address that applies.
const OPTION: &str = "--index-url <url>";
const DEFAULT: &str = "(default ";
/// More columns than the help has, so that no line is broken.
const COLUMNS: &str = "4000";
/// Sections of pip's configuration that may name the index, the most specific first (pip, "Configuration").
const KEYS: [&str; 3] = [":env:.index-url", "install.index-url", "global.index-url"];

/// The address of the package index that the user's pip asks; `None` if pip is not installed, or does not say.
///
/// # Errors
/// pip fails.
pub fn pip_index() -> Result<Option<String>, HostError> {
    for name in NAMES {
        let listed = match run("pip", "config", pip(name).args(["config", "list"])) {
            Err(error) if error.is_absence() => continue,
            listed => listed?,
        };
        if let Some(index) = configured(&String::from_utf8_lossy(&listed)) {
            return Ok(Some(index));
        }
        let help = run("pip", "install", pip(name).args(["install", "--help"]))?;
        return Ok(by_default(&String::from_utf8_lossy(&help)));
    }
    Ok(None)
}

fn pip(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("COLUMNS", COLUMNS).current_dir("/");
    command
}

/// The address in a list of lines `KEY='VALUE'`.
fn configured(list: &str) -> Option<String> {
    let value = |key: &str| {
        let lines = list.lines().filter_map(|line| line.split_once('='));
        let (_, value) = lines.into_iter().find(|(found, _)| *found == key)?;
        Some(value.trim_matches(['\'', '"']).to_owned())
    };
    KEYS.iter().find_map(|key| value(key))
}

/// The address in the text of pip's help. It has no password.
fn by_default(help: &str) -> Option<String> {
    let line = help.lines().find(|line| line.contains(OPTION))?;
    let (_, rest) = line.split_once(DEFAULT)?;
    let (address, _) = rest.split_once(')')?;
    Some(address.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_configuration_or_of_pip() {
        let list = "global.cert='/x'\nglobal.index-url='https://a.example/simple'\ninstall.index-url='https://u:p@b.example/simple'\n";
        assert_eq!(configured(list).unwrap(), "https://u:p@b.example/simple");
        assert_eq!(configured("global.cert='/x'\n"), None);
        let help = "  -i, --index-url <url>       Base URL of the index (default https://c.example/simple). This should point\n";
        assert_eq!(by_default(help).unwrap(), "https://c.example/simple");
        assert_eq!(by_default("Usage:\n"), None);
    }
}
