//! Names that may have been meant instead of a name that does not exist.

use std::collections::BTreeSet;

/// Maximum number of suggested names.
const SHOWN: usize = 5;
/// Similarity from which a name counts as mistyped.
const MISTYPED: f64 = 0.9;

/// The most similar of `names` to `name`, the most similar first.
pub(super) fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = letters(name);
    let distinct: BTreeSet<_> = names.collect();
    let scored = distinct.into_iter().filter_map(|other| {
        let score = score(name, &wanted, other)?;
        Some((score, other.len(), other))
    });
    let mut scored: Vec<_> = scored.collect();
    scored.sort_unstable();
    scored
        .into_iter()
        .map(|(_, _, name)| name)
        .take(SHOWN)
        .collect()
}

/// How far `other` is from the name, in thousandths; `None` if it is not similar.
fn score(name: &str, wanted: &str, other: &str) -> Option<u16> {
    let found = letters(other);
    if found == wanted {
        return Some(0);
    }
    let likeness = strsim::jaro_winkler(name, other);
    let begins = wanted.len() >= 3 && found.starts_with(wanted);
    let distance = (1..=1000).find(|part| f64::from(*part) / 1000.0 >= 1.0 - likeness);
    distance.filter(|_| begins || likeness >= MISTYPED)
}

/// Letters and digits, which is what people remember of a name.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|character| character.is_alphanumeric());
    letters.collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_prefix_and_typing_count() {
        let names = [
            "gcc-13",
            "gcc-14",
            "gcc-14-base",
            "libssl-dev",
            "libssl3t64",
            "pkgconf",
            "protobuf-compiler",
            "rustc",
            "zlib1g",
        ];
        let like = |name| similar(name, names.into_iter());
        assert_eq!(like("gcc14")[0], "gcc-14");
        assert!(like("gcc14").contains(&"gcc-14-base"));
        assert_eq!(like("libssl"), ["libssl-dev", "libssl3t64"]);
        assert_eq!(like("pkg-config"), ["pkgconf"]);
        assert_eq!(like("rsutc"), ["rustc"]);
        assert_eq!(like("qqq"), [""; 0]);
    }
}
