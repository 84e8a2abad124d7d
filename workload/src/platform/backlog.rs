//! Messages that wait to be decrypted, in one queue per sender. The senders take turns, and a sender
//! whose messages are unusable waits for the next round, so that it does not delay the others.

use std::collections::{BTreeSet, VecDeque};

use content::Digest;

use crate::platform::inbox::EncryptedMessage;
use crate::terms::Contributor;

/// The largest number of unusable messages of one sender per round; each costs a call.
const FAILURES: u32 = 4;
/// The largest number of waiting messages of one sender, in addition to those that it owes.
const SPARE: usize = 100;

/// A message that waits to be decrypted.
pub struct Waiting {
    /// The message, still encrypted.
    pub message: EncryptedMessage,
    /// The acknowledgement ID of Pub/Sub.
    pub ack_id: String,
}

/// All waiting messages, by the index of their sender in the terms.
pub struct Backlog {
    senders: Vec<Sender>,
    /// The index of the sender whose turn is next.
    next: usize,
}

struct Sender {
    waiting: VecDeque<Waiting>,
    limit: usize,
    /// The number of unusable messages in this round.
    failures: u32,
    /// Name and ciphertext digest of each unusable message: these are not decrypted again.
    useless: BTreeSet<(String, Digest)>,
}

impl Backlog {
    /// An empty backlog.
    pub fn new(contributors: &[Contributor]) -> Self {
        let due = |c: &Contributor| usize::try_from(c.messages).unwrap_or(usize::MAX);
        let sender = |c: &Contributor| Sender {
            waiting: VecDeque::new(),
            limit: due(c).saturating_add(SPARE),
            failures: 0,
            useless: BTreeSet::new(),
        };
        Self {
            senders: contributors.iter().map(sender).collect(),
            next: 0,
        }
    }

    /// Adds a message to the queue of its sender.
    ///
    /// # Errors
    /// Returns the message if the queue of its sender is full.
    pub fn push(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        let sender = &mut self.senders[waiting.message.place];
        match sender.waiting.len() < sender.limit {
            true => {
                sender.waiting.push_back(waiting);
                Ok(())
            }
            false => Err(waiting),
        }
    }

    /// Begins a round: every sender has its turns again.
    pub fn begin(&mut self) {
        self.senders.iter_mut().for_each(|s| s.failures = 0);
    }

    /// Takes the next message, or `None` when the round is over.
    pub fn take(&mut self) -> Option<Waiting> {
        let count = self.senders.len();
        let mut places = (0..count).map(|step| (self.next + step) % count);
        let place = places.find(|place| self.senders[*place].has_turn())?;
        self.next = place + 1;
        self.senders[place].waiting.pop_front()
    }

    /// Records that a message is unusable.
    pub fn fail(&mut self, message: &EncryptedMessage) {
        let sender = &mut self.senders[message.place];
        sender.failures += 1;
        sender.useless.insert(key(message));
    }

    /// Whether the same message was unusable before.
    pub fn is_useless(&self, message: &EncryptedMessage) -> bool {
        self.senders[message.place].useless.contains(&key(message))
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.senders.iter().all(|s| s.waiting.is_empty())
    }

    /// Takes all waiting messages, to return them to the subscription.
    pub fn drain(&mut self) -> impl Iterator<Item = Waiting> + '_ {
        self.senders.iter_mut().flat_map(|s| s.waiting.drain(..))
    }
}

impl Sender {
    fn has_turn(&self) -> bool {
        self.failures < FAILURES && !self.waiting.is_empty()
    }
}

fn key(message: &EncryptedMessage) -> (String, Digest) {
    (message.name.clone(), Digest::of(&message.ciphertext))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Terms;

    fn backlog() -> Backlog {
        let terms = Terms::parse(include_bytes!("../../terms.json")).unwrap();
        Backlog::new(&terms.messages.unwrap().contributors)
    }

    fn waiting(place: usize, name: &str) -> Waiting {
        let message = EncryptedMessage {
            collaborator: "c".into(),
            place,
            name: name.into(),
            ciphertext: Vec::new(),
        };
        Waiting {
            message,
            ack_id: name.into(),
        }
    }

    fn push(backlog: &mut Backlog, place: usize, message: &str) -> bool {
        backlog.push(waiting(place, message)).is_ok()
    }

    fn take(backlog: &mut Backlog) -> Option<String> {
        backlog.take().map(|waiting| waiting.ack_id)
    }

    #[test]
    fn senders_take_turns() {
        let mut backlog = backlog();
        for message in ["a1", "a2", "a3"] {
            assert!(push(&mut backlog, 0, message));
        }
        assert!(push(&mut backlog, 1, "b1"));
        backlog.begin();
        let turns = std::iter::from_fn(|| take(&mut backlog));
        assert_eq!(turns.collect::<Vec<_>>(), ["a1", "b1", "a2", "a3"]);
        assert!(backlog.is_empty());
    }

    #[test]
    fn a_sender_of_garbage_waits_for_the_next_round() {
        let mut backlog = backlog();
        for number in 0..10 {
            assert!(push(&mut backlog, 0, &format!("garbage-{number}")));
        }
        backlog.begin();
        for _ in 0..FAILURES {
            let taken = backlog.take().unwrap();
            backlog.fail(&taken.message);
        }
        assert!(take(&mut backlog).is_none());
        assert!(push(&mut backlog, 1, "b"));
        assert_eq!(take(&mut backlog).as_deref(), Some("b"));
        backlog.begin();
        assert_eq!(take(&mut backlog).as_deref(), Some("garbage-4"));
        assert_eq!(backlog.drain().count(), 5);
    }

    #[test]
    fn no_sender_fills_the_memory() {
        let mut backlog = backlog();
        for number in 0..=SPARE {
            assert!(push(&mut backlog, 0, &number.to_string()));
        }
        assert!(!push(&mut backlog, 0, "surplus"));
        assert!(push(&mut backlog, 1, "b"));
    }

    #[test]
    fn recognizes_a_useless_message() {
        let mut backlog = backlog();
        let taken = waiting(0, "m");
        assert!(!backlog.is_useless(&taken.message));
        backlog.fail(&taken.message);
        assert!(backlog.is_useless(&taken.message));
        assert!(!backlog.is_useless(&waiting(0, "n").message));
        assert!(!backlog.is_useless(&waiting(1, "m").message));
    }
}
