//! The steps of isolation, and which of them failed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A step of isolating a program.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Step {
    /// Closing the files that were inherited.
    Files,
    /// Reading the task.
    Task,
    /// Entering new namespaces.
    Namespaces,
    /// Mapping or becoming a user.
    Identity,
    /// Ending with the process that started this one.
    Lifetime,
    /// Leaving the terminal.
    Session,
    /// Starting the first process of the namespaces.
    FirstProcess,
    /// Mounting the new root, and unmounting the old one.
    Root,
    /// Mounting a file or folder.
    Mount,
    /// Mounting `/proc`.
    Proc,
    /// Mounting devices.
    Devices,
    /// Making the folders that can be written.
    Writable,
    /// Setting the host name.
    Hostname,
    /// Entering the working directory.
    Directory,
    /// Setting resource limits.
    Limits,
    /// Fixing the layout of address spaces.
    AddressSpace,
    /// Giving up capabilities.
    Capabilities,
    /// Restricting file access with Landlock.
    Landlock,
    /// Installing the system call filter.
    SystemCalls,
    /// Starting the program.
    Program,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "closing inherited files",
            Self::Task => "reading task",
            Self::Namespaces => "making namespaces",
            Self::Identity => "setting user and group",
            Self::Lifetime => "arranging to end with the parent process",
            Self::Session => "leaving terminal",
            Self::FirstProcess => "starting first process",
            Self::Root => "mounting root",
            Self::Mount => "mounting",
            Self::Proc => "mounting /proc",
            Self::Devices => "mounting devices",
            Self::Writable => "making writable folder",
            Self::Hostname => "setting host name",
            Self::Directory => "entering",
            Self::Limits => "setting resource limits",
            Self::AddressSpace => "fixing address space layout",
            Self::Capabilities => "giving up capabilities",
            Self::Landlock => "restricting file access",
            Self::SystemCalls => "filtering system calls",
            Self::Program => "starting program",
        })
    }
}

/// A step that failed. It can be sent to another process.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{step}{}: {cause}", shown(path.as_deref()))]
pub struct Refusal {
    /// The step.
    pub step: Step,
    /// The file or folder, if the step is about one.
    pub path: Option<PathBuf>,
    /// The cause, as text.
    pub cause: String,
}

fn shown(path: Option<&Path>) -> String {
    path.map(|path| format!(" {}", path.display()))
        .unwrap_or_default()
}

/// Names the step at which something failed.
pub trait At<T>: Sized {
    /// Names the step.
    ///
    /// # Errors
    /// That of `self`.
    fn at(self, step: Step) -> Result<T, Refusal>;

    /// Names the step, and the path that it is about.
    ///
    /// # Errors
    /// That of `self`.
    fn at_path(self, step: Step, path: impl AsRef<Path>) -> Result<T, Refusal> {
        self.at(step).map_err(|refusal| Refusal {
            path: Some(path.as_ref().to_owned()),
            ..refusal
        })
    }
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Refusal> {
        self.map_err(|error| Refusal {
            step,
            path: None,
            cause: cause(step, &error.into()),
        })
    }
}

fn cause(step: Step, error: &io::Error) -> String {
    match (step, error.kind()) {
        // The kernel's "no space left on device" is about the limit on namespaces (unshare(2), ENOSPC).
        (Step::Namespaces, io::ErrorKind::StorageFull) => {
            "the user's limit on namespaces is reached".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_step_path_and_cause() {
        let full = || Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull));
        let namespaces = full().at(Step::Namespaces).unwrap_err().to_string();
        assert_eq!(
            namespaces,
            "making namespaces: the user's limit on namespaces is reached"
        );
        let mount = full().at_path(Step::Mount, "/etc/hosts").unwrap_err();
        let sent = serde_json::to_string(&mount).unwrap();
        let received: Refusal = serde_json::from_str(&sent).unwrap();
        assert_eq!(
            received.to_string(),
            "mounting /etc/hosts: no storage space"
        );
    }
}
