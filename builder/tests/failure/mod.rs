//! Checks how programs fail.
#![allow(dead_code, reason = "not every test uses all functions")]

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Invalid references to a key, with the PIN 9317 or a part of a PIN.
pub const KEYS_WITH_PIN: [&str; 6] = [
    "pkcs11:object=k;colour=red?pin-value=9317",
    "pkcs11:object=k?pin-value:9317",
    "pkcs11:object=k?pin-value=1&9317",
    "PKCS11:token=t?pin-value=9317",
    "pkcs11:object=k?module-path=/a;pin-value=9317",
    "pkcs-11:object=k?pin-value=9317",
];

/// Runs `command`, a `program` that must fail with one error, one hint, exit status 2 and no output. Returns its standard
/// error.
pub fn fails(program: &str, command: Command) -> String {
    fails_with(2, program, command)
}

/// As [`fails`], with another exit status.
pub fn fails_with(status: i32, program: &str, mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{command:?}: {said}");
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

/// Runs `command`, which always fails, with several limits on open files. It must fail as with [`fails`] each time.
pub fn fails_with_few_files(program: &str, command: &Command) {
    for limit in 4..24 {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {limit}; exec \"$@\""), "-"]);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        fails(program, shell);
    }
}

/// A command that runs the shell's `script` and then `command`, as root in new namespaces. If the machine has no
/// namespaces, `test` is skipped.
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

/// Creates `pipe`, and sends `signal` to `command` while it waits for input from it. `command` must end. Returns its
/// standard error.
pub fn interrupted(mut command: Command, signal: Signal, pipe: &Path) -> String {
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Opens as soon as the other end is open.
    let writer = File::options().write(true).open(pipe).unwrap();
    kill_process(Pid::from_child(&child), signal).unwrap();
    let heard = ends(&mut child);
    drop(writer);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(heard, "{command:?}: {said}");
    assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
    std::fs::remove_file(pipe).unwrap();
    said
}

fn ends(child: &mut Child) -> bool {
    (0..600).any(|_| {
        thread::sleep(Duration::from_millis(50));
        child.try_wait().unwrap().is_some()
    })
}
