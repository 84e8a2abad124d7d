//! What configuration of cargo would change in a program, and what answers it in `Image.toml`.

use std::fmt;

use toml::{Table, Value};

use crate::spec::cargo::{CargoSpec, Linkage, Target};
use crate::untrusted::shown;

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

/// A setting that would change the program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Effect {
    /// What is set.
    setting: String,
    /// What answers each part of it.
    pub(crate) answers: Vec<Answer>,
}

/// What has the same effect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// An entry of the list `cfg`.
    Condition(String),
    /// This `target-cpu`.
    Processor(String),
    /// `static` or `dynamic`.
    Linkage(Linkage),
    /// A variable of `[build.env]`, by name and value.
    Variable(String, String),
    /// Nothing: the flag does not change the program.
    Lint(String),
    /// No entry of `Image.toml`; what to do.
    Other(String),
}

impl Effect {
    fn other(setting: String, what: &str) -> Self {
        let answers = vec![Answer::Other(what.to_owned())];
        Self { setting, answers }
    }

    /// Whether `Image.toml` has the same effect.
    pub(crate) fn is_answered(&self, spec: &CargoSpec) -> bool {
        self.answers.iter().all(|answer| match answer {
            Answer::Condition(condition) => spec.conditions.contains(condition),
            Answer::Processor(processor) => spec.processor == *processor,
            Answer::Linkage(linkage) => spec.linkage == *linkage,
            // Any value: cargo does not replace a variable that is set already.
            Answer::Variable(name, _) => spec.environment.keys().any(|own| own.as_str() == name),
            Answer::Lint(_) => true,
            Answer::Other(_) => false,
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers: Vec<_> = self.answers.iter().map(Answer::to_string).collect();
        write!(out, "{} ({})", self.setting, answers.join(", "))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(condition) => write!(out, "cfg = [{:?}]", shown(condition)),
            Self::Processor(processor) => write!(out, "target-cpu = {:?}", shown(processor)),
            Self::Linkage(Linkage::Static) => out.write_str("static = \"glibc\", the default"),
            Self::Linkage(Linkage::Dynamic) => out.write_str("dynamic = \"glibc\""),
            Self::Variable(name, value) => {
                write!(out, "[build.env] {} = {:?}", shown(name), shown(value))
            }
            Self::Lint(flag) => write!(out, "{}: lints do not change the program", shown(flag)),
            Self::Other(what) => out.write_str(what),
        }
    }
}

/// The settings that would change a program for `target`.
pub(super) fn effects(table: &Table, target: Target) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (name, value) in table {
        match (name.as_str(), value.as_table()) {
            (name, _) if WITHOUT_EFFECT.contains(&name) => {}
            ("build", Some(build)) => {
                let of_build = build.iter().filter(|(key, value)| {
                    !BUILD_WITHOUT_EFFECT.contains(&key.as_str())
                        && (key.as_str(), value.as_str()) != ("target", Some(target.as_str()))
                });
                effects.extend(of_build.map(|(key, value)| of_compiler("build", key, value)));
            }
            ("target", Some(targets)) => {
                for (name, settings) in targets {
                    effects.extend(of_target(name, settings, target));
                }
            }
            ("env", Some(variables)) => {
                effects.extend(variables.iter().map(|(name, value)| variable(name, value)));
            }
            ("profile", Some(profiles)) => effects.extend(profiles.keys().map(|profile| {
                let setting = format!("profile.{}", shown(profile));
                Effect::other(setting, "move the table to Cargo.toml")
            })),
            ("patch", _) => effects.push(Effect::other(
                "patch".to_owned(),
                "move the table to Cargo.toml",
            )),
            ("paths", _) => effects.push(Effect::other(
                "paths".to_owned(),
                "use [patch] in Cargo.toml",
            )),
            (other, _) => effects.push(Effect::other(shown(other).to_string(), NO_ENTRY)),
        }
    }
    effects
}

const NO_ENTRY: &str = "no entry answers it";

/// The settings in the table of one target, by its `name`. A condition, as `cfg(unix)`, is taken to apply.
fn of_target(name: &str, settings: &Value, target: Target) -> Vec<Effect> {
    let applies = name == target.as_str() || name.starts_with("cfg(");
    let settings = settings.as_table().filter(|_| applies);
    let settings = settings.into_iter().flatten();
    let settings = settings.filter(|(key, _)| !["runner", "rustdocflags"].contains(&key.as_str()));
    settings
        .map(|(key, value)| of_compiler(&format!("target.{}", shown(name)), key, value))
        .collect()
}

