//! `go.sum`: the hashes of the modules that a source needs. Like the rest of the source, it is untrusted.

use std::collections::BTreeMap;

use crate::lock::modules::{H1, ModuleName, ModuleVersion, Sum};

/// Parses a `go.sum`: in each line a module, a version and a hash. Lines with the hashes of other algorithms are ignored, as Go
/// does.
///
/// # Errors
/// The reason, with the number of the line.
pub(in crate::inputs) fn parse(text: &str) -> Result<Vec<Sum>, String> {
    let mut sums: BTreeMap<(ModuleName, ModuleVersion), H1> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let fault = |fault: String| format!("line {}: {fault}", number + 1);
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, version, hash) = match words[..] {
            [] => continue,
            [name, version, hash] => (name, version, hash),
            _ => return Err(fault("expected a module, a version and a hash".to_owned())),
        };
        if !hash.starts_with("h1:") {
            continue;
        }
        let name = name.parse().map_err(|error| fault(format!("{error}")))?;
        let version = version.parse().map_err(|error| fault(format!("{error}")))?;
        let h1 = hash.parse().map_err(|error| fault(format!("{error}")))?;
        if sums
            .insert((name, version), h1)
            .is_some_and(|other| other != h1)
        {
            return Err(fault(
                "another line has another hash of the same module".to_owned(),
            ));
        }
    }
    let sums = sums.into_iter();
    Ok(sums
        .map(|((name, version), h1)| Sum { name, version, h1 })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn each_line_is_a_file_of_a_module() {
        let text = format!(
            "b v1.0.0 {HASH}\na v1.0.0/go.mod {HASH}\n\na v1.0.0/go.mod {HASH}\na v1.0.0 h9:x\n"
        );
        let sums = parse(&text).unwrap();
        let named: Vec<_> = sums.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["a@v1.0.0/go.mod", "b@v1.0.0"]);
    }

    #[test]
    fn faults_have_a_line() {
        let other = HASH.replace("47", "48");
        for (text, fault) in [
            (
                "a v1.0.0".to_owned(),
                "line 1: expected a module, a version and a hash",
            ),
            (
                format!("\n../a v1.0.0 {HASH}"),
                "line 2: expected a name of a Go module",
            ),
            (
                format!("a 1.0.0 {HASH}"),
                "line 1: expected a version of a Go module",
            ),
            (
                "a v1.0.0 h1:x".to_owned(),
                "line 1: expected h1: and 32 bytes",
            ),
            (
                format!("a v1 {HASH}\na v1 {other}"),
                "line 2: another line has another hash",
            ),
        ] {
            let found = parse(&text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
