//! A line for each event, for logs and other programs' eyes.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::amount::Amount;
use super::event::{Event, seconds};
use super::{Show, write_line};
use crate::text;

/// How long a step says nothing of how much is done. The log of a long download has a few lines of it.
const PAUSE: Duration = Duration::from_secs(5);

/// Lines, to this writer.
pub(super) struct Plain<W> {
    writer: W,
    steps: BTreeMap<u32, Told>,
}

/// What was told of a step.
struct Told {
    name: String,
    at: Instant,
    amount: Amount,
    is_told: bool,
}

impl<W: Write> Plain<W> {
    pub(super) fn new(writer: W) -> Self {
        Self {
            writer,
            steps: BTreeMap::new(),
        }
    }

    fn show_at(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Begun { step, name } => self.begun(*step, name, now),
            Event::Progressed { step, amount } => {
                if let Some(told) = self.steps.get_mut(step) {
                    told.is_told &= told.amount == *amount;
                    told.amount = amount.clone();
                    if now.duration_since(told.at) >= PAUSE {
                        self.amount(*step, now);
                    }
                }
            }
            Event::Said { step, line } => {
                if let Some(told) = self.steps.get_mut(step) {
                    told.at = now;
                }
                self.line(&format!("#{step} {}", text::line(line)));
            }
            Event::Ended {
                step,
                outcome,
                milliseconds,
            } => {
                self.amount(*step, now);
                self.steps.remove(step);
                let (outcome, time) = (outcome.word(), seconds(*milliseconds));
                self.line(&format!("#{step} {outcome} {time}"));
            }
            Event::Note(note) => self.line(&text::lines(note)),
        }
    }

    fn begun(&mut self, step: u32, name: &str, now: Instant) {
        let told = Told {
            name: text::line(name),
            at: now,
            amount: Amount::default(),
            is_told: true,
        };
        self.line(&format!("#{step} {}", told.name));
        self.steps.insert(step, told);
    }

    /// Shows how much of a step is done, unless that is known.
    fn amount(&mut self, step: u32, now: Instant) {
        let Some(told) = self.steps.get_mut(&step) else {
            return;
        };
        let amount = text::line(&told.amount.to_string());
        if told.is_told || amount.is_empty() {
            return;
        }
        (told.at, told.is_told) = (now, true);
        let line = format!("#{step} {}{amount}", told.name);
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        write_line(&mut self.writer, line.trim_end());
    }
}

impl<W: Write + Send> Show for Plain<W> {
    fn show(&mut self, event: &Event) {
        self.show_at(event, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Outcome;
    use super::super::tests::Written;
    use super::*;

    #[test]
    fn a_long_step_says_now_and_then_how_far_it_is() {
        let written = Written::default();
        let (mut plain, begin) = (Plain::new(written.clone()), Instant::now());
        let name = "fetch packages".to_owned();
        plain.show_at(&Event::Begun { step: 4, name }, begin);
        for second in 1..=12 {
            let amount = Amount {
                items: second,
                all_items: Some(40),
                bytes: second * 1_500_000,
                ..Amount::default()
            };
            let now = begin + Duration::from_secs(second);
            plain.show_at(&Event::Progressed { step: 4, amount }, now);
        }
        let ended = Event::Ended {
            step: 4,
            outcome: Outcome::Done,
            milliseconds: 13_120,
        };
        plain.show_at(&ended, begin);
        let expected = "\
#4 fetch packages
#4 fetch packages 5/40 7.5 MB
#4 fetch packages 10/40 15.0 MB
#4 fetch packages 12/40 18.0 MB
#4 done 13.1s
";
        assert_eq!(written.text(), expected);
    }
}
