//! What a program can see and do in the sandbox. The build root has the programs of this machine.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod limits;
mod view;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use builder::interrupt::Interrupt;
use builder::sandbox::{Bind, Limits, Output, Plan, Process, Refusal, Sandbox, SandboxError, Step};

/// The user ID of `nobody` in Debian.
const NOBODY: u32 = 65534;
/// Limits that no script in this file reaches.
const LIMITS: Limits = Limits {
    memory: NonZeroU32::new(1024).unwrap(),
    files: NonZeroU32::new(1024).unwrap(),
    processes: NonZeroU32::new(1024).unwrap(),
    output: NonZeroU32::new(1024).unwrap(),
};

struct Ran {
    /// The product, and the output that was returned.
    outcome: Result<(String, String), SandboxError>,
    said: String,
}

/// How a script is run.
#[derive(Clone)]
struct Way {
    helper: PathBuf,
    root: PathBuf,
    output: Output,
    time: Duration,
    limits: Limits,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            helper: env!("CARGO_BIN_EXE_builder").into(),
            root: "/".into(),
            output: Output::User,
            time: Duration::from_secs(60),
            limits: LIMITS,
        }
    }
}

fn plan(script: &str, scratch: &Path) -> Plan {
    Plan {
        root: PathBuf::from("/"),
        binds: vec![Bind {
            source: scratch.join("input"),
            target: "/build/src".into(),
        }],
        writable: vec!["/build/target".into(), "/tmp".into()],
        files: BTreeMap::from([("/tmp/given".into(), "given\n".to_owned())]),
        process: Process {
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            directory: "/build/src".into(),
        },
        copies: Vec::new(),
        traces: None,
        output: Output::User,
        products: vec!["/build/target/product".into()],
        mount_point: scratch.join("root"),
    }
}

fn run(script: &str) -> Ran {
    run_as(script, &Way::default())
}

fn run_as(script: &str, way: &Way) -> Ran {
    let scratch = tempfile::tempdir().unwrap();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(scratch.path().join("input")).unwrap();
    fs::write(scratch.path().join("input/file"), "input\n").unwrap();
    let said = Mutex::new(String::new());
    let sandbox = Sandbox {
        helper: &way.helper,
        interrupt: &Interrupt::default(),
        limit: way.time,
        limits: way.limits,
        progress: &|line| {
            let mut said = said.lock().unwrap();
            said.push_str(line);
            said.push('\n');
        },
    };
    let product = scratch.path().join("product");
    let plan = Plan {
        root: way.root.clone(),
        output: way.output,
        ..plan(script, scratch.path())
    };
    let outcome = sandbox
        .run(&plan, std::slice::from_ref(&product))
        .map(|ran| {
            let output = String::from_utf8(ran.output).unwrap();
            (fs::read_to_string(&product).unwrap(), output)
        });
    let said = said.into_inner().unwrap();
    Ran { outcome, said }
}

/// The product of `script`; `None` when this machine allows no namespaces.
fn product(script: &str) -> Option<String> {
    product_as(script, &Way::default())
}

fn product_as(script: &str, way: &Way) -> Option<String> {
    let script = format!("{{ {script}\n}} >/build/target/product");
    let Ran { outcome, said } = run_as(&script, way);
    match outcome {
        Ok((text, _)) => Some(text),
        Err(
            error @ SandboxError::Refused(Refusal {
                step: Step::Namespaces | Step::Root,
                ..
            }),
        ) => {
            testkit::skip(
                "sandbox",
                format_args!("no namespaces on this machine: {error}"),
            );
            None
        }
        Err(error) => panic!("{error}\n{said}"),
    }
}

fn expect(script: &str, expected: &str) {
    if let Some(found) = product(script) {
        assert_eq!(found, expected, "{script}");
    }
}

