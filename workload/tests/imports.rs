//! Checks the imports: the platform names no job, and no job names the platform or the terms.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![root.join(format!("{folder}.rs"))];
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    assert!(found.len() > 1);
    found
}

#[track_caller]
fn names_none(folder: &str, modules: &[&str]) {
    for path in sources(folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        for module in modules {
            let names = ["crate::", "super::", "crate::{", "super::{"];
            let named = names
                .iter()
                .any(|name| text.contains(&format!("{name}{module}")));
            assert!(!named, "{} names {module}", path.display());
        }
    }
}

#[test]
fn the_platform_names_no_job() {
    names_none("platform", &["job", "run"]);
}

#[test]
fn no_job_names_the_platform() {
    names_none(
        "job",
        &["platform", "terms", "run", "Secret", "Error", "Refusal"],
    );
}
