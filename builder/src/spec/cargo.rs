//! `[build]` of a program that cargo compiles.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::environment::{Environment, Variable};

/// A program that cargo compiles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawCargo")]
pub struct CargoSpec {
    /// The name of the package.
    pub package: String,
    /// The names of its binaries that are compiled; if there are none, those that the files of the image name.
    pub binaries: BTreeSet<String>,
    /// Its features that are enabled, in cargo's syntax.
    pub features: BTreeSet<String>,
    /// Whether its default features are enabled.
    pub default_features: bool,
    /// The profile.
    pub profile: Profile,
    /// The target.
    pub target: Target,
    /// How the C library is linked.
    pub linkage: Linkage,
    /// The processor that code is generated for, by rustc's name.
    pub processor: String,
    /// Conditions for the compiler, in the syntax of rustc's option `--cfg`.
    pub conditions: BTreeSet<String>,
    /// What configuration of cargo in the source means.
    pub host_config: HostConfig,
    /// Variables for compilers and build scripts.
    pub environment: Environment,
}

/// A profile of cargo, by its name (The Cargo Book, "Profiles").
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Profile(String);

impl Profile {
    /// The profiles that need no table in a manifest.
    pub const BUILT_IN: [&str; 4] = ["dev", "release", "test", "bench"];

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of its products, in the folder of the target.
    pub fn folder(&self) -> &str {
        match self.as_str() {
            "dev" | "test" => "debug",
            "bench" => "release",
            other => other,
        }
    }
}

impl TryFrom<String> for Profile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let begins = text.bytes().next().is_some_and(|byte| byte != b'-');
        match (begins && text.bytes().all(plain), text.as_str()) {
            (_, "debug") => Err("profile \"debug\": cargo calls it \"dev\"".to_owned()),
            (true, _) => Ok(Self(text)),
            (false, _) => Err(format!(
                "profile {text:?}: expected letters, digits, - and _"
            )),
        }
    }
}

/// A target of rustc that images are built for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub enum Target {
    /// With the GNU C library.
    #[serde(rename = "x86_64-unknown-linux-gnu")]
    Gnu,
    /// With the C library musl.
    #[serde(rename = "x86_64-unknown-linux-musl")]
    Musl,
}

impl Target {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gnu => "x86_64-unknown-linux-gnu",
            Self::Musl => "x86_64-unknown-linux-musl",
        }
    }

    fn library(self) -> Library {
        match self {
            Self::Gnu => Library::Glibc,
            Self::Musl => Library::Musl,
        }
    }
}

/// A C library.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// The GNU C library of Debian.
    Glibc,
    /// The C library musl.
    Musl,
}

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        }
    }
}

/// How the C library is linked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Linkage {
    /// Into the program.
    Static,
    /// When the program starts: the image must have the library.
    Dynamic,
}

/// What configuration of cargo in the source means (The Cargo Book, "Configuration"). It never has an effect.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum HostConfig {
    /// A source with configuration that would have an effect is refused.
    #[default]
    Refuse,
    /// It is ignored, and provenance says so.
    Ignore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawCargo {
    package: String,
    #[serde(default)]
    binaries: BTreeSet<String>,
    #[serde(default)]
    features: BTreeSet<String>,
    default_features: Option<bool>,
    profile: Option<Profile>,
    target: Option<Target>,
    #[serde(rename = "static")]
    within: Option<Library>,
    dynamic: Option<Library>,
    target_cpu: Option<String>,
    #[serde(default)]
    cfg: BTreeSet<String>,
    #[serde(default)]
    host_config: HostConfig,
    #[serde(default)]
    env: Environment,
}

/// rustc's name of the processors of all x86-64 machines. It is named because rustc's default may change.
const ANY_PROCESSOR: &str = "x86-64";
const NATIVE: &str =
    "the result would depend on the machine that builds; name a processor, as x86-64-v3";

impl TryFrom<RawCargo> for CargoSpec {
    type Error = String;