fn of_compiler(table: &str, key: &str, value: &Value) -> Effect {
    let setting = format!("{table}.{} = {}", shown(key), shown(&value.to_string()));
    let what = match key {
        "rustflags" if value.is_str() || value.is_array() => {
            let answers = flags(value).iter().map(|flag| answer(flag)).collect();
            return Effect { setting, answers };
        }
        "target" => "target, if the image is for that target",
        "linker" | "ar" => "none: the linker is that of [root]",
        "rustc" | "rustc-wrapper" | "rustc-workspace-wrapper" => {
            "none: the compiler is that of [root]"
        }
        _ => NO_ENTRY,
    };
    Effect::other(setting, what)
}

fn variable(name: &str, value: &Value) -> Effect {
    let setting = format!("env.{}", shown(name));
    let text = value.as_str().or_else(|| value.get("value")?.as_str());
    match (text, value.get("relative")) {
        (Some(text), None) => {
            let answers = vec![Answer::Variable(name.to_owned(), text.to_owned())];
            Effect { setting, answers }
        }
        _ => Effect::other(
            setting,
            "a path of the source begins with /build/src/ in [build.env]",
        ),
    }
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
            "-C" | "--codegen" | "--cfg" | "-Z" | "-L" | "-l" | "-A" | "-W" | "-D" | "-F" => {
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

/// What answers a compiler flag.
fn answer(flag: &str) -> Answer {
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
            Answer::Other("target-cpu = \"x86-64-v3\", or another fixed processor".to_owned())
        }
        ("target-cpu", value) => Answer::Processor(value.to_owned()),
        ("target-feature", "+crt-static") => Answer::Linkage(Linkage::Static),
        ("target-feature", "-crt-static") => Answer::Linkage(Linkage::Dynamic),
        ("link-arg" | "link-args", value) => Answer::Other(format!(
            "for {}: cargo::rustc-link-arg in build.rs, if it is needed",
            shown(value)
        )),
        (name, _) if PROFILE.contains(&name) => {
            Answer::Other(format!("{name} in a profile of Cargo.toml"))
        }
        _ => match (flag.strip_prefix("--cfg="), is_lint(flag)) {
            (Some(condition), _) => Answer::Condition(condition.to_owned()),
            (None, true) => Answer::Lint(flag.to_owned()),
            (None, false) => Answer::Other(format!("no entry answers {}", shown(flag))),
        },
    }
}

/// Whether a flag sets the level of a lint (The rustc book, "Lint Levels").
fn is_lint(flag: &str) -> bool {
    ["-A", "-W", "-D", "-F"]
        .iter()
        .any(|level| flag.starts_with(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<Effect> {
        effects(&content::toml::parse(text).unwrap(), Target::Gnu)
    }

    fn effects_of(text: &str) -> Vec<String> {
        parsed(text).iter().map(Effect::to_string).collect()
    }

    fn unanswered(configuration: &str, build: &str) -> usize {
        let spec = content::toml::parse(format!("package = 'p'\n{build}")).unwrap();
        let effects = parsed(configuration);
        let unanswered = effects.iter().filter(|effect| !effect.is_answered(&spec));
        unanswered.count()
    }

    #[test]
    fn entries_of_the_image_answer_settings() {
        let flags = "[build]\nrustflags = ['--cfg', 'tokio_unstable', '-Ctarget-cpu=x86-64-v2', '-Ctarget-feature=+crt-static', '-Dwarnings']";
        for (build, expected) in [
            ("", 1),
            ("cfg = ['tokio_unstable']", 1),
            ("cfg = ['other']\ntarget-cpu = 'x86-64-v2'", 1),
            (
                "cfg = ['tokio_unstable', 'other']\ntarget-cpu = 'x86-64-v2'",
                0,
            ),
            (
                "cfg = ['tokio_unstable']\ntarget-cpu = 'x86-64-v2'\ndynamic = 'glibc'",
                1,
            ),
        ] {
            assert_eq!(unanswered(flags, build), expected, "{build}");
        }
        let variables = "[env]\nA = 'x'\nB = { value = 'x', relative = true }";
        assert_eq!(unanswered(variables, "[env]\nA = 'y'"), 1);
        assert_eq!(unanswered("[build]\nrustflags = ['-Wclippy::all']", ""), 0);
        assert_eq!(unanswered("[build]\nrustflags = 1", ""), 1);
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
}
