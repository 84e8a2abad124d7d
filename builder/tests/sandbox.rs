//! What a program sees and may do in the sandbox, with this machine's own programs as build root.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use builder::interrupt::Interrupt;
use builder::sandbox::{Bind, Output, Plan, Sandbox, SandboxError, Step};

struct Ran {
    outcome: Result<String, SandboxError>,
    said: String,
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
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        directory: "/build/src".into(),
        output: Output::People,
        product: "/build/target/product".into(),
        mount_point: scratch.join("root"),
    }
}

fn run(script: &str) -> Ran {
    run_as(script, |plan| plan, Duration::from_secs(60))
}

fn run_as(script: &str, change: impl Fn(Plan) -> Plan, limit: Duration) -> Ran {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("input")).unwrap();
    fs::write(scratch.path().join("input/file"), "input\n").unwrap();
    let said = Mutex::new(String::new());
    let sandbox = Sandbox {
        helper: Path::new(env!("CARGO_BIN_EXE_builder")),
        interrupt: &Interrupt::default(),
        limit,
        progress: &|line| {
            let mut said = said.lock().unwrap();
            said.push_str(line);
            said.push('\n');
        },
    };
    let product = scratch.path().join("product");
    let outcome = sandbox
        .run(&change(plan(script, scratch.path())), &product)
        .map(|()| fs::read_to_string(&product).unwrap());
    let said = said.into_inner().unwrap();
    Ran { outcome, said }
}

/// The product of `script`; `None` when this machine allows no namespaces.
fn product(script: &str) -> Option<String> {
    let Ran { outcome, said } = run(&format!("{{ {script}\n}} >/build/target/product"));
    match outcome {
        Ok(text) => Some(text),
        Err(
            error @ SandboxError::Refused {
                step: Step::Namespaces | Step::Root,
                ..
            },
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
fn user_host_and_environment_are_fixed() {
    expect(
        "id -u; id -g; uname -n; pwd; umask",
        "1000\n1000\ncountersign\n/build/src\n0022\n",
    );
    expect(
        "env | grep -v -e ^_= -e ^PWD= -e ^SHLVL=",
        "PATH=/usr/bin:/bin\n",
    );
}

#[test]
fn inputs_are_there_and_nothing_else_of_the_host() {
    let top = "bin\nbuild\ndev\netc\nproc\ntmp\nusr\n";
    expect(
        "cat file /tmp/given; ls / | grep -v -E 'lib|sbin'; ls -A /etc",
        &format!("input\ngiven\n{top}"),
    );
}

#[test]
fn only_memory_can_be_written() {
    let probe = "for f in /x /build/x /build/src/file /usr/x /dev/x /etc/x /proc/sys/kernel/hostname; do \
                 (echo x >$f) 2>/dev/null && echo wrote $f; done; echo x >/tmp/x && echo done";
    expect(probe, "done\n");
}

#[test]
fn there_is_no_network() {
    expect("cat /proc/net/dev 2>/dev/null | grep -c :; true", "0\n");
    let probe = "perl -MSocket -e 'for (AF_INET, AF_INET6, 16) { \
                 print socket(my $s, $_, SOCK_DGRAM, 0) ? \"open\\n\" : \"$!\\n\" }'";
    expect(
        probe,
        "Operation not permitted\nOperation not permitted\nOperation not permitted\n",
    );
}

#[test]
fn privileges_are_gone_for_good() {
    let status = "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status";
    let none = "0000000000000000";
    let expected = format!(
        "CapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    );
    expect(status, &expected);
    expect("unshare -Ur true 2>/dev/null || echo no", "no\n");
    expect("mount -t tmpfs none /tmp 2>/dev/null || echo no", "no\n");
    expect("setarch -R true 2>/dev/null || echo no", "no\n");
}

#[test]
fn processes_of_the_host_are_not_seen() {
    expect(
        "ls /proc | grep -E '^[0-9]+$' | head -1; echo $PPID",
        "1\n1\n",
    );
    expect("ls /proc | grep -v -E '^[0-9]+$|self'; true", "");
}

/// A folder of the host is the worst: from it every other one can be reached.
#[test]
fn files_that_the_builder_was_left_with_are_closed() {
    let (folder, file) = (fs::File::open("/"), fs::File::open("/etc/passwd"));
    for inherited in [folder.unwrap(), file.unwrap()] {
        rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
        expect("ls /proc/self/fd", "0\n1\n2\n3\n");
    }
}

#[test]
fn addresses_are_the_same_each_time() {
    let script = "grep -E 'stack|vdso' /proc/self/maps | cut -d' ' -f1";
    if let (Some(first), Some(second)) = (product(script), product(script)) {
        assert!(!first.is_empty());
        assert_eq!(first, second);
    }
}

#[test]
fn failures_are_told_apart() {
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
    assert!(
        matches!(killed.outcome, Err(SandboxError::Killed { signal: 9, .. })),
        "{:?}",
        killed.outcome
    );
    let missing = run("true");
    assert!(
        matches!(missing.outcome, Err(SandboxError::Missing { .. })),
        "{:?}",
        missing.outcome
    );
    let link = run("ln -s /dev/zero /build/target/product");
    assert!(
        matches!(link.outcome, Err(SandboxError::Missing { .. })),
        "{:?}",
        link.outcome
    );
}

#[test]
fn output_can_be_the_product() {
    if product("true").is_none() {
        return;
    }
    let script = "echo product; echo people >&2";
    let into = |plan| Plan {
        output: Output::Product,
        ..plan
    };
    let Ran { outcome, said } = run_as(script, into, Duration::from_secs(60));
    assert_eq!(
        (outcome.unwrap().as_str(), said.as_str()),
        ("product\n", "people\n")
    );
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
    let endless = run_as("sleep 100 & sleep 100", |plan| plan, Duration::from_secs(1));
    assert!(
        matches!(endless.outcome, Err(SandboxError::Late { .. })),
        "{:?}",
        endless.outcome
    );
    assert!(started.elapsed() < Duration::from_secs(50));
}
