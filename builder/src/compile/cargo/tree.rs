//! The crates that are linked into the program, as cargo resolves them for the target: without build scripts, macros and
//! crates for other systems. Cargo lists them in a sandbox in which none of their code runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::compile::program::{CrateOrigin, Linked};
use crate::inputs::cargo::GitSource;
use crate::lock::crates::{CrateName, CrateVersion};

/// A crate: its name, version and origin.
type Key = (CrateName, CrateVersion, CrateOrigin);

/// Parses cargo's tree of a source at `source` that uses crates of `repositories`, and sorts its crates. The error is the first invalid line.
pub(super) fn parse(
    said: &str,
    source: &str,
    repositories: &[GitSource],
) -> Result<Vec<Linked>, String> {
    let mut used: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
    // The crates above the current line, outermost first.
    let mut above: Vec<Key> = Vec::new();
    for text in said.lines().filter(|line| !line.is_empty()) {
        let (depth, key) = line(text, source, repositories).ok_or_else(|| text.to_owned())?;
        if depth > above.len() || (depth == 0 && !above.is_empty()) {
            return Err(text.to_owned());
        }
        above.truncate(depth);
        if let Some(user) = above.last() {
            used.entry(user.clone()).or_default().insert(key.clone());
        }
        used.entry(key.clone()).or_default();
        above.push(key);
    }
    let indexes: BTreeMap<&Key, usize> = used.keys().zip(0..).collect();
    let linked = used.iter().map(|((name, version, origin), uses)| Linked {
        name: name.clone(),
        version: version.clone(),
        origin: origin.clone(),
        dependencies: uses
            .iter()
            .filter_map(|key| indexes.get(key).copied())
            .collect(),
    });
    Ok(linked.collect())
}

/// The depth, then `name v1.2.3`, followed by the folder if it is a crate of the source, by the repository if it is from git,
/// and by `(*)` if it is repeated.
fn line(line: &str, source: &str, repositories: &[GitSource]) -> Option<(usize, Key)> {
    let (depth, line) = line.split_once(' ')?;
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let (name, rest) = line.split_once(" v")?;
    let (version, origin) = match rest.split_once(' ') {
        None => (rest, CrateOrigin::Registry),
        Some((version, origin)) => {
            let shown = origin.strip_prefix('(')?.strip_suffix(')')?;
            (version, origin_of(shown, source, repositories)?)
        }
    };
    let key = (name.parse().ok()?, version.parse().ok()?, origin);
    Some((depth.parse().ok()?, key))
}

fn origin_of(shown: &str, source: &str, repositories: &[GitSource]) -> Option<CrateOrigin> {
    if let Ok(folder) = Path::new(shown).strip_prefix(source) {
        return Some(CrateOrigin::Source(folder.to_owned()));
    }
    let mut repositories = repositories.iter();
    let git = repositories.find(|git| git.is_shown_as(shown))?;
    Some(CrateOrigin::Git(git.url.clone(), git.commit.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_output_of_cargo() {
        let said = "0 own v0.1.0 (/s/a)\n1 ring v0.17.14+x\n2 own-too v1.0.0 (/s)\n1 itoa v1.0.0\n\
                    1 own-too v1.0.0 (/s) (*)\n";
        let found = parse(said, "/s", &[]).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.version.as_str(),
                    one.origin.clone(),
                    &one.dependencies[..],
                )
            })
            .collect();
        let registry = CrateOrigin::Registry;
        let folder = |folder: &str| CrateOrigin::Source(folder.into());
        let expected: [(_, _, _, &[usize]); 4] = [
            ("itoa", "1.0.0", registry.clone(), &[]),
            ("own", "0.1.0", folder("a"), &[0, 2, 3]),
            ("own-too", "1.0.0", folder(""), &[]),
            ("ring", "0.17.14+x", registry, &[2]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn refuses_other_output() {
        for said in [
            "ring",
            "ring v1.0.0",
            "0 ring v1",
            "0 ring 1.0.0",
            "0 own v1.0.0 (/elsewhere)",
            "1 ring v1.0.0",
            "x ring v1.0.0",
        ] {
            assert_eq!(parse(said, "/s", &[]), Err(said.to_owned()));
        }
        let second = "0 ring v1.0.0";
        assert_eq!(
            parse(&format!("0 own v1.0.0 (/s)\n{second}"), "/s", &[]),
            Err(second.to_owned())
        );
    }
}
