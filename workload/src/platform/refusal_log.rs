//! Logs why messages are refused: each reason once, with a limit per sender.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// The largest number of refusals that are logged one by one per sender.
const LIMIT: usize = 20;

/// The lines that were logged, by sender.
#[derive(Default)]
pub struct RefusalLog(BTreeMap<String, BTreeSet<String>>);

impl RefusalLog {
    /// The line to log when a message is refused; `None` if it was logged before or the limit is reached.
    pub fn line(&mut self, sender: &str, message: &str, reason: &dyn Display) -> Option<String> {
        let logged = self.0.entry(sender.to_owned()).or_default();
        if logged.len() > LIMIT {
            return None;
        }
        let line = match logged.len() < LIMIT {
            true => format!("refusing message {message}: {reason}"),
            false => format!("refusing further messages of {sender} without listing them"),
        };
        logged.insert(line.clone()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_each_refusal_once_and_up_to_a_limit() {
        let mut log = RefusalLog::default();
        let first = log.line("one", "m", &"why");
        assert_eq!(first.as_deref(), Some("refusing message m: why"));
        assert_eq!(log.line("one", "m", &"why"), None);
        let flood = (0..1000).filter_map(|n| log.line("one", &n.to_string(), &"why"));
        let flood: Vec<_> = flood.collect();
        assert_eq!(flood.len(), LIMIT);
        assert!(flood[LIMIT - 1].starts_with("refusing further messages of one"));
        assert!(log.line("two", "m", &"why").is_some());
    }
}
