//! Who still owes what. Each message counts once, however often it is delivered.

use std::collections::BTreeMap;

use content::Digest;

use crate::platform::inbox::Letter;
use crate::terms::Collaborator;

/// What has been counted, and who still owes what.
pub struct Ledger {
    owed: Vec<(String, u32)>,
    /// The ciphertext that was counted under each sender's name for it.
    counted: BTreeMap<(usize, String), Digest>,
}

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

impl Ledger {
    /// Nothing counted, everything owed.
    pub fn new(collaborators: &[Collaborator]) -> Self {
        let owed = collaborators.iter().map(|c| (c.name.clone(), c.messages));
        Self {
            owed: owed.collect(),
            counted: BTreeMap::new(),
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

    /// Notes that a message has been counted, if it was wanted.
    pub fn count(&mut self, letter: &Letter) {
        if self.due(letter) == Due::Wanted {
            let name = (letter.place, letter.message.clone());
            self.counted.insert(name, Digest::of(&letter.ciphertext));
            self.owed[letter.place].1 -= 1;
        }
    }

    /// Who still owes how many messages.
    pub fn owed(&self) -> Vec<(String, u32)> {
        self.owed
            .iter()
            .filter(|(_, count)| *count > 0)
            .cloned()
            .collect()
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

    #[test]
    fn counts_each_message_once() {
        let mut ledger = ledger();
        ledger.count(&letter(0, "m"));
        ledger.count(&letter(0, "m"));
        assert_eq!(ledger.due(&letter(0, "m")), Due::Counted);
        assert_eq!(ledger.due(&letter(0, "n")), Due::Surplus);
        assert_eq!(ledger.owed(), [("collaborator-2".to_owned(), 1)]);
        assert_eq!(ledger.due(&letter(1, "m")), Due::Wanted);
        ledger.count(&letter(1, "m"));
        assert!(ledger.owed().is_empty());
        assert_eq!(ledger.due(&letter(2, "m")), Due::Surplus);
    }

    #[test]
    fn takes_no_other_message_for_the_one_that_it_counted() {
        let mut ledger = ledger();
        ledger.count(&letter(0, "m"));
        let ciphertext = b"another".to_vec();
        let another = Letter {
            ciphertext,
            ..letter(0, "m")
        };
        assert_eq!(ledger.due(&another), Due::Another);
    }
}
