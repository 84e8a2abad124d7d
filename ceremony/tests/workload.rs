//! The workload and `tee` have their own lock, which is an input of the image; they are tested with that one.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_workload_and_its_platform_pass_their_own_tests() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workload/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["test", "--locked", "--workspace", "--manifest-path"])
        .arg(manifest)
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .unwrap();
    assert!(status.success());
}
