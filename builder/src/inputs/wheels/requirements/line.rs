//! The lines of a file of requirements.

use std::collections::BTreeSet;

use content::Digest;
use pep440_rs::{Operator, Version, VersionSpecifiers};

use crate::inputs::wheels::dependency::Dependency;
use crate::inputs::wheels::target::Target;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;

/// Options for pip that ask for what is done anyway.
const ANYWAY: [&str; 3] = ["--require-hashes", "--only-binary", "--prefer-binary"];
/// Other options, and what to do instead.
const INSTEAD: [(&[&str], &str); 7] = [
    (
        &["-r", "--requirement"],
        "write the requirements of that file here, or name it in another [[wheels]]",
    ),
    (
        &["-c", "--constraint"],
        "write the versions that are meant here, with ==",
    ),
    (
        &["-e", "--editable", "."],
        "the project itself is not a wheel: add its files by [[file]], and leave the line out, as `uv export --no-emit-project` does",
    ),
    (
        &["-i", "--index-url", "--pypi-url"],
        "name the index with --wheel-index or PIP_INDEX_URL, and leave the line out, as `--no-emit-index-url` does",
    ),
    (
        &[
            "--extra-index-url",
            "-f",
            "--find-links",
            "--no-index",
            "--trusted-host",
        ],
        "one index is asked: name it with --wheel-index or PIP_INDEX_URL, and leave the line out",
    ),
    (&["--no-binary"], "only wheels are used: leave the line out"),
    (
        &[
            "--global-option",
            "--install-option",
            "--config-settings",
            "-C",
            "--config-setting",
        ],
        "nothing of a wheel is configured: leave the option out",
    ),
];
const HASH: &str = "--hash";

/// A project at one version, and the digests that its files may have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::inputs::wheels) struct Requirement {
    pub(in crate::inputs::wheels) name: ProjectName,
    pub(in crate::inputs::wheels) extras: BTreeSet<ProjectName>,
    pub(in crate::inputs::wheels) version: Version,
    pub(in crate::inputs::wheels) digests: BTreeSet<Digest>,
    condition: Option<Dependency>,
}

impl Requirement {
    /// Whether its marker holds for a Python.
    pub(super) fn applies(&self, target: &Target) -> bool {
        let condition = self.condition.as_ref();
        condition.is_none_or(|condition| condition.applies(target, &BTreeSet::new()))
    }
}

/// Lines that continue are joined, comments left out, and empty lines too, as pip does. Each has its number.
pub(super) fn joined(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        let (number, mut so_far) = open.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(start) if !is_comment => {
                so_far.push_str(start);
                open = Some((number, so_far));
            }
            _ => {
                // A comment ends what continues.
                so_far.push_str(if is_comment { " " } else { "" });
                so_far.push_str(line);
                lines.push((number, so_far));
            }
        }
    }
    lines.extend(open);
    let lines = lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line).trim().to_owned()));
    lines.filter(|(_, line)| !line.is_empty())
}

/// A comment begins the line, or follows a space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = c;
    }
    line
}

/// Parses a line without comments; `None` for an option that asks for what is done anyway.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn parse(line: &str) -> Result<Option<Requirement>, String> {
    if line.starts_with('-') || line == "." {
        let option = line.split([' ', '=', '\t']).next().unwrap_or_default();
        return match ANYWAY.contains(&option) {
            true => Ok(None),
            false => Err(instead(option)),
        };
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let is_option = |word: &&str| word.starts_with('-');
    let first = words.iter().position(is_option).unwrap_or(words.len());
    let (before, options) = words.split_at(first);
    let before = before.join(" ");
    let head = before
        .split(['[', '@', ';', '=', ' '])
        .next()
        .unwrap_or_default();
    if head.contains(['/', ':', '\\']) || head.starts_with('.') {
        return Err("expected NAME==VERSION and digests, found a path or address".to_owned());
    }
    let dependency = Dependency::parse(&before)?;
    let version = version(&dependency)?;
    let named = format!("{} {version}", dependency.name);
    let digests = digests(options.iter().copied(), &named)?;
    Ok(Some(Requirement {
        name: dependency.name.clone(),
        extras: dependency.extras.clone(),
        version,
        digests,
        condition: dependency.marker.is_some().then_some(dependency),
    }))
}

/// What to write instead of an option. Its value may be secret.
fn instead(option: &str) -> String {
    let known = INSTEAD.iter().find(|(names, _)| names.contains(&option));
    let option = shown(option);
    match known {
        Some((_, instead)) => format!("{option}: {instead}"),
        None => format!("{option}: this option of pip is not supported: leave it out"),
    }
}

/// The only version that a dependency allows.
fn version(dependency: &Dependency) -> Result<Version, String> {
    let name = &dependency.name;
    let wrong =
        |found: &str| format!("{name}: expected one version, as {name}==1.0, found {found}");
    match dependency.versions.as_str() {
        "" => return Err(format!("{name}: expected a version, as {name}==1.0")),
        versions if versions.starts_with('@') => return Err(wrong("an address")),
        _ => {}
    }
    let found = shown(&dependency.versions);
    let wrong = || wrong(&format!("\"{found}\""));
    let specifiers: VersionSpecifiers = dependency.versions.parse().map_err(|_| wrong())?;
    match &specifiers[..] {
        [one] if matches!(one.operator(), Operator::Equal | Operator::ExactEqual) => {
            Ok(one.version().clone())
        }
        _ => Err(wrong()),
    }
}

fn digests<'a>(
    mut options: impl Iterator<Item = &'a str>,
    named: &str,
) -> Result<BTreeSet<Digest>, String> {
    let mut digests = BTreeSet::new();
    let mut other = None;
    while let Some(option) = options.next() {
        let (option, value) = match option.split_once('=') {
            Some((option, value)) => (option, value),
            None => (option, options.next().unwrap_or_default()),
        };
        if option != HASH {
            return Err(instead(option));
        }
        match value.split_once(':') {
            Some(("sha256", hex)) => {
                let digest = Digest::from_hex(&hex.to_ascii_lowercase());
                digests.insert(
                    digest.map_err(|_| format!("{named}: expected 64 hex digits after sha256:"))?,
                );
            }
            _ => other = Some(shown(value.split(':').next().unwrap_or_default())),
        }
    }
    match (digests.is_empty(), other) {
        (false, _) => Ok(digests),
        (true, Some(other)) => Err(format!(
            "{named}: expected a digest by SHA-256, found {other}"
        )),
        (true, None) => Err(format!("{named}: expected its digest, as --hash=sha256:…")),
    }
}
