//! The job: how often does each word occur in all that the collaborators sent? Each message counts
//! once, however often it is delivered.

use std::collections::BTreeMap;
use std::fmt;

use content::Digest;

use crate::platform::Secret;
use crate::platform::inbox::Letter;
use crate::terms::Collaborator;

/// What has been counted, and who still owes what.
pub struct Ledger {
    owed: Vec<(String, u32)>,
    /// The ciphertext that was counted under each sender's name for it.
    counted: BTreeMap<(usize, String), Digest>,
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
    /// Another one of this name has been counted.
    Another,
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
            counted: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// What to do with a message.
    pub fn due(&self, letter: &Letter) -> Due {
        let counted = self.counted.get(&(letter.place, letter.message.clone()));
        match (counted, self.owed.get(letter.place)) {
            (Some(digest), _) if *digest == Digest::of(&letter.ciphertext) => Due::Counted,
            (Some(_), _) => Due::Another,
            (None, Some((_, 1..))) => Due::Wanted,
            (None, _) => Due::Surplus,
        }
    }

    /// Counts the words of a message, all or none.
    ///
    /// # Errors
    /// Data that are no words.
    pub fn count(&mut self, letter: &Letter, data: &Secret) -> Result<(), NotWords> {
        let text = data.text().ok_or(NotWords::Text)?;
        let is_word = |word: &str| word.chars().all(content::is_plain);
        if !text.split_whitespace().all(is_word) {
            return Err(NotWords::Control);
        }
        if self.due(letter) == Due::Wanted {
            text.split_whitespace()
                .for_each(|word| self.counts.add(word));
            let name = (letter.place, letter.message.clone());
            self.counted.insert(name, Digest::of(&letter.ciphertext));
            self.owed[letter.place].1 -= 1;
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
            &Terms::parse(include_bytes!("../../terms.json"))
                .unwrap()
                .collaborators,
        )
    }

    fn letter(place: usize, message: &str) -> Letter {
        Letter {
            collaborator: "c".into(),
            place,
            message: message.into(),
            ciphertext: b"ciphertext".to_vec(),
        }
    }

    fn count(
        ledger: &mut Ledger,
        place: usize,
        message: &str,
        data: &[u8],
    ) -> Result<(), NotWords> {
        ledger.count(&letter(place, message), &Secret::new(data.to_vec()))
    }

    #[test]
    fn counts_each_message_once() {
        let mut ledger = ledger();
        count(&mut ledger, 0, "m", b"alice").unwrap();
        count(&mut ledger, 0, "m", b"alice").unwrap();
        assert_eq!(ledger.due(&letter(0, "m")), Due::Counted);
        assert_eq!(ledger.due(&letter(0, "n")), Due::Surplus);
        assert_eq!(ledger.owed(), [("collaborator-2".to_owned(), 1)]);
        assert_eq!(ledger.due(&letter(1, "m")), Due::Wanted);
        count(&mut ledger, 1, "m", b"bob  alice\nbob\n").unwrap();
        assert!(ledger.owed().is_empty());
        assert_eq!(ledger.counts().to_string(), "alice 2\nbob 2\n");
        assert_eq!(ledger.due(&letter(2, "m")), Due::Surplus);
    }

    #[test]
    fn takes_no_other_message_for_the_one_that_it_counted() {
        let mut ledger = ledger();
        count(&mut ledger, 0, "m", b"alice").unwrap();
        let ciphertext = b"another".to_vec();
        let another = Letter {
            ciphertext,
            ..letter(0, "m")
        };
        assert_eq!(ledger.due(&another), Due::Another);
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
        assert_eq!(ledger.due(&letter(0, "m")), Due::Wanted);
    }
}
