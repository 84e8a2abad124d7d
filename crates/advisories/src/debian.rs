//! The order of Debian versions (deb-version(7); dpkg, `lib/dpkg/version.c`).

use std::cmp::Ordering;

/// A version `[epoch:]upstream[-revision]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Version {
    epoch: u32,
    upstream: String,
    revision: String,
}

impl Version {
    /// Parses a version as `dpkg --compare-versions` accepts it; `None` if it is invalid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (digits(epoch)?.parse().ok()?, rest),
            None => (0, text),
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((_, "")) => return None,
            Some((upstream, revision)) => (upstream, revision),
            None => (rest, ""),
        };
        let of = |text: &str, others: &[char]| {
            let mut all = text.chars();
            all.all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
        };
        let is_valid = upstream.starts_with(|c: char| c.is_ascii_digit())
            && of(upstream, &['.', '-', '+', '~', ':'])
            && of(revision, &['.', '+', '~']);
        is_valid.then(|| Self {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

fn digits(text: &str) -> Option<&str> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let epochs = self.epoch.cmp(&other.epoch);
        let upstreams = || compare(&self.upstream, &other.upstream);
        let revisions = || compare(&self.revision, &other.revision);
        epochs.then_with(upstreams).then_with(revisions)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares parts without digits and numbers in turn.
fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        let texts = [text(&mut one), text(&mut other)];
        let order = compare_texts(texts[0], texts[1]);
        let order = order.then_with(|| compare_numbers(number(&mut one), number(&mut other)));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn text<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    take(rest, |byte| !byte.is_ascii_digit())
}

fn number<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    take(rest, u8::is_ascii_digit)
}

fn take<'a>(rest: &mut &'a [u8], is_in: impl Fn(&u8) -> bool) -> &'a [u8] {
    let length = rest.iter().take_while(|byte| is_in(byte)).count();
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

/// A tilde is before the end, the end before letters, and letters before all else.
fn compare_texts(one: &[u8], other: &[u8]) -> Ordering {
    let weight = |text: &[u8], index: usize| match text.get(index) {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let longest = one.len().max(other.len());
    let orders = (0..longest).map(|index| weight(one, index).cmp(&weight(other, index)));
    orders.fold(Ordering::Equal, Ordering::then)
}

/// Numbers of any length.
fn compare_numbers(one: &[u8], other: &[u8]) -> Ordering {
    let significant = |digits: &[u8]| {
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits[zeros..].to_vec()
    };
    let (one, other) = (significant(one), significant(other));
    one.len().cmp(&other.len()).then_with(|| one.cmp(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of dpkg (`lib/dpkg/t/t-version.c`), and what deb-version(7) says of tildes.
    #[test]
    fn versions_are_ordered_as_by_dpkg() {
        use Ordering::{Equal, Greater, Less};
        for (one, order, other) in [
            ("0", Equal, "0"),
            ("0:0", Equal, "0"),
            ("0:0-0", Equal, "0-00"),
            ("0-0", Equal, "0"),
            ("1:0-0", Greater, "0:0-0"),
            ("1:2-3", Equal, "1:2-3"),
            ("0:0-0", Less, "0:0-1"),
            ("1.0", Greater, "1.0~rc1"),
            ("1.0~~", Less, "1.0~~a"),
            ("1.0~~a", Less, "1.0~"),
            ("1.0~", Less, "1.0"),
            ("1.0", Less, "1.0a"),
            ("1.0a", Less, "1.0+"),
            ("1.2", Less, "1.10"),
            ("1.002", Equal, "1.2"),
            ("1.18446744073709551616", Greater, "1.18446744073709551615"),
            ("2.36-9+deb12u3", Less, "2.36-9+deb12u4"),
            ("2.36-9", Less, "2.36-9+deb12u1"),
            ("2.36-9~bpo1", Less, "2.36-9"),
            ("1:1.2.13", Greater, "9.9"),
            ("1.0-1", Less, "1.0-1.1"),
            ("1.0-1-2", Greater, "1.0-1"),
        ] {
            let [left, right] = [one, other].map(|text: &str| Version::parse(text).unwrap());
            assert_eq!(left.cmp(&right), order, "{one}, {other}");
            assert_eq!(right.cmp(&left), order.reverse(), "{other}, {one}");
        }
    }

    #[test]
    fn invalid_versions_have_no_order() {
        for text in [
            "",
            ":1",
            "x:1",
            "-1:1",
            "1-",
            "a1",
            "1_0",
            "1 0",
            "1-1_",
            "4294967296:1",
            "-1",
            "1:",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
