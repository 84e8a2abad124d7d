//! Configuration of cargo and rustup in a source. Cargo in the sandbox runs outside the source, and so reads none of it:
//! it could replace the checked crates, the compiler, the linker and all flags. A source with configuration that would have
//! an effect elsewhere is refused, unless `Image.toml` says that it is to be ignored.

use std::path::Path;

use console::hint::Hinted;
use toml::{Table, Value};

use super::error::{SourceError, reading};
use super::manifests::Files;
use super::path::SourcePath;
use crate::spec::cargo::{CargoSpec, HostConfig};
use crate::untrusted::{self, shown};

/// The names that cargo looks for (The Cargo Book, "Configuration").
const CARGO: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
/// The names that rustup looks for (The rustup book, "Overrides").
const RUSTUP: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];
/// Tables of cargo's configuration that change no program.
const WITHOUT_EFFECT: [&str; 17] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "doc",
    "future-incompat-report",
    "host",
    "http",
    "install",
    "net",
    "registries",
    "registry",
    "resolver",
    "source",
    "target-applies-to-host",
    "term",
    "unstable",
];
/// Settings in the table `build` that change no program.
const BUILD_WITHOUT_EFFECT: [&str; 10] = [
    "analysis",
    "build-dir",
    "dep-info-basedir",
    "incremental",
    "jobs",
    "rustdoc",
    "rustdocflags",
    "sbom",
    "target-dir",
    "warnings",
];
const HINT: &str = "write the named entries in Image.toml, and in [build] also host-config = \"ignore\": it builds without \
                    these files, and provenance says so";

/// A file of configuration.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Its path in the repository.
    pub path: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Cargo(Table),
    /// The channel, if the file names one.
    Rustup(Option<String>),
}

/// The configuration that cargo and rustup would read if they ran in `folder`: that in the folder, and in all folders above.
///
/// # Errors
/// A file cannot be read or parsed.
pub(super) fn find(files: &mut dyn Files, folder: &str) -> Result<Vec<Configuration>, SourceError> {
    let mut found = Vec::new();
    for above in Path::new(folder).ancestors() {
        for name in CARGO.into_iter().chain(RUSTUP) {
            let path = above.join(name);
            let path = SourcePath::parse(&path.to_string_lossy())?;
            let bytes = match files.file(&path) {
                // A second name, as `config` for `config.toml`, may be a link.
                Err(SourceError::Refused(_)) if is_second(&found, above) => continue,
                read => read?,
            };
            let Some(bytes) = bytes else {
                continue;
            };
            let content = match RUSTUP.contains(&name) {
                true => Content::Rustup(channel(&bytes)),
                false => Content::Cargo(parse(&path, &bytes)?),
            };
            let path = path.to_string();
            found.push(Configuration { path, content });
        }
    }
    Ok(found)
}

/// Whether a file of configuration in the folder was found already.
fn is_second(found: &[Configuration], folder: &Path) -> bool {
    let firsts = [CARGO[0], RUSTUP[0]].map(|name| folder.join(name));
    let last = found.last().map(|last| Path::new(&last.path));
    last.is_some_and(|last| firsts.iter().any(|first| first == last))
}

fn parse(path: &SourcePath, bytes: &[u8]) -> Result<Table, SourceError> {
    Ok(content::toml::parse(bytes).map_err(|error| {
        let (path, said) = (shown(path.as_str()), untrusted::toml(&error));
        Hinted::new(format_args!("parsing {path}: {said}"))
    })?)
}

/// The channel in a file of rustup, which may be TOML or the channel alone.
fn channel(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let table: Option<Table> = content::toml::parse(text).ok();
    let named =
        table.and_then(|table| Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()));
    let line =
        || Some(text.trim()).filter(|line| !line.is_empty() && !line.contains(['\n', '=', '[']));
    named.or_else(|| line().map(str::to_owned))
}

/// Checks that the configuration of a source would have no effect, unless it is to be ignored.
///
/// # Errors
/// There is configuration that would have an effect.
pub(in crate::inputs) fn check(
    found: &[Configuration],
    spec: &CargoSpec,
) -> Result<(), SourceError> {
    if spec.host_config == HostConfig::Ignore {
        return Ok(());
    }
    let effects = found.iter().flat_map(|one| match &one.content {
        Content::Cargo(table) => effects(table, spec)
            .into_iter()
            .map(|effect| format!("{} sets {effect}", shown(&one.path)))
            .collect(),
        Content::Rustup(_) => Vec::new(),
    });
    let effects: Vec<_> = effects.collect();
    match effects.is_empty() {
        true => Ok(()),
        false => Err(SourceError::Refused(
            reading(format_args!(
                "the source configures cargo, which the builder does not obey: {}",
                effects.join("; ")
            ))
            .hinting(HINT),
        )),
    }
}

