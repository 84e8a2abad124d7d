//! git, with one environment for all programs.
//!
//! Environment variables and configuration can make git use another repository, or other content for the same names. A
//! program that was started by a git hook, or in a shell where such variables are set, must not work on that
//! repository.

use std::ffi::OsStr;
use std::process::Command;

use crate::process::Network;

/// Variables of the user that are passed to git: the paths of its configuration and programs, and the folders where it
/// stops looking for a repository.
const KEPT: [&str; 6] = [
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
];
/// Prefixes of variables with which the user configures the access to servers. They include configuration.
const REACHING: [&str; 8] = [
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CONFIG_",
    "GIT_HTTP_",
    "GIT_PROTOCOL",
    "GIT_PROXY_",
    "GIT_SSH",
    "GIT_SSL_",
];
/// Disables replaced objects, optional locks, patterns in paths and prompts, and makes messages parseable.
const SETTINGS: [(&str, &str); 5] = [
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];
/// Forbids all protocols, even if an object is missing in a partial clone.
const OFFLINE: [(&str, &str); 2] = [("GIT_ALLOW_PROTOCOL", "none"), ("GIT_NO_LAZY_FETCH", "1")];
/// Ends a transfer if a server sends nothing for a minute.
const ONLINE: [(&str, &str); 2] = [
    ("GIT_HTTP_LOW_SPEED_LIMIT", "1"),
    ("GIT_HTTP_LOW_SPEED_TIME", "60"),
];
/// Configuration by which a repository names programs to run.
const NO_PROGRAMS: [&str; 2] = ["core.fsmonitor=false", "core.hooksPath=/dev/null"];

/// A git with a clean environment. Commands that read the files of the working tree (`status`, `diff`, `checkout`)
/// still run the filters that the repository's configuration names.
pub fn command(network: Network) -> Command {
    let mut command = Command::new("git");
    configure(&mut command, network);
    command
}

/// Sets a clean environment for `command`, whose arguments so far end in `git`, for example those of a program that sets
/// limits and executes git. The caller then adds git's own arguments.
pub fn configure(command: &mut Command, network: Network) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| !is_kept(name, network)) {
        command.env_remove(name);
    }
    command.envs(SETTINGS).envs(match network {
        Network::Allowed => ONLINE,
        Network::Forbidden => OFFLINE,
    });
    command.arg("--no-pager");
    for setting in NO_PROGRAMS {
        command.args(["-c", setting]);
    }
}

/// Whether a variable is kept: it does not belong to git, or the user may set it.
fn is_kept(name: &OsStr, network: Network) -> bool {
    let name = name.as_encoded_bytes();
    let begins = |start: &&str| name.starts_with(start.as_bytes());
    let reaches = network == Network::Allowed && REACHING.iter().any(begins);
    !name.starts_with(b"GIT_") || reaches || KEPT.iter().any(|kept| name == kept.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables that make git use another repository, or other content for the same names.
    const OF_ANOTHER: [&str; 14] = [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_TEMPLATE_DIR",
        "GIT_WORK_TREE",
    ];

    fn kept(name: &str) -> [bool; 2] {
        [Network::Allowed, Network::Forbidden].map(|network| is_kept(OsStr::new(name), network))
    }

    #[test]
    fn no_variable_names_another_repository() {
        for name in OF_ANOTHER {
            assert_eq!(kept(name), [false; 2], "{name}");
        }
    }

    #[test]
    fn configuration_by_variables_only_says_how_to_reach_a_server() {
        for name in [
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_PARAMETERS",
            "GIT_SSH_COMMAND",
        ] {
            assert_eq!(kept(name), [true, false], "{name}");
        }
        for name in ["PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_EXEC_PATH"] {
            assert_eq!(kept(name), [true; 2], "{name}");
        }
    }

    #[test]
    fn no_hook_runs() {
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("marker");
        let git = |arguments: &[&str]| {
            let mut git = command(Network::Forbidden);
            git.arg("-C").arg(folder.path()).args(arguments);
            assert!(git.status().unwrap().success(), "{arguments:?}");
        };
        git(&["init", "--quiet"]);
        let hook = folder.path().join(".git/hooks/post-commit");
        let script = format!("#!/bin/sh\ntouch {}\n", marker.display());
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).unwrap();
        let words = "-c user.name=a -c user.email=a@b commit --quiet --allow-empty -m a";
        let words: Vec<_> = words.split(' ').collect();
        git(&words);
        assert!(!marker.exists());
        let trap = Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args(&words)
            .status();
        assert!(
            trap.unwrap().success() && marker.exists(),
            "the hook does not work"
        );
    }
}
