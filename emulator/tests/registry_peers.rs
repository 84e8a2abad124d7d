//! The registry, tested with other projects' programs: crane, skopeo and the conformance suite of the OCI
//! distribution specification.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics and reports"
)]

mod loopback;

use std::process::{Command, Output};

use loopback::Loopback;

/// Runs a program; reports the test as skipped and returns `None` if it is not installed.
fn run(program: &str, prepare: impl FnOnce(&mut Command)) -> Option<Output> {
    let home = std::env::var("HOME").unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{path}:{home}/go/bin"));
    prepare(&mut command);
    match command.output() {
        Ok(output) => Some(output),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            testkit::skip("registry peers", format_args!("{program} is not installed"));
            None
        }
        Err(e) => panic!("{program}: {e}"),
    }
}

#[test]
fn passes_the_conformance_suite() {
    let registry = Loopback::start();
    let results = tempfile::tempdir().unwrap();
    let Some(output) = run("conformance", |command| {
        command
            .current_dir(results.path())
            .env("OCI_REGISTRY", registry.address());
        command
            .env("OCI_TLS", "disabled")
            .env("OCI_REPO1", "a/b")
            .env("OCI_REPO2", "c/d");
    }) else {
        return;
    };
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = |name: &str| {
        let line = report
            .lines()
            .find(|line| line.trim().starts_with(&format!("{name}..")));
        let number = line.and_then(|line| line.rsplit(' ').next());
        number.and_then(|text| text.parse::<u32>().ok())
    };
    let failed: Vec<_> = report
        .lines()
        .filter(|line| line.contains("FAIL"))
        .collect();
    println!(
        "conformance: {:?} passed, {:?} failed",
        count("Pass"),
        count("FAIL")
    );
    assert_eq!(count("FAIL"), Some(0), "{failed:#?}");
    assert_eq!(count("Error"), Some(0), "{report}");
    assert!(count("Pass") > Some(800), "{report}");
    assert!(output.status.success());
}
