//! The crates that are linked into the program, as cargo resolves them for the target: without build scripts, macros and
//! crates for other systems. Cargo lists them in a sandbox in which none of their code runs.

use std::path::Path;

use crate::compile::program::Linked;

/// Cargo's command line.
pub(super) fn command(package: &str, target: &str) -> Vec<String> {
    let words = ["/usr/bin/cargo", "tree", "--locked", "--offline"];
    let named = ["--package", package, "--target", target];
    let shown = ["--edges", "normal,no-proc-macro", "--prefix", "none"];
    let format = ["--format", "{p}"];
    let all = words.into_iter().chain(named).chain(shown).chain(format);
    all.map(str::to_owned).collect()
}

/// Parses cargo's list and sorts it. The error is the first invalid line.
pub(super) fn parse(said: &str, source: &str) -> Result<Vec<Linked>, String> {
    let lines = said.lines().filter(|line| !line.is_empty());
    let parsed = lines.map(|text| line(text, source).ok_or_else(|| text.to_owned()));
    let mut linked = parsed.collect::<Result<Vec<_>, _>>()?;
    linked.sort();
    linked.dedup();
    Ok(linked)
}

/// `name v1.2.3`, followed by the folder if it is a crate of the source, and by `(*)` if it is repeated.
fn line(line: &str, source: &str) -> Option<Linked> {
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let (name, rest) = line.split_once(" v")?;
    let (version, folder) = match rest.split_once(' ') {
        None => (rest, None),
        Some((version, folder)) => {
            let folder = folder.strip_prefix('(')?.strip_suffix(')')?;
            (version, Some(Path::new(folder).strip_prefix(source).ok()?))
        }
    };
    Some(Linked {
        name: name.parse().ok()?,
        version: version.parse().ok()?,
        folder: folder.map(Path::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_output_of_cargo() {
        let said = "own v0.1.0 (/s/a)\nring v0.17.14+x\nown-too v1.0.0 (/s)\nring v0.17.14+x (*)\n\
                    own v0.1.0 (/s/a) (*)\n";
        let found = parse(said, "/s").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.version.as_str(), &one.folder))
            .collect();
        let (first, second) = (Some("a".into()), Some("".into()));
        let expected = [
            ("own", "0.1.0", &first),
            ("own-too", "1.0.0", &second),
            ("ring", "0.17.14+x", &None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn refuses_other_output() {
        for said in ["ring", "ring v1", "ring 1.0.0", "own v1.0.0 (/elsewhere)"] {
            assert_eq!(parse(said, "/s"), Err(said.to_owned()));
        }
    }
}
