//! The limits on a program: memory, processes, files and output.

use super::*;

fn limited(change: impl Fn(&mut Limits), way: &Way) -> Way {
    let mut way = way.clone();
    change(&mut way.limits);
    way
}

/// Asserts that `script` ends, as both users, for want of what `expected` says.
fn assert_exceeds(script: &str, change: impl Fn(&mut Limits), option: &str, expected: &str) {
    if product("true").is_none() {
        return;
    }
    for_both_users(expected, |way| {
        let Ran { outcome, said } = run_as(script, &limited(&change, way));
        let error = outcome.expect_err(script);
        assert_eq!(
            error.to_string(),
            format!("running /bin/sh: it used more than {expected}"),
            "{script}\n{said}"
        );
        assert!(error.hint().unwrap().contains(option), "{option}");
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
        assert_exceeds(script, change, "--limit-files", expected);
    }
}

#[test]
fn memory_has_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.memory = NonZeroU32::new(64).unwrap();
    for script in [
        "perl -e '$x = \"a\" x (90 << 20); sleep 9'",
        "for i in 1 2 3; do perl -e '$x = \"a\" x (30 << 20); sleep 9' & done; wait",
    ] {
        assert_exceeds(script, change, "--limit-memory", "64 MiB of memory");
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
        "--limit-processes",
        "50 processes and threads",
    );
}

#[test]
fn output_has_a_limit_that_is_named() {
    let change = |limits: &mut Limits| limits.output = NonZeroU32::new(1).unwrap();
    let script = "yes | head -c 3M >&2; touch /build/target/product";
    assert_exceeds(script, change, "--limit-output", "1 MiB of output");
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