/// The channel of rustup that the source asks for, and the file that names it. The nearest file counts.
pub(in crate::inputs) fn toolchain(found: &[Configuration]) -> Option<(&str, &str)> {
    let mut channels = found.iter().filter_map(|one| match &one.content {
        Content::Rustup(channel) => Some((channel.as_deref()?, one.path.as_str())),
        Content::Cargo(_) => None,
    });
    channels.next()
}

/// The settings that would change the program, each with the entry of `Image.toml` that answers it.
fn effects(table: &Table, spec: &CargoSpec) -> Vec<String> {
    let mut effects = Vec::new();
    for (name, value) in table {
        match (name.as_str(), value.as_table()) {
            (name, _) if WITHOUT_EFFECT.contains(&name) => {}
            ("build", Some(build)) => {
                let mut of_build = build.iter().filter(|(key, value)| {
                    !BUILD_WITHOUT_EFFECT.contains(&key.as_str())
                        && (key.as_str(), value.as_str()) != ("target", Some(spec.target.as_str()))
                });
                effects.extend(
                    of_build
                        .by_ref()
                        .map(|(key, value)| of_compiler("build", key, value)),
                );
            }
            ("target", Some(targets)) => {
                for (target, settings) in targets {
                    effects.extend(of_target(target, settings, spec));
                }
            }
            ("env", Some(variables)) => {
                effects.extend(variables.iter().map(|(name, value)| variable(name, value)));
            }
            ("profile", Some(profiles)) => effects.extend(profiles.keys().map(|profile| {
                format!("profile.{} (move the table to Cargo.toml)", shown(profile))
            })),
            ("patch", _) => effects.push("patch (move the table to Cargo.toml)".to_owned()),
            ("paths", _) => {
                effects.push("paths (use [patch] in Cargo.toml)".to_owned());
            }
            (other, _) => effects.push(format!("{} (no entry answers it)", shown(other))),
        }
    }
    effects
}

/// The settings for one target. A condition, as `cfg(unix)`, is taken to apply.
fn of_target(target: &str, settings: &Value, spec: &CargoSpec) -> Vec<String> {
    let applies = target == spec.target.as_str() || target.starts_with("cfg(");
    let settings = settings.as_table().filter(|_| applies);
    let settings = settings.into_iter().flatten();
    let settings = settings.filter(|(key, _)| !["runner", "rustdocflags"].contains(&key.as_str()));
    settings
        .map(|(key, value)| of_compiler(&format!("target.{}", shown(target)), key, value))
        .collect()
}

fn of_compiler(table: &str, key: &str, value: &Value) -> String {
    let answer = match key {
        "rustflags" => answers(&flags(value)),
        "target" => "target, if the image is for that target".to_owned(),
        "linker" | "ar" => "none: the linker is that of [root]".to_owned(),
        "rustc" | "rustc-wrapper" | "rustc-workspace-wrapper" => {
            "none: the compiler is that of [root]".to_owned()
        }
        _ => "no entry answers it".to_owned(),
    };
    format!(
        "{table}.{} = {} ({answer})",
        shown(key),
        shown(&value.to_string())
    )
}

fn variable(name: &str, value: &Value) -> String {
    let text = value.as_str().or_else(|| value.get("value")?.as_str());
    let answer = match (text, value.get("relative")) {
        (Some(text), None) => format!("[build.env] {} = {:?}", shown(name), shown(text)),
        _ => "a path of the source begins with /build/src/ in [build.env]".to_owned(),
    };
    format!("env.{} ({answer})", shown(name))
}

/// The flags of a list or of a text with spaces, with the value of each option joined to it by `=` or nothing.
fn flags(value: &Value) -> Vec<String> {
    let words: Vec<String> = match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let mut flags: Vec<String> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        flags.push(match word.as_str() {
            "-C" | "--codegen" | "--cfg" | "-Z" | "-L" | "-l" | "-A" | "-W" | "-D" => {
                let value = words.next().unwrap_or_default();
                match word.as_str() {
                    "-C" | "--codegen" => format!("-C{value}"),
                    _ => format!("{word}={value}"),
                }
            }
            _ => word,
        });
    }
    flags
}

/// The entries that answer compiler flags.
fn answers(flags: &[String]) -> String {
    let answers: Vec<_> = flags.iter().map(|flag| answer(flag)).collect();
    match answers.is_empty() {
        true => "no entry answers it".to_owned(),
        false => answers.join(", "),
    }
}