#[test]
fn failures_are_distinguished() {
    if product("true").is_none() {
        return;
    }
    let exited = run("echo why >&2; exit 7");
    assert!(
        matches!(exited.outcome, Err(SandboxError::Exited { code: 7, .. })),
        "{:?}",
        exited.outcome
    );
    assert_eq!(exited.said, "why\n");
    let killed = run("kill -9 $$");
    assert_eq!(
        killed.outcome.unwrap_err().to_string(),
        "running /bin/sh: ended by signal 9"
    );
    let missing = run("true");
    assert_eq!(
        missing.outcome.unwrap_err().to_string(),
        "reading /build/target/product in the sandbox: No such file or directory (os error 2)"
    );
    let link = run("ln -s /dev/zero /build/target/product");
    let link = link.outcome.unwrap_err().to_string();
    assert!(
        link.starts_with("reading /build/target/product in the sandbox: "),
        "{link}"
    );
}

#[test]
fn output_can_be_returned() {
    if product("true").is_none() {
        return;
    }
    let way = Way {
        output: Output::Returned,
        ..Way::default()
    };
    let script = "echo output; echo people >&2; echo product >/build/target/product";
    let Ran { outcome, said } = run_as(script, &way);
    let (product, output) = outcome.unwrap();
    assert_eq!(
        (product.as_str(), output.as_str()),
        ("product\n", "output\n")
    );
    assert_eq!(said, "people\n");
}

#[test]
fn nothing_keeps_the_builder_waiting() {
    if product("true").is_none() {
        return;
    }
    let started = Instant::now();
    let left = run("sleep 100 & exit 7");
    assert!(
        matches!(left.outcome, Err(SandboxError::Exited { code: 7, .. })),
        "{:?}",
        left.outcome
    );
    let way = Way {
        time: Duration::from_secs(1),
        ..Way::default()
    };
    let endless = run_as("sleep 100 & sleep 100", &way);
    assert_eq!(
        endless.outcome.unwrap_err().to_string(),
        "running /bin/sh: the time limit of 1 seconds was reached"
    );
    assert!(started.elapsed() < Duration::from_secs(50));
}

/// The helper as another user than root, if we are root, in a folder that has to be kept.
fn unprivileged() -> Option<(tempfile::TempDir, Way)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let helper = folder.path().join("helper");
    // By another process: a program that one of our threads has open to write cannot be started, and
    // a process that another thread starts in the meantime would also have it open.
    let script = "install -m 0755 \"$1\" builder && printf '#!/bin/sh\\nexec setpriv --reuid=%s \
                  --regid=%s --clear-groups %s/builder \"$@\"\\n' \"$2\" \"$2\" \"$PWD\" >helper && chmod 0755 helper";
    let made = Command::new("/bin/sh")
        .args([
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_builder"),
            &NOBODY.to_string(),
        ])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let way = Way {
        helper,
        ..Way::default()
    };
    Some((folder, way))
}

/// Runs `test` as the user who we are, and as another if we are root.
fn for_both_users(name: &str, test: impl Fn(&Way)) {
    test(&Way::default());
    match unprivileged() {
        Some((_folder, way)) => test(&way),
        None => testkit::leave_out(&format!("{name} as another user"), "not root"),
    }
}

#[test]
fn a_process_that_outlives_its_parent_is_an_error() {
    if product("true").is_none() {
        return;
    }
    let product = "/build/target/product";
    for script in [
        format!("echo x >{product}; sleep 100 &"),
        format!("(sleep 100 &); echo x >{product}"),
        // A process that has changed the product by then is also an error.
        format!("((sleep 0.2; echo evil >{product}) &); echo x >{product}; sleep 1"),
    ] {
        let Ran { outcome, said } = run(&script);
        let error = outcome.expect_err(&script).to_string();
        // The first name is that of a process which is about to become the other.
        let named = ["sh", "sleep"].map(|process| {
            format!("running /bin/sh: process {process:?} outlived its parent process")
        });
        assert!(named.contains(&error), "{script}: {error}\n{said}");
    }
}
