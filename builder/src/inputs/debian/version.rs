//! Versions of packages, and relations between packages (deb-version(7); Debian Policy, section 7.1).

use std::cmp::Ordering;

/// A relation to one package, such as `libc6 (>= 2.36)` or `perl:any`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Relation<'a> {
    /// The name of the package.
    pub(super) name: &'a str,
    /// Which versions are allowed, if not all are.
    versions: Option<(Operator, &'a str)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Earlier,
    Most,
    Exactly,
    Least,
    Later,
}

impl<'a> Relation<'a> {
    /// Parses a relation. An unknown operator allows all versions.
    pub(super) fn parse(text: &'a str) -> Self {
        let name = text.split(['(', ':', '[']).next().unwrap_or_default();
        let versions = text.split_once('(');
        let versions = versions.and_then(|(_, rest)| constraint(rest.split(')').next()?));
        Self {
            name: name.trim(),
            versions,
        }
    }

    /// Whether the relation allows this version.
    pub(super) fn allows(&self, version: &str) -> bool {
        let Some((operator, other)) = self.versions else {
            return true;
        };
        let order = compare(version, other);
        match operator {
            Operator::Earlier => order.is_lt(),
            Operator::Most => order.is_le(),
            Operator::Exactly => order.is_eq(),
            Operator::Least => order.is_ge(),
            Operator::Later => order.is_gt(),
        }
    }
}

fn constraint(text: &str) -> Option<(Operator, &str)> {
    let text = text.trim();
    let end = text.find(|character| !"<=>".contains(character))?;
    let (operator, version) = text.split_at(end);
    let operator = match operator {
        "<<" => Operator::Earlier,
        "<=" | "<" => Operator::Most,
        "=" => Operator::Exactly,
        ">=" | ">" => Operator::Least,
        ">>" => Operator::Later,
        _ => return None,
    };
    Some((operator, version.trim()))
}

/// Compares two versions (deb-version(7), "Sorting algorithm").
fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    compare_number(one.0, other.0)
        .then_with(|| compare_text(one.1, other.1))
        .then_with(|| compare_text(one.2, other.2))
}

/// Epoch, upstream version and revision.
fn parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, upstream, revision)
}

/// Compares alternately a prefix without digits and a number, until there is a difference.
fn compare_text(mut one: &str, mut other: &str) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let (left, right) = (split(&mut one, is_other), split(&mut other, is_other));
        let order = compare_letters(left, right);
        if order.is_ne() {
            return order;
        }
        let (left, right) = (split(&mut one, is_digit), split(&mut other, is_digit));
        let order = compare_number(left, right);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn is_other(byte: u8) -> bool {
    !is_digit(byte)
}

/// Takes the longest prefix in which all bytes are `wanted`.
fn split<'a>(text: &mut &'a str, wanted: fn(u8) -> bool) -> &'a str {
    let end = text.bytes().position(|byte| !wanted(byte));
    let (prefix, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    prefix
}

/// A tilde is before the end, which is before letters, which are before all others.
fn compare_letters(one: &str, other: &str) -> Ordering {
    let rank = |byte: Option<u8>| match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(letter) if letter.is_ascii_alphabetic() => (2, letter),
        Some(other) => (3, other),
    };
    let (mut one, mut other) = (one.bytes(), other.bytes());
    loop {
        let (left, right) = (one.next(), other.next());
        let order = rank(left).cmp(&rank(right));
        if order.is_ne() || left.is_none() {
            return order;
        }
    }
}

/// Compares numbers of any length.
fn compare_number(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|number| number.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of deb-version(7), and of Debian's archive.
    #[test]
    fn versions_are_ordered() {
        let ascending = [
            "0.9",
            "1~~",
            "1~~a",
            "1~",
            "1~bpo12+1",
            "1",
            "1a",
            "1.0~rc1-1",
            "1.0-1",
            "1.0-1~",
            "1.0.1-1",
            "1.85.0+dfsg3-1~deb12u3",
            "1.85.0+dfsg3-1",
            "1.85.0+dfsg3-1+b1",
            "1.90.0+dfsg1-1~bpo13+1",
            "2:0.1",
            "10:0",
        ];
        let mut sorted = ascending.to_vec();
        sorted.sort_by(|one, other| compare(one, other));
        let mut expected = ascending;
        expected.swap(8, 9);
        assert_eq!(sorted, expected);
        for same in [("1.0", "1.00"), ("0:1", "1"), ("1", "1-0"), ("1-", "1-0")] {
            assert!(compare(same.0, same.1).is_eq(), "{same:?}");
        }
    }

    #[test]
    fn relations_allow_versions() {
        for (text, name, allowed, refused) in [
            ("libc6 (>= 2.36)", "libc6", "2.36-1", "2.35"),
            ("a(<<2)", "a", "2~", "2"),
            ("a (= 1-1) [amd64]", "a", "1-1", "1-2"),
            ("a:any ( >> 1 )", "a", "1+b1", "1"),
            ("a (<= 1)", "a", "1", "1.0.1"),
        ] {
            let relation = Relation::parse(text);
            assert_eq!(relation.name, name);
            assert!(relation.allows(allowed), "{text}: {allowed}");
            assert!(!relation.allows(refused), "{text}: {refused}");
        }
        for any in ["a", " a:any ", "a (?? 1)", "a ("] {
            let relation = Relation::parse(any);
            assert_eq!(relation.name, "a");
            assert!(relation.allows("0"), "{any}");
        }
    }
}