    fn try_from(raw: RawCargo) -> Result<Self, String> {
        let target = raw.target.unwrap_or(Target::Gnu);
        raw.features
            .iter()
            .try_for_each(|one| plain("feature", one))?;
        raw.cfg.iter().try_for_each(|one| plain("cfg", one))?;
        raw.env
            .iter()
            .try_for_each(|(name, value)| allowed(name.as_str(), value))?;
        Ok(Self {
            linkage: linkage(raw.within, raw.dynamic, target)?,
            processor: processor(raw.target_cpu)?,
            package: raw.package,
            binaries: raw.binaries,
            features: raw.features,
            default_features: raw.default_features.unwrap_or(true),
            profile: raw.profile.unwrap_or_else(|| Profile("release".to_owned())),
            target,
            conditions: raw.cfg,
            host_config: raw.host_config,
            environment: raw.env,
        })
    }
}

fn linkage(
    within: Option<Library>,
    dynamic: Option<Library>,
    target: Target,
) -> Result<Linkage, String> {
    let expected = target.library();
    let (library, linkage) = match (within, dynamic) {
        (Some(_), Some(_)) => return Err("expected static or dynamic, found both".to_owned()),
        (None, Some(library)) => (library, Linkage::Dynamic),
        (within, None) => (within.unwrap_or(expected), Linkage::Static),
    };
    match library == expected {
        true => Ok(linkage),
        false => Err(format!(
            "expected {:?}, the C library of target {}",
            expected.name(),
            target.as_str()
        )),
    }
}

fn processor(named: Option<String>) -> Result<String, String> {
    let named = named.unwrap_or_else(|| ANY_PROCESSOR.to_owned());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match named.as_str() {
        "native" => Err(format!("target-cpu \"native\": {NATIVE}")),
        name if !name.is_empty() && name.bytes().all(plain) => Ok(named),
        name => Err(format!(
            "target-cpu {name:?}: expected a name, as x86-64-v3"
        )),
    }
}

/// Checks that a text can be part of a list: cargo separates features, and compiler flags, by spaces and commas.
fn plain(what: &str, text: &str) -> Result<(), String> {
    let separates = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    match text.is_empty() || text.contains(separates) {
        true => Err(format!("{what} {text:?}: expected a name")),
        false => Ok(()),
    }
}

/// Checks that a variable leaves the choice of compiler, linker, crates and folders to the builder.
fn allowed(name: &str, value: &Variable) -> Result<(), String> {
    if let Some(reason) = reserved(name) {
        return Err(format!("variable {name} of [build.env]: {reason}"));
    }
    match value {
        Variable::Text(text) if text.contains("=native") => {
            Err(format!("variable {name} of [build.env]: {NATIVE}"))
        }
        _ => Ok(()),
    }
}

/// Why a variable cannot be set, if it cannot.
fn reserved(name: &str) -> Option<&'static str> {
    const FIXED: &str =
        "the builder sets it to a fixed value, so that all builds give the same result";
    match name {
        "HOME" | "LC_ALL" | "PATH" | "TMPDIR" | "TZ" => Some(FIXED),
        "RUSTFLAGS" | "RUSTDOCFLAGS" => {
            Some("the builder sets compiler flags: use target-cpu, cfg or a profile in Cargo.toml")
        }
        "RUSTC_BOOTSTRAP" => None,
        _ if name.starts_with("CARGO") => Some(
            "it configures cargo: use features, profile, target-cpu or a profile in Cargo.toml",
        ),
        _ if name.starts_with("RUSTC") || name.starts_with("RUSTUP") || name == "RUSTDOC" => {
            Some("it selects a compiler: use the packages of [root]")
        }
        _ if selects_tools(name) => Some(
            "it selects programs or libraries of the compiler and linker: use the packages of [root]",
        ),
        _ => None,
    }
}

