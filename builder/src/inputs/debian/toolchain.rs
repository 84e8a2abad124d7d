//! The packages of a toolchain, by their names in a suite.

use super::closure::Suites;
use crate::spec::{PackageSpec, RootSpec, Toolchain};

/// The compilers of C and C++ (each needs that of the suite's version), the C library, a shell, and the tools that configure
/// scripts, makefiles and build scripts call.
const C: [&str; 17] = [
    "gcc",
    "g++",
    "libc6-dev",
    "dash",
    "base-files",
    "coreutils",
    "diffutils",
    "findutils",
    "grep",
    "gzip",
    "make",
    "mawk",
    "perl",
    "pkgconf",
    "sed",
    "tar",
    "xz-utils",
];
/// rustc and cargo: a suite has newer ones for web browsers.
const RUST: [[&str; 2]; 2] = [["rustc-web", "cargo-web"], ["rustc", "cargo"]];

/// The packages that a root needs: those that it names, and those of its toolchain. If it names a rustc or cargo itself, the
/// toolchain has no other.
pub(super) fn packages(root: &RootSpec, suites: &Suites) -> Vec<PackageSpec> {
    let of_toolchain = match root.toolchain {
        None => Vec::new(),
        Some(Toolchain::C) => C.to_vec(),
        Some(Toolchain::Rust) => [&C[..], rust(root, suites)].concat(),
    };
    let is_named = |name: &str| root.packages.iter().any(|one| one.name == name);
    let of_toolchain = of_toolchain.into_iter().filter(|name| !is_named(name));
    let of_toolchain = of_toolchain.map(|name| PackageSpec::from(name.to_owned()));
    root.packages.iter().cloned().chain(of_toolchain).collect()
}

/// The rustc and cargo of the suites; if there are none, the error is about the last.
fn rust(root: &RootSpec, suites: &Suites) -> &'static [&'static str] {
    let is_named = |name: &&str| root.packages.iter().any(|one| one.name == **name);
    if let Some(pair) = RUST.iter().find(|pair| pair.iter().any(is_named)) {
        return pair;
    }
    let found = RUST
        .iter()
        .find(|pair| pair.iter().all(|name| suites.has(name)));
    found.unwrap_or(&RUST[1])
}

#[cfg(test)]
mod tests {
    use super::super::index::Index;
    use super::super::stanza::stanza;
    use super::*;

    fn names(toolchain: Option<Toolchain>, named: &[&str], available: &[&str]) -> Vec<String> {
        let index: Vec<_> = available.iter().map(|name| stanza(name, "")).collect();
        let index = Index::parse(&index.join("\n")).unwrap();
        let named = named.iter().map(|&name| PackageSpec::from(name.to_owned()));
        let root = RootSpec {
            suites: vec!["s".to_owned()],
            toolchain,
            packages: named.collect(),
            ..RootSpec::default()
        };
        let suites = Suites::new(vec![("s".to_owned(), index)]);
        let packages = packages(&root, &suites).into_iter();
        packages.map(|package| package.name).collect()
    }

    #[test]
    fn a_toolchain_adds_packages_of_the_suite() {
        let all = ["rustc", "cargo", "rustc-web", "cargo-web"];
        let rust = |named: &[&str], available: &[&str]| {
            let mut names = names(Some(Toolchain::Rust), named, available);
            names.retain(|name| !C.contains(&name.as_str()));
            names
        };
        assert_eq!(rust(&["cmake"], &all), ["cmake", "rustc-web", "cargo-web"]);
        assert_eq!(rust(&[], &all[..2]), ["rustc", "cargo"]);
        assert_eq!(rust(&["rustc"], &all), ["rustc", "cargo"]);
        assert_eq!(names(None, &["cmake"], &all), ["cmake"]);
        let c = names(Some(Toolchain::C), &["dash"], &all);
        assert_eq!(c.len(), C.len());
    }
}
