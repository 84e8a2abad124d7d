//! The packages of a toolchain, by their names in a suite.

use console::hint::Hinted;

use super::closure::Suites;
use crate::lock::packages::Package;
use crate::spec::{ArchiveSpec, PackageSpec, RootSpec, Toolchain};

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

/// Checks that packages, or an archive, have what builds with cargo need: one gcc with a version, which links, and cargo.
///
/// # Errors
/// What is missing.
pub(in crate::inputs) fn check_for_cargo(
    packages: &[Package],
    archives: &[ArchiveSpec],
) -> Result<(), Hinted> {
    let is_gcc = |name: &str| {
        let version = name.strip_prefix("gcc-").unwrap_or_default();
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
    };
    let names = || packages.iter().map(|package| package.name.as_str());
    let compilers = names().filter(|name| is_gcc(name)).count();
    if compilers != 1 {
        return Err(Hinted::new(format_args!(
            "checking Image.toml: expected one package gcc-N in [root], which links programs, found {compilers}"
        ))
        .hinting(RUST_HINT));
    }
    // What an archive has is only known when it is unpacked.
    if archives.is_empty() && !names().any(|name| name == "cargo" || name == "cargo-web") {
        return Err(
            Hinted::new("checking Image.toml: no package of [root] has cargo").hinting(RUST_HINT),
        );
    }
    Ok(())
}

const RUST_HINT: &str = "write toolchain = \"rust\" in [root], which has rustc, cargo and gcc";

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
    fn what_builds_with_cargo_lack_is_named() {
        let check = |names: &[&str]| {
            let package = |name: &&str| Package {
                name: name.to_string(),
                ..crate::lock::tests::lock().packages[0].clone()
            };
            let packages: Vec<_> = names.iter().map(package).collect();
            let checked = check_for_cargo(&packages, &[]);
            checked.map_err(|error| error.to_string())
        };
        check(&["gcc-14", "gcc-14-base", "gcc", "cargo-web"]).unwrap();
        for (names, reason) in [
            (&["gcc-14"][..], "no package of [root] has cargo"),
            (
                &["cargo"],
                "expected one package gcc-N in [root], which links programs, found 0",
            ),
            (&["gcc-13", "gcc-14", "cargo"], "found 2"),
        ] {
            let refused = check(names).unwrap_err();
            assert!(refused.ends_with(reason), "{refused}");
        }
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
