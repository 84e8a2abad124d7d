//! The messages that are counted and those that are owed. Each message counts once, however often it
//! is delivered.

use std::collections::BTreeMap;

use content::Digest;

use crate::platform::inbox::EncryptedMessage;
use crate::terms::Contributor;

/// The messages that have been counted, and how many each collaborator still owes.
pub struct Ledger {
    owed: Vec<(String, u32)>,
    /// The digest of each counted ciphertext, by sender's index and message name.
    counted: BTreeMap<(usize, String), Digest>,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Decrypt and count it.
    Wanted,
    /// The same message has been counted already.
    Counted,
    /// A different message with this name has been counted.
    NameTaken,
    /// Its sender has sent all that was agreed.
    Surplus,
}

impl Ledger {
    /// A ledger with nothing counted and all messages owed.
    pub fn new(contributors: &[Contributor]) -> Self {
        let owed = contributors.iter().map(|c| (c.name.clone(), c.messages));
        Self {
            owed: owed.collect(),
            counted: BTreeMap::new(),
        }
    }

    /// What to do with a message.
    pub fn due(&self, message: &EncryptedMessage) -> Due {
        let counted = self.counted.get(&(message.place, message.name.clone()));
        match (counted, self.owed.get(message.place)) {
            (Some(digest), _) if *digest == Digest::of(&message.ciphertext) => Due::Counted,
            (Some(_), _) => Due::NameTaken,
            (None, Some((_, 1..))) => Due::Wanted,
            (None, _) => Due::Surplus,
        }
    }

    /// Records that a message has been counted, if it was wanted.
    pub fn count(&mut self, message: &EncryptedMessage) {
        if self.due(message) == Due::Wanted {
            let name = (message.place, message.name.clone());
            self.counted.insert(name, Digest::of(&message.ciphertext));
            self.owed[message.place].1 -= 1;
        }
    }

    /// The collaborators that still owe messages, with the number of messages.
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
                .messages
                .unwrap()
                .contributors,
        )
    }

    fn message(place: usize, name: &str) -> EncryptedMessage {
        EncryptedMessage {
            collaborator: "c".into(),
            place,
            name: name.into(),
            ciphertext: b"ciphertext".to_vec(),
        }
    }

    #[test]
    fn counts_each_message_once() {
        let mut ledger = ledger();
        ledger.count(&message(0, "m"));
        ledger.count(&message(0, "m"));
        assert_eq!(ledger.due(&message(0, "m")), Due::Counted);
        assert_eq!(ledger.due(&message(0, "n")), Due::Surplus);
        assert_eq!(ledger.owed(), [("collaborator-2".to_owned(), 1)]);
        assert_eq!(ledger.due(&message(1, "m")), Due::Wanted);
        ledger.count(&message(1, "m"));
        assert!(ledger.owed().is_empty());
        assert_eq!(ledger.due(&message(2, "m")), Due::Surplus);
    }

    #[test]
    fn distinguishes_messages_of_the_same_name() {
        let mut ledger = ledger();
        ledger.count(&message(0, "m"));
        let ciphertext = b"another".to_vec();
        let another = EncryptedMessage {
            ciphertext,
            ..message(0, "m")
        };
        assert_eq!(ledger.due(&another), Due::NameTaken);
    }
}
