//! The process that is isolated.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// How a program is run. Paths are those that it sees.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Process {
    /// Its file and its arguments.
    pub command: Vec<String>,
    /// All variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
}

impl Process {
    /// The path of the program; empty if there is no command.
    pub fn name(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// A command that runs it in the present working directory.
    ///
    /// # Errors
    /// There is no command.
    pub fn command(&self) -> io::Result<Command> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(&self.environment);
        Ok(command)
    }
}
