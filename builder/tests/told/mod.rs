//! How every program says that it cannot go on.
#![allow(dead_code, reason = "not every test makes its machine worse")]

use std::process::{Command, Stdio};

/// What `program` says on standard error, run by `command`: it must end with one error and one hint,
/// as exit status 2 and without a result.
pub fn told(program: &str, mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
    assert_eq!(output.stdout, b"", "{command:?}");
    let lines: Vec<_> = said.lines().collect();
    let begins = |start: String| lines.iter().filter(|line| line.starts_with(&start)).count();
    assert_eq!(
        begins(format!("{program}: error: ")),
        1,
        "{command:?}: {said}"
    );
    assert_eq!(begins("hint: ".to_owned()), 1, "{command:?}: {said}");
    assert!(
        lines[lines.len() - 1].starts_with("hint: "),
        "{command:?}: {said}"
    );
    assert!(!lines.contains(&""), "{command:?}: {said}");
    said
}

/// `command` behind the shell's `script`, as the first user of namespaces of its own; where there
/// may be none, says by name that `test` is skipped.
pub fn after(script: &str, command: &Command, test: &str) -> Option<Command> {
    let possible = Command::new("unshare").args(["-Urm", "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        testkit::skip(test, "no namespaces on this machine");
        return None;
    }
    let mut unshare = Command::new("unshare");
    let script = format!("{script}; exec \"$@\"");
    unshare.args(["-Urm", "sh", "-c", &script, "-"]);
    unshare.arg(command.get_program()).args(command.get_args());
    Some(unshare)
}
