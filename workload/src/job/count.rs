//! Counts how often each word occurs in all data.

use std::collections::BTreeMap;
use std::fmt;

use super::{Job, Unfit};

/// The number of occurrences of each word.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts(BTreeMap<String, u64>);

impl Job for Counts {
    fn take(&mut self, data: &[u8]) -> Result<(), Unfit> {
        let text = std::str::from_utf8(data).map_err(|_| Unfit("is not UTF-8"))?;
        let is_word = |word: &str| word.chars().all(content::is_plain);
        if !text.split_whitespace().all(is_word) {
            return Err(Unfit("contains control characters"));
        }
        text.split_whitespace().for_each(|word| self.add(word));
        Ok(())
    }

    fn result(&self) -> String {
        self.to_string()
    }
}

impl Counts {
    fn add(&mut self, word: &str) {
        *self.0.entry(word.to_owned()).or_default() += 1;
    }
}

/// One line per word, sorted by word: the word, a space, the number.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(word, count)| writeln!(f, "{word} {count}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words() {
        let mut counts = Counts::default();
        counts.take(b"alice").unwrap();
        counts.take(b"bob  alice\nbob\n").unwrap();
        assert_eq!(counts.result(), "alice 2\nbob 2\n");
    }

    #[test]
    fn counts_nothing_of_invalid_data() {
        let mut counts = Counts::default();
        assert_eq!(counts.take(b"alice \xff"), Err(Unfit("is not UTF-8")));
        assert_eq!(
            counts.take(b"alice \x1b[2J"),
            Err(Unfit("contains control characters"))
        );
        assert_eq!(counts.result(), "");
    }
}
