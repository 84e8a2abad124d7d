//! Unicode simple case folding, by which Go compares member names.

/// Folds the case of a name as Go's `encoding/json` does when it looks for the field of a struct
/// (`foldName`): each character becomes one representative of all characters that differ from it in
/// case only. This is Unicode simple case folding (CaseFolding.txt, statuses C and S): the number of
/// characters does not change, so the sharp s is not `ss`, but the Kelvin sign is `k` and the long s is
/// `s`.
pub fn fold(name: &str) -> String {
    name.chars().map(fold_char).collect()
}

/// The lower case of the upper case, where each is one character: the upper case unites characters
/// with several lower cases (both small sigmas), the lower case those with several upper cases (`K`
/// and the Kelvin sign).
fn fold_char(c: char) -> char {
    // Dotless i has the upper case I but no simple folding, so it differs from i.
    if c == '\u{131}' {
        return c;
    }
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    first.filter(|_| mapped.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_names_that_differ_only_in_case() {
        for (one, other) in [
            ("layers", "LAYERS"),
            ("layers", "layer\u{17f}"),
            ("kid", "\u{212a}ID"),
            ("\u{3c3}", "\u{3c2}"),
            ("\u{e5}", "\u{212b}"),
            ("\u{df}", "\u{1e9e}"),
            ("\u{1c5}", "\u{1c4}"),
            ("\u{10a0}", "\u{2d00}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn does_not_fold_other_names() {
        for (one, other) in [
            ("\u{df}", "ss"),
            ("i", "\u{130}"),
            ("i", "\u{131}"),
            ("os.version", "osversion"),
            ("a", "\u{e1}"),
            ("\u{fb01}", "fi"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn is_idempotent() {
        for c in '\0'..=char::MAX {
            let folded = fold_char(c);
            assert_eq!(fold_char(folded), folded, "{c:?}");
        }
        for c in ' '..='~' {
            assert_eq!(fold_char(c), c.to_ascii_lowercase());
        }
    }
}
