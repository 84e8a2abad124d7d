//! Detects the answer of the registry that it does not have a locked crate. Cargo has no exit status for that, only
//! messages of its resolver. These messages repeat names and versions of the source, which have been parsed and so cannot
//! contain such a message.

use super::cargo_lock::CargoLock;
use crate::host::HostError;
use crate::lock::crates::Named;

/// Cargo's message if it answers from its own copy of the index.
const OFFLINE: &str = "offline mode";

/// The locked crate that the registry does not have, if that is why cargo failed. `None` for every other reason, and if
/// cargo requested nothing from a registry: a vendored folder or a local registry may be incomplete.
pub(super) fn absent<'a>(error: &HostError, lock: &'a CargoLock) -> Option<&'a Named> {
    let HostError::Failed { said, .. } = error else {
        return None;
    };
    let lines: Vec<_> = said.split("; ").collect();
    let is_update = |line: &&str| line.starts_with("Updating ") && line.ends_with(" index");
    if !lines.iter().any(is_update) || said.contains(OFFLINE) {
        return None;
    }
    // The first error is the reason; what follows explains it.
    let at = lines.iter().position(|line| line.starts_with("error: "))?;
    let reason = lines[at].trim_start_matches("error: ");
    let (name, version) = searched(reason, lines.get(at + 1).copied().unwrap_or_default())?;
    let is_searched = |one: &&Named| {
        let required = one.version.without_build();
        one.name.as_str() == name && version.is_none_or(|version| version == required)
    };
    lock.crates.iter().find(is_searched)
}

/// The name, and the version if only that is absent, in an error of cargo's resolver and the line after it.
fn searched<'a>(reason: &'a str, next: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    let quoted = |text: &'a str| Some((text.split_once('`')?.0, None));
    if let Some(rest) = reason.strip_prefix("no matching package named `") {
        return quoted(rest);
    }
    // The registry has a similar name.
    if reason == "no matching package found" {
        return quoted(next.strip_prefix("searched package name: `")?);
    }
    // Without candidates, the version may be there but yanked, or need a newer cargo.
    let requirement = reason.strip_prefix("failed to select a version for the requirement `")?;
    next.strip_prefix("candidate versions found which didn't match: ")?;
    let (name, version) = requirement.split_once(" = \"=")?;
    Some((name, Some(version.split_once('"')?.0)))
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn found(said: &str) -> Option<String> {
        let named = |name: &str, version: &str| Named {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            sha256: Digest::of(b""),
        };
        let lock = CargoLock {
            registry: None,
            repositories: Vec::new(),
            crates: vec![
                named("itoa", "1.0.19"),
                named("itoa", "1.0.999-a.1+b"),
                named("serde-json", "1.0.0"),
            ],
        };
        let error = HostError::Failed {
            program: "cargo",
            action: "update",
            said: said.lines().collect::<Vec<_>>().join("; "),
        };
        absent(&error, &lock).map(ToString::to_string)
    }

    #[test]
    fn an_answer_of_the_registry_names_the_crate() {
        for (said, expected) in [
            (
                "Updating crates.io index\nerror: no matching package named `itoa` found\nlocation searched: crates.io index",
                "itoa 1.0.19",
            ),
            (
                "warning: unused key\nUpdating `mirror` index\nerror: no matching package found\nsearched package name: `serde-json`\nperhaps you meant:      serde_json",
                "serde-json 1.0.0",
            ),
            (
                "Updating crates.io index\nerror: failed to select a version for the requirement `itoa = \"=1.0.999-a.1\"` (locked to 1.0.999-a.1+b)\ncandidate versions found which didn't match: 1.0.19",
                "itoa 1.0.999-a.1+b",
            ),
        ] {
            assert_eq!(found(said).as_deref(), Some(expected), "{said}");
        }
    }

    #[test]
    fn other_failures_say_nothing_about_the_source() {
        for said in [
            // No registry was requested: a vendored folder, a local registry, no network.
            "error: no matching package named `itoa` found\nlocation searched: directory source `/x`",
            "error: no matching package named `itoa` found\nAs a reminder, you're using offline mode (--offline)",
            "Updating crates.io index\nerror: no matching package named `itoa` found\nAs a reminder, you're using offline mode",
            // No answer.
            "Updating crates.io index\nerror: failed to get `itoa` as a dependency of package `locked-crates`\nCaused by:\n[7] Could not connect to server",
            "Updating `mirror` index\nwarning: spurious network error (1 try remaining): got 503\nerror: failed to get `itoa`\nCaused by:\nerror: no matching package named `itoa` found",
            // The version is there.
            "Updating crates.io index\nerror: failed to select a version for the requirement `itoa = \"=1.0.19\"`\nversion 1.0.19 is yanked",
            "Updating crates.io index\nerror: failed to select a version for the requirement `itoa = \"=1.0.19\"`\nversion 1.0.19 requires a Cargo version that supports index version 99",
            "Updating crates.io index\nerror: failed to select a version for `itoa`.\nall possible versions conflict with previously selected packages.",
            // Not locked.
            "Updating crates.io index\nerror: no matching package named `other` found",
            "",
        ] {
            assert_eq!(found(said), None, "{said}");
        }
    }
}
