//! The user's cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

use console::process::Network;

use super::error::HostError;
use super::run::{Listener, run_heard};
use crate::interrupt::Interrupt;

/// How often cargo tries to reach a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// As often as the user has configured.
    Configured,
    /// Twice: the answer is only needed for a comparison.
    Little,
}

/// The user's cargo, with the registries that the user has configured.
#[derive(Clone, Debug)]
pub struct Cargo {
    program: PathBuf,
    home: Option<PathBuf>,
    patience: Patience,
    network: Network,
}

impl Cargo {
    /// The cargo that the environment variable `CARGO` names, or the first one in `PATH`. Relative paths are made absolute,
    /// because cargo runs in another folder.
    ///
    /// # Errors
    /// The current folder cannot be determined.
    pub fn find() -> Result<Self, HostError> {
        let absolute =
            |path: PathBuf| std::path::absolute(path).map_err(HostError::talking("cargo"));
        let program = std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        // A name without folders is looked for in PATH.
        let program = match program.components().count() {
            1 => program,
            _ => absolute(program)?,
        };
        let home = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty());
        Ok(Self {
            program,
            home: home.map(|home| absolute(home.into())).transpose()?,
            patience: Patience::Configured,
            network: Network::Allowed,
        })
    }

    /// This cargo, with another number of tries.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// This cargo, without network.
    #[must_use]
    pub fn offline(self) -> Self {
        let network = Network::Forbidden;
        Self { network, ..self }
    }

    /// Runs `cargo ACTION ARGUMENTS` on a manifest; `hear` gets each line of its messages. The manifest must be our own: that of a
    /// source could name a registry or repository, and cargo would connect to it.
    ///
    /// # Errors
    /// cargo is missing or fails, or the work was interrupted.
    pub fn run(
        &self,
        action: &'static str,
        arguments: &[&str],
        manifest: &Path,
        interrupt: &Interrupt,
        hear: Listener<'_>,
    ) -> Result<Vec<u8>, HostError> {
        let mut command = Command::new(&self.program);
        command.arg(action).args(arguments);
        command.arg("--manifest-path").arg(manifest);
        if self.network == Network::Forbidden {
            command.arg("--offline");
        }
        if self.patience == Patience::Little {
            command.env("CARGO_NET_RETRY", "1");
        }
        if let Some(home) = &self.home {
            command.env("CARGO_HOME", home);
        }
        // Its messages are parsed, so they must not have colours.
        command.env("CARGO_TERM_COLOR", "never");
        command.env("CARGO_TERM_QUIET", "false");
        // Cargo and rustup read configuration in the folder where they run and above it. In the folder of a source it
        // could name a program to run.
        command.current_dir("/");
        run_heard(Some(interrupt), "cargo", action, &mut command, hear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn source_cannot_name_programs_to_run() {
        let source = tempfile::tempdir().unwrap();
        let at = |name: &str| source.path().join(name);
        for folder in [".cargo", "src"] {
            fs::create_dir(at(folder)).unwrap();
        }
        let marker = at("marker");
        let script = format!("#!/bin/sh\ntouch {}\nexec rustc \"$@\"\n", marker.display());
        fs::write(at("evil"), script).unwrap();
        fs::set_permissions(at("evil"), fs::Permissions::from_mode(0o755)).unwrap();
        let config = format!("[build]\nrustc = {:?}\n", at("evil"));
        fs::write(at(".cargo/config.toml"), config).unwrap();
        let manifest = "[package]\nname = 'a'\n[target.'cfg(unix)'.dependencies]\n";
        fs::write(at("Cargo.toml"), manifest).unwrap();
        fs::write(at("src/lib.rs"), "").unwrap();
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.0.0\"\n";
        fs::write(at("Cargo.lock"), lock).unwrap();

        let cargo = Cargo::find().unwrap();
        let fetched = cargo.run(
            "fetch",
            &["--locked"],
            &at("Cargo.toml"),
            &Interrupt::default(),
            &|_| {},
        );
        fetched.unwrap();
        assert!(!marker.exists());

        let mut trap = Command::new("cargo");
        trap.args(["fetch", "--locked"]).current_dir(source.path());
        assert!(trap.status().unwrap().success());
        assert!(marker.exists(), "the trap does not work");
    }
}
