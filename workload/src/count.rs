//! The job: how often does each word occur in all that the collaborators sent? Each message counts
//! once, however often it is delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::Secret;
use crate::terms::Collaborator;

/// What has been counted, and who still owes what.
pub struct Ledger {
    owed: Vec<(String, u32)>,
    seen: BTreeSet<(usize, String)>,
    counts: Counts,
}

/// How often each word occurs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts(BTreeMap<String, u64>);

/// What to do with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Decrypt and count it.
    Wanted,
    /// It has been counted.
    Counted,
    /// Its sender has sent all that was agreed.
    Surplus,
}

/// Why data are not counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotWords {
    /// Not UTF-8.
    #[error("its data are not UTF-8")]
    Text,
    /// A word with characters that are not printed.
    #[error("its data have control characters")]
    Control,
}

impl Ledger {
    /// Nothing counted, everything owed.
    pub fn new(collaborators: &[Collaborator]) -> Self {
        let owed = collaborators.iter().map(|c| (c.name.clone(), c.messages));
        Self {
            owed: owed.collect(),
            seen: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    /// What to do with a message of the collaborator at `place`.
    pub fn due(&self, place: usize, message: &str) -> Due {
        if self.seen.contains(&(place, message.to_owned())) {
            return Due::Counted;
        }
        match self.owed.get(place) {
            Some((_, 1..)) => Due::Wanted,
            _ => Due::Surplus,
        }
    }

    /// Counts the words of a message, all or none.
    ///
    /// # Errors
    /// Data that are no words.
    pub fn count(&mut self, place: usize, message: &str, data: &Secret) -> Result<(), NotWords> {
        let text = data.text().ok_or(NotWords::Text)?;
        let is_word = |word: &str| !word.contains(char::is_control);
        if !text.split_whitespace().all(is_word) {
            return Err(NotWords::Control);
        }
        if self.due(place, message) == Due::Wanted {
            text.split_whitespace()
                .for_each(|word| self.counts.add(word));
            self.seen.insert((place, message.to_owned()));
            self.owed[place].1 -= 1;
        }
        Ok(())
    }

    /// Who still owes how many messages.
    pub fn owed(&self) -> Vec<(String, u32)> {
        self.owed
            .iter()
            .filter(|(_, count)| *count > 0)
            .cloned()
            .collect()
    }

    /// What has been counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Counts {
    fn add(&mut self, word: &str) {
        *self.0.entry(word.to_owned()).or_default() += 1;
    }
}

/// One line a word, sorted: the word, a space, the number.
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
    use crate::terms::Terms;

    fn ledger() -> Ledger {
        Ledger::new(
            &Terms::parse(include_bytes!("../terms.json"))
                .unwrap()
                .collaborators,
        )
    }

    fn count(
        ledger: &mut Ledger,
        place: usize,
        message: &str,
        data: &[u8],
    ) -> Result<(), NotWords> {
        ledger.count(place, message, &Secret::new(data.to_vec()))
    }

    #[test]
    fn counts_each_message_once() {
        let mut ledger = ledger();
        count(&mut ledger, 0, "m", b"alice").unwrap();
        count(&mut ledger, 0, "m", b"alice").unwrap();
        assert_eq!(ledger.due(0, "m"), Due::Counted);
        assert_eq!(ledger.due(0, "n"), Due::Surplus);
        assert_eq!(ledger.owed(), [("collaborator-2".to_owned(), 1)]);
        assert_eq!(ledger.due(1, "m"), Due::Wanted);
        count(&mut ledger, 1, "m", b"bob  alice\nbob\n").unwrap();
        assert!(ledger.owed().is_empty());
        assert_eq!(ledger.counts().to_string(), "alice 2\nbob 2\n");
        assert_eq!(ledger.due(2, "m"), Due::Surplus);
    }

    #[test]
    fn counts_nothing_of_what_is_not_words() {
        let mut ledger = ledger();
        assert_eq!(
            count(&mut ledger, 0, "m", b"alice \xff"),
            Err(NotWords::Text)
        );
        assert_eq!(
            count(&mut ledger, 0, "m", b"alice \x1b[2J"),
            Err(NotWords::Control)
        );
        assert_eq!(ledger.counts().to_string(), "");
        assert_eq!(ledger.due(0, "m"), Due::Wanted);
    }
}
