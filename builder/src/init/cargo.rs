//! A program that cargo compiles.

use std::collections::BTreeSet;
use std::path::Path;

use console::hint::Hinted;

use super::configured;
use super::found::{Build, Content, Found};
use crate::error::Error;
use crate::inputs::git::survey::{self, Package};

/// Crates that need Debian packages to compile, besides those of the toolchain.
const NEEDS: [(&str, &[&str]); 4] = [
    ("cmake", &["cmake"]),
    ("bindgen", &["libclang-dev"]),
    ("prost-build", &["protobuf-compiler", "libprotobuf-dev"]),
    ("openssl-sys", &["libssl-dev"]),
];
/// With the first of these crates, the second needs no package: OpenSSL is compiled.
const VENDORED: (&str, &str) = ("openssl-src", "openssl-sys");

/// Finds a package with a program.
pub(super) fn find(directory: &Path) -> Result<Option<Found>, Error> {
    let Some(packages) = survey::packages(directory)? else {
        return Ok(None);
    };
    let names: Vec<_> = packages
        .iter()
        .map(|package| package.name.clone())
        .collect();
    let Some(package) = packages.into_iter().next() else {
        let directory = directory.display();
        let none = format!("finding a program in {directory}: no package of Cargo.toml has one");
        return Err(Hinted::new(none)
            .hinting("add a src/main.rs or a [[bin]]")
            .into());
    };
    let locked = survey::locked(directory)?;
    let (binary, features) = program(&package);
    let mut open = Vec::new();
    if names.len() > 1 {
        let others = names.join(", ");
        open.push(("build.package", format!("choose the package: {others}")));
    }
    if package.binaries.len() > 1 {
        let others = package.binaries.keys().cloned().collect::<Vec<_>>();
        let choose = format!("choose the programs: {}", others.join(", "));
        open.push(("file.binary", choose));
    }
    if locked.is_none() {
        let write = "Cargo.lock is missing: write it with `cargo generate-lockfile`, and commit it";
        open.push(("build", write.to_owned()));
    }
    let (configured, left) = configured::read(directory)?;
    open.extend(left);
    let path = format!("/{binary}");
    Ok(Some(Found {
        start: vec![path.clone()],
        files: vec![(path, Content::Binary(binary))],
        build: Build::Cargo {
            package: package.name,
            features,
            configured,
            packages: needs(&locked.unwrap_or_default()),
        },
        open,
    }))
}

/// The program that `cargo run` starts, or the one that is named as its package, or the first; and the features that it
/// requires.
fn program(package: &Package) -> (String, Vec<String>) {
    let wanted = package.default.as_ref().unwrap_or(&package.name);
    let named = package.binaries.get_key_value(wanted);
    let chosen = named.or_else(|| package.binaries.first_key_value());
    chosen.map_or_else(Default::default, |(name, features)| {
        (name.clone(), features.clone())
    })
}

fn needs(locked: &BTreeSet<String>) -> Vec<&'static str> {
    let (source, user) = VENDORED;
    let is_vendored = |name: &str| name == user && locked.contains(source);
    let is_needed = |name: &str| locked.contains(name) && !is_vendored(name);
    let needed = NEEDS.iter().filter(|(name, _)| is_needed(name));
    needed
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect()
}
