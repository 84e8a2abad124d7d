//! The few structures of DER that a public key and an ECDSA signature consist of (X.690).

/// The tags of X.690, section 8.
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const NULL: u8 = 0x05;

/// Bytes that consist of elements.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The content of the next element, which must have this tag and its length in the shortest form.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let [found, first, rest @ ..] = self.0 else {
            return None;
        };
        let (length, rest) = length(*first, rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*found == tag).then_some(content)
    }

    /// The elements in the next element.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }

    /// The big-endian bytes of the next element, a positive integer in the shortest form.
    pub(super) fn positive(&mut self) -> Option<&'a [u8]> {
        match self.take(INTEGER)? {
            [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
            number @ [1..=0x7f, ..] => Some(number),
            _ => None,
        }
    }

    /// That there is nothing more.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A length of at most 65535.
fn length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    match (first, rest) {
        (0..=0x7f, _) => Some((usize::from(first), rest)),
        (0x81, [one @ 0x80..=0xff, rest @ ..]) => Some((usize::from(*one), rest)),
        (0x82, [high @ 1..=0xff, low, rest @ ..]) => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_form() {
        for (bytes, is_der) in [
            (&[NULL, 0][..], true),
            (&[NULL, 0x81, 0][..], false),
            (&[NULL, 0x82, 0, 0][..], false),
            (&[NULL, 0x80][..], false),
            (&[NULL, 1][..], false),
            (&[NULL][..], false),
        ] {
            let mut elements = Elements::of(bytes);
            let taken = elements.take(NULL).and_then(|_| elements.end());
            assert_eq!(taken.is_some(), is_der, "{bytes:?}");
        }
        let long = [&[NULL, 0x81, 0x80][..], &[1; 0x80]].concat();
        assert_eq!(Elements::of(&long).take(NULL), Some(&[1; 0x80][..]));
    }

    #[test]
    fn a_positive_integer_has_one_form() {
        for (bytes, number) in [
            (&[INTEGER, 1, 1][..], Some(&[1][..])),
            (&[INTEGER, 2, 0, 0x80][..], Some(&[0x80][..])),
            (&[INTEGER, 1, 0x80][..], None),
            (&[INTEGER, 1, 0][..], None),
            (&[INTEGER, 2, 0, 1][..], None),
            (&[INTEGER, 0][..], None),
        ] {
            assert_eq!(Elements::of(bytes).positive(), number, "{bytes:?}");
        }
    }
}
