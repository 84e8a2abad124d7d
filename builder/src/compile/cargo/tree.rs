//! The crates that are linked into the program, as cargo resolves them for the target: without build scripts, macros and
//! crates for other systems. Cargo lists them in a sandbox in which none of their code runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::compile::program::Linked;
use crate::lock::crates::{CrateName, CrateVersion};

/// A crate: its name, version and folder.
type Key = (CrateName, CrateVersion, Option<PathBuf>);

/// Parses cargo's tree and sorts its crates. The error is the first invalid line.
pub(super) fn parse(said: &str, source: &str) -> Result<Vec<Linked>, String> {
    let mut used: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
    // The crates above the current line, outermost first.
    let mut above: Vec<Key> = Vec::new();
    for text in said.lines().filter(|line| !line.is_empty()) {
        let (depth, key) = line(text, source).ok_or_else(|| text.to_owned())?;
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
    let linked = used.iter().map(|((name, version, folder), uses)| Linked {
        name: name.clone(),
        version: version.clone(),
        folder: folder.clone(),
        dependencies: uses
            .iter()
            .filter_map(|key| indexes.get(key).copied())
            .collect(),
    });
    Ok(linked.collect())
}

/// The depth, then `name v1.2.3`, followed by the folder if it is a crate of the source, and by `(*)` if it is repeated.
fn line(line: &str, source: &str) -> Option<(usize, Key)> {
    let (depth, line) = line.split_once(' ')?;
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let (name, rest) = line.split_once(" v")?;
    let (version, folder) = match rest.split_once(' ') {
        None => (rest, None),
        Some((version, folder)) => {
            let folder = folder.strip_prefix('(')?.strip_suffix(')')?;
            (version, Some(Path::new(folder).strip_prefix(source).ok()?))
        }
    };
    let key = (
        name.parse().ok()?,
        version.parse().ok()?,
        folder.map(Path::to_owned),
    );
    Some((depth.parse().ok()?, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_output_of_cargo() {
        let said = "0 own v0.1.0 (/s/a)\n1 ring v0.17.14+x\n2 own-too v1.0.0 (/s)\n1 itoa v1.0.0\n\
                    1 own-too v1.0.0 (/s) (*)\n";
        let found = parse(said, "/s").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.version.as_str(),
                    &one.folder,
                    &one.dependencies[..],
                )
            })
            .collect();
        let (first, second) = (Some("a".into()), Some("".into()));
        let expected: [(_, _, _, &[usize]); 4] = [
            ("itoa", "1.0.0", &None, &[]),
            ("own", "0.1.0", &first, &[0, 2, 3]),
            ("own-too", "1.0.0", &second, &[]),
            ("ring", "0.17.14+x", &None, &[2]),
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
            assert_eq!(parse(said, "/s"), Err(said.to_owned()));
        }
        let second = "0 ring v1.0.0";
        assert_eq!(
            parse(&format!("0 own v1.0.0 (/s)\n{second}"), "/s"),
            Err(second.to_owned())
        );
    }
}
