//! Messages that wait to be decrypted, apart by sender. One after the other has its turn, and one
//! whose messages cannot be used waits for the next round: garbage of one does not hold up the others.

use std::collections::{BTreeSet, VecDeque};

use content::Digest;

use crate::platform::inbox::Letter;
use crate::terms::Collaborator;

/// Messages of one sender in a round that may turn out to be of no use: each costs a call.
const FAILURES: u32 = 4;
/// Messages of one sender that wait beyond those that are due.
const SPARE: usize = 100;

/// A message that waits, and what to acknowledge it by.
pub struct Waiting {
    /// The message.
    pub letter: Letter,
    /// What to acknowledge it by.
    pub ack_id: String,
}

/// What waits, by the place of its sender in the terms.
pub struct Backlog {
    senders: Vec<Sender>,
    /// The sender whose turn is next.
    next: usize,
}

struct Sender {
    waiting: VecDeque<Waiting>,
    limit: usize,
    /// In this round.
    failures: u32,
    /// The name and ciphertext of each message that could not be used: no second call for these.
    useless: BTreeSet<(String, Digest)>,
}

impl Backlog {
    /// Nothing waits.
    pub fn new(collaborators: &[Collaborator]) -> Self {
        let due = |c: &Collaborator| usize::try_from(c.messages).unwrap_or(usize::MAX);
        let sender = |c: &Collaborator| Sender {
            waiting: VecDeque::new(),
            limit: due(c).saturating_add(SPARE),
            failures: 0,
            useless: BTreeSet::new(),
        };
        Self {
            senders: collaborators.iter().map(sender).collect(),
            next: 0,
        }
    }

    /// Lets a message wait; it comes back if too many of its sender wait already.
    ///
    /// # Errors
    /// The message.
    pub fn push(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        let sender = &mut self.senders[waiting.letter.place];
        match sender.waiting.len() < sender.limit {
            true => {
                sender.waiting.push_back(waiting);
                Ok(())
            }
            false => Err(waiting),
        }
    }

    /// Begins a round.
    pub fn begin(&mut self) {
        self.senders.iter_mut().for_each(|s| s.failures = 0);
    }

    /// Takes the message whose turn it is; none when the round is over.
    pub fn take(&mut self) -> Option<Waiting> {
        let count = self.senders.len();
        let mut places = (0..count).map(|step| (self.next + step) % count);
        let place = places.find(|place| self.senders[*place].has_turn())?;
        self.next = place + 1;
        self.senders[place].waiting.pop_front()
    }

    /// Notes that a message was of no use.
    pub fn fail(&mut self, letter: &Letter) {
        let sender = &mut self.senders[letter.place];
        sender.failures += 1;
        sender.useless.insert(name(letter));
    }

    /// Whether the same message was of no use before.
    pub fn is_useless(&self, letter: &Letter) -> bool {
        self.senders[letter.place].useless.contains(&name(letter))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.senders.iter().all(|s| s.waiting.is_empty())
    }

    /// Takes all that wait, to be given back.
    pub fn drain(&mut self) -> impl Iterator<Item = Waiting> + '_ {
        self.senders.iter_mut().flat_map(|s| s.waiting.drain(..))
    }
}

impl Sender {
    fn has_turn(&self) -> bool {
        self.failures < FAILURES && !self.waiting.is_empty()
    }
}

fn name(letter: &Letter) -> (String, Digest) {
    (letter.message.clone(), Digest::of(&letter.ciphertext))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Terms;

    fn backlog() -> Backlog {
        let terms = Terms::parse(include_bytes!("../../terms.json")).unwrap();
        Backlog::new(&terms.collaborators)
    }

    fn waiting(place: usize, message: &str) -> Waiting {
        let letter = Letter {
            collaborator: "c".into(),
            place,
            message: message.into(),
            ciphertext: Vec::new(),
        };
        Waiting {
            letter,
            ack_id: message.into(),
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
            backlog.fail(&taken.letter);
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
    fn knows_a_useless_message_again() {
        let mut backlog = backlog();
        let taken = waiting(0, "m");
        assert!(!backlog.is_useless(&taken.letter));
        backlog.fail(&taken.letter);
        assert!(backlog.is_useless(&taken.letter));
        assert!(!backlog.is_useless(&waiting(0, "n").letter));
        assert!(!backlog.is_useless(&waiting(1, "m").letter));
    }
}
