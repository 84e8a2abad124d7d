//! What a program can see and do in the sandbox. The build root has the programs of this machine.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use builder::interrupt::Interrupt;
use builder::sandbox::{
    Bind, Limits, Output, Plan, Process, Refusal, Resource, Sandbox, SandboxError, Step,
};

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
    output: Output,
    time: Duration,
    limits: Limits,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            helper: env!("CARGO_BIN_EXE_builder").into(),
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
        output: Output::User,
        product: Some("/build/target/product".into()),
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
        output: way.output,
        ..plan(script, scratch.path())
    };
    let outcome = sandbox.run(&plan, &product).map(|output| {
        let output = String::from_utf8(output).unwrap();
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
fn only_inputs_of_the_host_are_visible() {
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
fn privileges_cannot_be_regained() {
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

/// An open folder of the host is the worst case: every other folder can be reached from it.
#[test]
fn inherited_files_are_closed() {
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
    assert!(
        matches!(endless.outcome, Err(SandboxError::Late { .. })),
        "{:?}",
        endless.outcome
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

/// Runs `test` as the user who we are, and as another one if we are root.
fn for_both_users(name: &str, test: impl Fn(&Way)) {
    test(&Way::default());
    match unprivileged() {
        Some((_folder, way)) => test(&way),
        None => testkit::leave_out(&format!("{name} as another user"), "not root"),
    }
}

const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];

/// The properties of the host's device nodes that a build could change.
fn device_nodes() -> Vec<[i64; 5]> {
    let node = |name| fs::metadata(Path::new("/dev").join(name)).unwrap();
    let nodes = DEVICES.into_iter().map(node);
    let properties = |node: fs::Metadata| {
        let (mode, owner) = (node.mode().into(), node.uid().into());
        [mode, owner, node.mtime(), node.ctime(), node.ctime_nsec()]
    };
    nodes.map(properties).collect()
}

#[test]
fn device_nodes_can_be_used_but_not_changed() {
    let before = device_nodes();
    let change = "for f in full null random urandom zero; do \
                  chmod 0600 /dev/$f && echo mode; touch -d @424242 /dev/$f && echo times; \
                  chown 1000:1000 /dev/$f && echo owner; done 2>/dev/null; true";
    let used = "echo x >/dev/null && head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; \
                (echo x >/dev/full) 2>/dev/null || echo full";
    for_both_users("device_nodes_can_be_used_but_not_changed", |way| {
        if let Some(found) = product_as(&format!("{change}; {used}"), way) {
            assert_eq!(found, "3\n3\nfull\n");
        }
        assert_eq!(device_nodes(), before);
    });
}

#[test]
fn processes_cannot_write_to_each_other() {
    expect(
        "for f in comm mem oom_score_adj; do (echo x >/proc/$$/$f) 2>/dev/null && echo wrote; done; true",
        "",
    );
}

fn limited(change: impl Fn(&mut Limits), way: &Way) -> Way {
    let mut way = way.clone();
    change(&mut way.limits);
    way
}

/// Asserts that `script` ends, as both users, for want of what `expected` says.
fn assert_exceeds(script: &str, change: impl Fn(&mut Limits), resource: Resource, expected: &str) {
    if product("true").is_none() {
        return;
    }
    for_both_users(expected, |way| {
        let Ran { outcome, said } = run_as(script, &limited(&change, way));
        let error = outcome.expect_err(script);
        assert!(
            matches!(&error, SandboxError::Exceeded { exceeded, .. } if exceeded.resource == resource),
            "{script}: {error}\n{said}"
        );
        assert_eq!(
            error.to_string(),
            format!("running /bin/sh: it used more than {expected}")
        );
    });
}

#[test]
fn files_have_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.files = NonZeroU32::new(32).unwrap();
    for script in [
        "head -c 100M /dev/zero >/tmp/large",
        // Together, and by name alone.
        "head -c 20M /dev/zero >/tmp/one; head -c 20M /dev/zero >/build/target/two; sleep 9",
        "cd /tmp; seq 9000 | xargs touch; sleep 9",
    ] {
        let expected = "32 MiB of its temporary file system";
        assert_exceeds(script, change, Resource::Files, expected);
    }
}

#[test]
fn memory_has_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.memory = NonZeroU32::new(64).unwrap();
    for script in [
        "perl -e '$x = \"a\" x (90 << 20); sleep 9'",
        "for i in 1 2 3; do perl -e '$x = \"a\" x (30 << 20); sleep 9' & done; wait",
    ] {
        assert_exceeds(script, change, Resource::Memory, "64 MiB of memory");
    }
}

/// The same pages are seen in each process.
#[test]
fn memory_that_is_shared_counts_once() {
    let way = limited(
        |limits| limits.memory = NonZeroU32::new(64).unwrap(),
        &Way::default(),
    );
    let script =
        "perl -e '$x = \"a\" x (20 << 20); fork for 1 .. 2; sleep 1; 1 while wait > 0'; echo done";
    if let Some(found) = product_as(script, &way) {
        assert_eq!(found, "done\n");
    }
}

#[test]
fn processes_have_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.processes = NonZeroU32::new(50).unwrap();
    let script = "for i in $(seq 100); do sleep 9 & done; wait";
    assert_exceeds(
        script,
        change,
        Resource::Processes,
        "50 processes and threads",
    );
}

#[test]
fn output_has_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.output = NonZeroU32::new(1).unwrap();
    let script = "yes | head -c 3M >&2; touch /build/target/product";
    assert_exceeds(script, change, Resource::Output, "1 MiB of output");
    let returned = Way {
        output: Output::Returned,
        ..limited(change, &Way::default())
    };
    if product("true").is_some() {
        let Ran { outcome, .. } = run_as("yes | head -c 3M", &returned);
        let said = outcome.unwrap_err().to_string();
        assert_eq!(said, "running /bin/sh: it used more than 1 MiB of output");
    }
}

/// Other memory would be without a limit.
#[test]
fn memory_always_belongs_to_a_process_or_a_file_system() {
    let script =
        "perl -e 'for (319, 447, 29) { my $r = syscall($_, 0, 4096, 0); print \"$!\\n\" }'";
    let unknown = "Function not implemented\n";
    expect(script, &unknown.repeat(3));
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
            format!("running /bin/sh: process {process:?} outlived the process that started it")
        });
        assert!(named.contains(&error), "{script}: {error}\n{said}");
    }
}