/// Whether a variable selects the programs, libraries or plugins that the compiler and linker use (GCC
/// manual, "Environment Variables Affecting GCC"; ld(1) and ld.so(8), "ENVIRONMENT").
pub(crate) fn selects_tools(variable: &str) -> bool {
    const NAMES: [&str; 5] = [
        "COMPILER_PATH",
        "GLIBC_TUNABLES",
        "LDEMULATION",
        "LIBRARY_PATH",
        "PATH",
    ];
    const PREFIXES: [&str; 3] = ["COLLECT_", "GCC_", "LD_"];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &str) -> Result<CargoSpec, String> {
        let parsed = content::toml::parse(format!("package = 'p'\n{more}"));
        parsed.map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_name_of_the_package_is_enough() {
        let spec = parse("").unwrap();
        assert_eq!((spec.target, spec.linkage), (Target::Gnu, Linkage::Static));
        assert_eq!(
            (spec.processor.as_str(), spec.profile.folder()),
            ("x86-64", "release")
        );
        assert!(spec.default_features && spec.features.is_empty());
        assert_eq!(spec.host_config, HostConfig::Refuse);
        let same = "target = 'x86_64-unknown-linux-gnu'\nstatic = 'glibc'";
        assert_eq!(parse(same).unwrap(), spec);
    }

    #[test]
    fn reads_all_entries() {
        let spec = parse(
            "binaries = ['b', 'a']\nfeatures = ['pcre2', 'x/y']\ndefault-features = false\nprofile = 'dev'\n\
             target = 'x86_64-unknown-linux-musl'\ndynamic = 'musl'\ntarget-cpu = 'x86-64-v3'\n\
             cfg = ['tokio_unstable']\nhost-config = 'ignore'\n[env]\nOPENSSL_STATIC = '1'\nCC = '/usr/bin/clang'",
        )
        .unwrap();
        assert_eq!(
            (spec.target, spec.linkage),
            (Target::Musl, Linkage::Dynamic)
        );
        assert_eq!(
            (spec.processor.as_str(), spec.profile.folder()),
            ("x86-64-v3", "debug")
        );
        assert!(!spec.default_features && spec.features.contains("x/y"));
        assert_eq!(spec.host_config, HostConfig::Ignore);
        assert_eq!(spec.environment.len(), 2);
        let folder = |name: &str| {
            Profile::try_from(name.to_owned())
                .unwrap()
                .folder()
                .to_owned()
        };
        let names = ["dev", "test", "release", "bench", "small"];
        let folders = names.map(folder);
        assert_eq!(folders, ["debug", "debug", "release", "release", "small"]);
    }

    #[test]
    fn entries_that_break_a_promise_are_refused() {
        for (more, reason) in [
            (
                "target-cpu = 'native'",
                "the result would depend on the machine that builds",
            ),
            (
                "target-cpu = 'x -C linker=y'",
                "expected a name, as x86-64-v3",
            ),
            ("profile = 'debug'", "cargo calls it \"dev\""),
            ("profile = '../x'", "expected letters, digits"),
            ("features = ['a,b']", "feature \"a,b\": expected a name"),
            ("cfg = ['x -Clinker=y']", "expected a name"),
            (
                "static = 'glibc'\ndynamic = 'glibc'",
                "expected static or dynamic, found both",
            ),
            (
                "static = 'musl'",
                "expected \"glibc\", the C library of target x86_64-unknown-linux-gnu",
            ),
            (
                "target = 'wasm32-wasip1'",
                "expected `x86_64-unknown-linux-gnu` or `x86_64-unknown-linux-musl`",
            ),
            ("host-config = 'obey'", "expected `refuse` or `ignore`"),
            ("[env]\nPATH = '/x'", "the builder sets it to a fixed value"),
            ("[env]\nHOME = '/x'", "the builder sets it to a fixed value"),
            ("[env]\nCARGO_HOME = '/x'", "it configures cargo"),
            ("[env]\nCARGO_TARGET_DIR = '/x'", "it configures cargo"),
            ("[env]\nRUSTC = '/x'", "it selects a compiler"),
            ("[env]\nRUSTC_WRAPPER = '/x'", "it selects a compiler"),
            (
                "[env]\nRUSTFLAGS = '-g'",
                "use target-cpu, cfg or a profile",
            ),
            (
                "[env]\nLD_PRELOAD = '/x'",
                "it selects programs or libraries",
            ),
            (
                "[env]\nCFLAGS = '-O2 -march=native'",
                "depend on the machine",
            ),
            ("other = 1", "unknown field `other`"),
        ] {
            let error = parse(more).unwrap_err();
            assert!(error.contains(reason), "{more}: {error}");
        }
        parse("[env]\nRUSTC_BOOTSTRAP = '1'\nCFLAGS = '-O2'").unwrap();
    }
}
