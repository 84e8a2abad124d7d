//! `requirements.txt` with hashes (pip documentation, "Requirements File Format", "Secure installs"). Like the rest of the source,
//! it is untrusted: pip only gets a file that this program writes.

use std::collections::BTreeSet;

use content::Digest;

use super::marker;
use crate::lock::wheels::normal;
use crate::spec::PythonVersion;
use crate::untrusted::shown;

/// A package of one version, and the files that it may be.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Requirement {
    /// The name, as packages are compared.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digests of its files.
    pub hashes: BTreeSet<Digest>,
}

/// Parses the requirements that apply to this version of Python on Linux.
///
/// # Errors
/// The reason, with the number of the line.
pub(super) fn parse(text: &str, python: &PythonVersion) -> Result<Vec<Requirement>, String> {
    let mut requirements: Vec<Requirement> = Vec::new();
    for (number, line) in logical(text) {
        let fault = |fault: String| format!("line {number}: {fault}");
        let Some(requirement) = one(&line, python).map_err(fault)? else {
            continue;
        };
        if requirements.iter().any(|other| other.name == requirement.name) {
            return Err(fault(format!("{} is required twice", shown(&requirement.name))));
        }
        requirements.push(requirement);
    }
    requirements.sort();
    Ok(requirements)
}

/// The lines without comments, joined if they end with a backslash, each with the number of its first line.
fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut current: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, mut joined) = current.take().unwrap_or((index + 1, String::new()));
        let continued = line.strip_suffix('\\');
        let content = continued.unwrap_or(line);
        let is_comment = |at: &usize| *at == 0 || content[..*at].ends_with(char::is_whitespace);
        let comment = content.match_indices('#').map(|(at, _)| at).find(is_comment);
        joined += &content[..comment.unwrap_or(content.len())];
        match continued {
            Some(_) => current = Some((number, joined)),
            None => lines.push((number, joined)),
        }
    }
    lines.extend(current);
    lines.retain(|(_, line)| !line.trim().is_empty());
    lines
}

fn one(line: &str, python: &PythonVersion) -> Result<Option<Requirement>, String> {
    let line = line.trim();
    if line.starts_with('-') {
        return Err(format!(
            "{:?} is an option: remove it, since the options of the user's pip are used; and list all packages in this file",
            shown(line)
        ));
    }
    let mut words = line.split(" --hash").map(str::trim);
    let requirement = words.next().unwrap_or_default();
    let hashes = words.map(hash).collect::<Result<BTreeSet<_>, _>>()?;
    let (package, marker) = match requirement.split_once(';') {
        Some((package, marker)) => (package.trim(), Some(marker)),
        None => (requirement, None),
    };
    let (name, version) = package
        .split_once("==")
        .ok_or_else(|| unpinned(package))?;
    let (name, version) = (name.trim(), version.trim().trim_start_matches('='));
    let name = name.split('[').next().unwrap_or_default().trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_version = |c: char| c.is_ascii_alphanumeric() || ".+!-_".contains(c);
    let is_pinned = !version.is_empty() && version.chars().all(is_version);
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with('-') || !is_pinned {
        return Err(unpinned(package));
    }
    let applies = marker.map_or(Ok(true), |marker| {
        marker::applies(marker, python).map_err(|fault| format!("marker of {}: {fault}", shown(name)))
    })?;
    match (applies, hashes.is_empty()) {
        (false, _) => Ok(None),
        (true, true) => Err(format!(
            "{} has no hash: write the file with `pip-compile --generate-hashes`, `uv pip compile --generate-hashes` or \
             `uv export`",
            shown(package)
        )),
        (true, false) => Ok(Some(Requirement {
            name: normal(name),
            version: version.to_owned(),
            hashes,
        })),
    }
}

fn unpinned(package: &str) -> String {
    format!(
        "expected a package with one version, as flask==3.1.0, found {:?}",
        shown(package)
    )
}

fn hash(text: &str) -> Result<Digest, String> {
    let text = text.trim_start_matches(['=', ' ']);
    let hex = text.strip_prefix("sha256:");
    let digest = hex.and_then(|hex| Digest::from_hex(hex.trim()).ok());
    digest.ok_or_else(|| format!("expected --hash=sha256: and 64 hex digits, found {:?}", shown(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Requirement>, String> {
        parse(text, &"3.13".to_owned().try_into().unwrap())
    }

    fn hash() -> String {
        format!("--hash=sha256:{}", Digest::of(b"x").hex())
    }

    #[test]
    fn reads_what_tools_write() {
        let (one, other) = (hash(), hash().replace("--hash=", "--hash "));
        let text = format!(
            "# made by a tool\nFlask[async]==3.1.0 \\\n    {one} \\\n    {other}\n    # via -r requirements.in\n\
             colorama==0.4.6 ; sys_platform == 'win32' \\\n    {one}\ntyping_extensions==4.12.2 ; python_version >= \"3.8\" {one}\n"
        );
        let read = read(&text).unwrap();
        let named: Vec<_> = read.iter().map(|one| format!("{} {} {}", one.name, one.version, one.hashes.len())).collect();
        assert_eq!(named, ["flask 3.1.0 1", "typing-extensions 4.12.2 1"]);
    }

    #[test]
    fn what_would_not_be_the_same_everywhere_is_refused() {
        let hash = hash();
        for (text, fault) in [
            (format!("flask>=3 {hash}"), "line 1: expected a package with one version"),
            (format!("flask==3.* {hash}"), "line 1: expected a package with one version"),
            ("\nflask==3.1.0".to_owned(), "line 2: flask==3.1.0 has no hash"),
            (format!("flask @ https://example.org/flask.whl {hash}"), "line 1: expected a package with one version"),
            ("-r other.txt".to_owned(), "line 1: \"-r other.txt\" is an option: remove it"),
            ("--index-url https://example.org".to_owned(), "line 1: \"--index-url"),
            (format!("a==1 {hash}\nA==2 {hash}"), "line 2: a is required twice"),
            ("a==1 --hash=sha1:00".to_owned(), "line 1: expected --hash=sha256:"),
            (format!("a==1 ; nonsense == '1' {hash}"), "line 1: marker of a: "),
        ] {
            let found = read(&text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
