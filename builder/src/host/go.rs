//! The user's go.

use std::path::{Path, PathBuf};
use std::process::Command;

use console::hint::Hinted;
use serde::Deserialize;

use super::error::HostError;
use super::limited::{limited, narrow, set_unless_chosen};
use super::run::{run, run_until};
use crate::interrupt::Interrupt;

/// Maximum size of the list of proxies, in bytes.
const LIST: usize = 64 << 10;

/// The programs that may fetch a module from its repository (go help vcs), unless the user allows others.
const VCS: &str = "*:git";

/// What `go mod download -json` says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    zip: PathBuf,
    go_mod: PathBuf,
}

/// The files of a module in the cache of go.
#[derive(Debug)]
pub struct ModuleFiles {
    /// The archive.
    pub archive: PathBuf,
    /// `go.mod`.
    pub manifest: PathBuf,
}

/// The list of module proxies that the user has configured (`go env GOPROXY`); `None` if go is not installed.
///
/// # Errors
/// go fails.
pub fn go_proxies() -> Result<Option<String>, HostError> {
    let mut command = match go() {
        Err(error) if error.is_absence() => return Ok(None),
        found => found?,
    };
    match run("go", "env", command.args(["env", "GOPROXY"])) {
        Ok(answer) if answer.len() <= LIST => {
            Ok(Some(String::from_utf8_lossy(&answer).trim().to_owned()))
        }
        Ok(_) => Err(Hinted::new("running go env: GOPROXY is too long").into()),
        Err(error) => Err(error),
    }
}

/// Runs `go mod download` to fetch a module from its own repository into the empty folder `cache`. It runs in the folder
/// `place`, which has no `go.mod`, so that nothing of a source is read.
///
/// # Errors
/// go is missing or fails, or the work was interrupted.
pub fn go_download(
    module: &str,
    place: &Path,
    cache: &Path,
    interrupt: &Interrupt,
) -> Result<ModuleFiles, HostError> {
    let mut command = go()?;
    command
        .args(["mod", "download", "-json", module])
        .current_dir(place);
    command.env("GOMODCACHE", cache).env("GOPROXY", "direct");
    // A cache that can be written can also be removed.
    command.env("GOFLAGS", "-modcacherw").env("GOWORK", "off");
    let answer = run_until(Some(interrupt), "go", "mod download", &mut command)?;
    let downloaded: Downloaded = serde_json::from_slice(&answer)
        .map_err(|error| Hinted::doing("reading the output of go mod download", error))?;
    Ok(ModuleFiles {
        archive: downloaded.zip,
        manifest: downloaded.go_mod,
    })
}

/// go, in a folder without `go.mod`. A module's name comes from a source, and decides which host is asked, and by which program.
fn go() -> Result<Command, HostError> {
    let mut command = limited("go")?;
    command.env("GOTOOLCHAIN", "local").current_dir("/");
    narrow(&mut command);
    set_unless_chosen(&mut command, "GOVCS", VCS);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_runs_within_limits_and_runs_no_other_program_than_git() {
        let mut command = match go() {
            Err(error) if error.is_absence() => return testkit::skip("host::go", error),
            found => found.unwrap(),
        };
        assert_eq!(command.get_program(), "prlimit");
        let variables: Vec<_> = command.get_envs().collect();
        for name in ["GIT_ALLOW_PROTOCOL", "GOVCS"] {
            let is_set = variables.iter().any(|(set, _)| *set == name);
            assert!(is_set || std::env::var_os(name).is_some(), "{name}");
        }
        let said = run("go", "env", command.args(["env", "GOVCS"])).unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(
            std::env::var_os("GOVCS").is_some() || said.trim() == VCS,
            "{said}"
        );
    }
}
