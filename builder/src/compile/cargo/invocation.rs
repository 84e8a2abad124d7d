//! How cargo is called: its command line and environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::inputs::git::Source;
use crate::spec::CargoSpec;
use crate::spec::cargo::{Linkage, Target};

pub(super) const HOME: &str = "/build/home";
pub(super) const CARGO_HOME: &str = "/build/cargo";
pub(super) const TARGET: &str = "/build/target";
pub(super) const TEMPORARY: &str = "/tmp";
/// The working directory. It is outside the source, so that cargo reads none of its configuration.
pub(super) const DIRECTORY: &str = "/build";

/// The command line that compiles these binaries of the package of `manifest`, or of a member of its workspace.
pub(super) fn build(spec: &CargoSpec, binaries: &BTreeSet<&str>, manifest: &Path) -> Vec<String> {
    let profile = match spec.profile.as_str() {
        "release" => "--release".to_owned(),
        other => format!("--profile={other}"),
    };
    let words = ["/usr/bin/cargo", "build", &profile, "--locked", "--offline"];
    let binaries = binaries.iter().map(|binary| format!("--bin={binary}"));
    let words = words.into_iter().map(str::to_owned);
    words
        .chain(selected(spec, manifest))
        .chain(binaries)
        .collect()
}

/// The command line that lists the crates in the program: for the target, without build scripts and macros.
pub(super) fn tree(spec: &CargoSpec, manifest: &Path) -> Vec<String> {
    let words = ["/usr/bin/cargo", "tree", "--locked", "--offline"];
    let shown = ["--edges", "normal,no-proc-macro", "--prefix", "depth"];
    // Depth and name are written without anything between them.
    let all = words.into_iter().chain(shown).chain(["--format", " {p}"]);
    let all = all.map(str::to_owned);
    all.chain(selected(spec, manifest)).collect()
}

/// The options that select the package, its features and the target. They have `=`, so that no name can be an option.
fn selected(spec: &CargoSpec, manifest: &Path) -> Vec<String> {
    let mut options = vec![
        format!("--manifest-path={}", manifest.display()),
        format!("--package={}", spec.package),
        format!("--target={}", spec.target.as_str()),
    ];
    if !spec.default_features {
        options.push("--no-default-features".to_owned());
    }
    if !spec.features.is_empty() {
        let features: Vec<_> = spec.features.iter().map(String::as_str).collect();
        options.push(format!("--features={}", features.join(",")));
    }
    options
}

/// The path of a binary in the sandbox.
pub(super) fn product(spec: &CargoSpec, binary: &str) -> PathBuf {
    let (target, folder) = (spec.target.as_str(), spec.profile.folder());
    PathBuf::from(format!("{TARGET}/{target}/{folder}/{binary}"))
}

/// The whole environment. Nothing of the host's environment is added.
pub(super) fn environment(
    spec: &CargoSpec,
    gcc: &str,
    source: &Source,
) -> BTreeMap<String, String> {
    let flags = flags(spec);
    let pairs = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", HOME),
        ("TMPDIR", TEMPORARY),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("SOURCE_DATE_EPOCH", "0"),
        ("CARGO_HOME", CARGO_HOME),
        ("CARGO_TARGET_DIR", TARGET),
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
        ("CARGO_TERM_PROGRESS_WHEN", "never"),
        ("RUSTFLAGS", &flags),
        ("CC", gcc),
        ("AR", "/usr/bin/x86_64-linux-gnu-ar"),
    ];
    let mut all: BTreeMap<String, String> = pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    // If a target is named, RUSTFLAGS do not apply to build scripts, which run on the machine of the compiler, but they are
    // linked, too.
    for target in [Target::Gnu, spec.target] {
        all.insert(linker(target), gcc.to_owned());
    }
    if spec.linkage == Linkage::Static {
        // pkg-config then also names the libraries that a static library needs (crate pkg-config, "Environment variables").
        all.insert("PKG_CONFIG_ALL_STATIC".to_owned(), "1".to_owned());
    }
    let own = spec.environment.iter();
    all.extend(own.map(|(name, value)| {
        (
            name.as_str().to_owned(),
            value.text(&source.commit, source.time),
        )
    }));
    all
}

/// The variable that names the linker for a target.
fn linker(target: Target) -> String {
    let key = target.as_str().replace('-', "_");
    format!("CARGO_TARGET_{}_LINKER", key.to_ascii_uppercase())
}

/// The flags of the compiler.
fn flags(spec: &CargoSpec) -> String {
    let library = match spec.linkage {
        Linkage::Static => '+',
        Linkage::Dynamic => '-',
    };
    let mut flags = format!(
        "-Ctarget-feature={library}crt-static -Ctarget-cpu={}",
        spec.processor
    );
    for condition in &spec.conditions {
        flags += &format!(" --cfg={condition}");
    }
    flags
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn spec(text: &str) -> CargoSpec {
        content::toml::parse(text).unwrap()
    }

    fn source() -> Source {
        Source {
            commit: "0".repeat(40),
            time: 1_764_356_940,
            tree: Digest::of(b"tree"),
            staged: "/nowhere".into(),
            directory: "app".into(),
            cargo: None,
            go: None,
            folders: BTreeSet::new(),
            submodules: Vec::new(),
        }
    }

    #[test]
    fn every_entry_is_in_the_invocation() {
        let spec = spec(
            "package = '-p'\nfeatures = ['b', 'a']\ndefault-features = false\nprofile = 'small'\ncfg = ['x']\n\
             target-cpu = 'x86-64-v3'\ndynamic = 'glibc'\n[env]\nA = '1'\nB.source = 'commit'\nC.source = 'time'\n",
        );
        let manifest = Path::new("/build/src/app/Cargo.toml");
        let selected = "--manifest-path=/build/src/app/Cargo.toml --package=-p --target=x86_64-unknown-linux-gnu \
                        --no-default-features --features=a,b";
        assert_eq!(
            build(&spec, &["one", "two"].into(), manifest).join(" "),
            format!(
                "/usr/bin/cargo build --profile=small --locked --offline {selected} --bin=one --bin=two"
            )
        );
        let tree = tree(&spec, manifest).join(" ");
        assert!(tree.ends_with(selected), "{tree}");
        let environment = environment(&spec, "/gcc", &source());
        for (name, value) in [
            (
                "RUSTFLAGS",
                "-Ctarget-feature=-crt-static -Ctarget-cpu=x86-64-v3 --cfg=x",
            ),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "/gcc"),
            ("A", "1"),
            ("B", "0000000000000000000000000000000000000000"),
            ("C", "1764356940"),
        ] {
            assert_eq!(environment[name], value, "{name}");
        }
        assert!(!environment.contains_key("PKG_CONFIG_ALL_STATIC"));
        let product = product(&spec, "one");
        let expected = "/build/target/x86_64-unknown-linux-gnu/small/one";
        assert_eq!(product, Path::new(expected));
    }

    #[test]
    fn build_scripts_are_linked_for_the_machine_of_the_compiler() {
        let spec = spec("package = 'p'\ntarget = 'x86_64-unknown-linux-musl'");
        let environment = environment(&spec, "/gcc", &source());
        for target in ["GNU", "MUSL"] {
            let name = format!("CARGO_TARGET_X86_64_UNKNOWN_LINUX_{target}_LINKER");
            assert_eq!(environment[&name], "/gcc");
        }
        assert_eq!(environment["PKG_CONFIG_ALL_STATIC"], "1");
    }
}
