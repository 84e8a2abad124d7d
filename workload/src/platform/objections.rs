//! Tells why messages are refused: each reason once, and of no sender without end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Refusals of one sender that are told one by one.
const TOLD: usize = 20;

/// What was told, by sender.
#[derive(Default)]
pub struct Objections(BTreeMap<String, BTreeSet<String>>);

impl Objections {
    /// The line that tells that a message is refused, if it is to be told.
    pub fn line(&mut self, sender: &str, message: &str, reason: &dyn Display) -> Option<String> {
        let told = self.0.entry(sender.to_owned()).or_default();
        if told.len() > TOLD {
            return None;
        }
        let line = match told.len() < TOLD {
            true => format!("refusing message {message}: {reason}"),
            false => format!("refusing more messages of {sender}, which are not told one by one"),
        };
        told.insert(line.clone()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_each_refusal_once_and_not_without_end() {
        let mut objections = Objections::default();
        let first = objections.line("one", "m", &"why");
        assert_eq!(first.as_deref(), Some("refusing message m: why"));
        assert_eq!(objections.line("one", "m", &"why"), None);
        let flood = (0..1000).filter_map(|n| objections.line("one", &n.to_string(), &"why"));
        let flood: Vec<_> = flood.collect();
        assert_eq!(flood.len(), TOLD);
        assert!(flood[TOLD - 1].starts_with("refusing more messages of one"));
        assert!(objections.line("two", "m", &"why").is_some());
    }
}