fn answer(flag: &str) -> String {
    const PROFILE: [&str; 8] = [
        "codegen-units",
        "debuginfo",
        "debug-assertions",
        "lto",
        "opt-level",
        "overflow-checks",
        "panic",
        "strip",
    ];
    let codegen = flag.strip_prefix("-C").unwrap_or_default();
    let (name, value) = codegen.split_once('=').unwrap_or((codegen, ""));
    match (name, value) {
        ("target-cpu", "native") => {
            "target-cpu = \"x86-64-v3\", or another fixed processor".to_owned()
        }
        ("target-cpu", value) => format!("target-cpu = {:?}", shown(value)),
        ("target-feature", "+crt-static") => "static = \"glibc\", the default".to_owned(),
        ("target-feature", "-crt-static") => "dynamic = \"glibc\"".to_owned(),
        ("link-arg" | "link-args", value) => format!(
            "for {}: cargo::rustc-link-arg in build.rs, if it is needed",
            shown(value)
        ),
        (name, _) if PROFILE.contains(&name) => format!("{name} in a profile of Cargo.toml"),
        _ => match (
            flag.strip_prefix("--cfg="),
            flag.starts_with("-A") || flag.starts_with("-W") || flag.starts_with("-D"),
        ) {
            (Some(condition), _) => format!("cfg = [{:?}]", shown(condition)),
            (None, true) => format!("{}: lints do not change the program", shown(flag)),
            (None, false) => format!("no entry answers {}", shown(flag)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects_of(text: &str) -> Vec<String> {
        let spec = content::toml::parse("package = 'p'").unwrap();
        effects(&content::toml::parse(text).unwrap(), &spec)
    }

    #[test]
    fn settings_without_effect_are_no_reason() {
        for text in [
            "",
            "[alias]\nb = 'build'\n[net]\noffline = true\n[term]\nverbose = true",
            "[build]\njobs = 1\ntarget-dir = 'x'\ntarget = 'x86_64-unknown-linux-gnu'",
            "[target.x86_64-pc-windows-msvc]\nrustflags = ['-C', 'target-feature=+crt-static']",
            "[target.x86_64-unknown-linux-gnu]\nrunner = 'sudo'",
            "[source.crates-io]\nreplace-with = 'vendored'\n[unstable]\nbuild-std = ['core']",
        ] {
            assert_eq!(effects_of(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn each_setting_has_an_answer() {
        for (text, expected) in [
            (
                "[build]\nrustflags = ['-C', 'target-cpu=x86-64-v3', '--cfg', 'tokio_unstable']",
                "build.rustflags = [\"-C\", \"target-cpu=x86-64-v3\", \"--cfg\", \"tokio_unstable\"] (target-cpu = \
                 \"x86-64-v3\", cfg = [\"tokio_unstable\"])",
            ),
            (
                "[target.x86_64-unknown-linux-gnu]\nrustflags = '-Ctarget-cpu=native -Clto=fat'",
                "target.x86_64-unknown-linux-gnu.rustflags = \"-Ctarget-cpu=native -Clto=fat\" (target-cpu = \
                 \"x86-64-v3\", or another fixed processor, lto in a profile of Cargo.toml)",
            ),
            (
                "[target.'cfg(unix)']\nlinker = 'clang'",
                "target.cfg(unix).linker = \"clang\" (none: the linker is that of [root])",
            ),
            ("[env]\nA = 'x'", "env.A ([build.env] A = \"x\")"),
            (
                "[env]\nA = { value = 'x', force = true }",
                "env.A ([build.env] A = \"x\")",
            ),
            (
                "[env]\nA = { value = 'x', relative = true }",
                "env.A (a path of the source begins with /build/src/ in [build.env])",
            ),
            (
                "[profile.release]\nlto = true",
                "profile.release (move the table to Cargo.toml)",
            ),
            (
                "[build]\nrustc-wrapper = 'sccache'",
                "build.rustc-wrapper = \"sccache\" (none: the compiler is that of [root])",
            ),
            ("paths = ['x']", "paths (use [patch] in Cargo.toml)"),
            ("new = 1", "new (no entry answers it)"),
        ] {
            assert_eq!(effects_of(text), [expected], "{text}");
        }
    }

    #[test]
    fn a_channel_is_in_toml_or_alone() {
        for (text, expected) in [
            ("[toolchain]\nchannel = '1.90.0'", Some("1.90.0")),
            ("nightly-2020-01-01\n", Some("nightly-2020-01-01")),
            ("[toolchain]\npath = 'x'", None),
            ("", None),
        ] {
            assert_eq!(channel(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
