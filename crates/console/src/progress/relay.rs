//! The steps of another program, which it shows as `rawjson`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::event::{Event, Outcome};
use super::{Progress, Step};

/// Maximum size of an event, in bytes.
const EVENT: u64 = 4096;
/// Most steps of another program that last at the same time.
const STEPS: usize = 100;

/// Shows the steps of another program among those of this one. Steps that it does not end are canceled when this is dropped.
pub struct Relay<'a> {
    progress: &'a Progress,
    steps: Mutex<BTreeMap<u32, Step>>,
}

impl<'a> Relay<'a> {
    /// Shows them there.
    pub fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            steps: Mutex::default(),
        }
    }

    /// Shows a line of the other program. Returns whether it is an event; another line is shown as it is.
    pub fn show(&self, line: &str) -> bool {
        match content::json::parse(line.as_bytes(), EVENT) {
            Ok(event) => {
                self.event(event);
                true
            }
            Err(_) => {
                self.progress.note(line);
                false
            }
        }
    }

    fn event(&self, event: Event) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Begun { step, name } if steps.len() < STEPS => {
                steps.insert(step, self.progress.step(name));
            }
            Event::Begun { .. } => {}
            Event::Progressed { step, amount } => {
                if let Some(step) = steps.get(&step) {
                    step.set(amount);
                }
            }
            Event::Said { step, line } => match steps.get(&step) {
                Some(step) => step.line(&line),
                None => self.progress.note(&line),
            },
            Event::Ended { step, outcome, .. } => match (steps.remove(&step), outcome) {
                (Some(step), Outcome::Done) => step.done(),
                (Some(step), Outcome::Failed) => step.failed(),
                (Some(_), Outcome::Canceled) | (None, _) => {}
            },
            Event::Note(note) => self.progress.note(&note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Written, timeless};
    use super::*;

    #[test]
    fn steps_of_another_program_are_shown_as_own() {
        let raw = Written::default();
        let other = Progress::raw(&raw);
        let compile = other.step("compile hello");
        compile.counting("crate");
        compile.line("   Compiling \"itoa\"\n");
        compile.add(1, 0);
        let fetch = other.step("fetch packages");
        fetch.of(1, [5]);
        fetch.add(1, 5);
        fetch.done();
        other.note("note: x");
        let _ = compile.end(Err::<(), _>(()));
        let written = Written::default();
        let progress = Progress::to(written.clone());
        let own = progress.step("clone");
        own.done();
        let relay = Relay::new(&progress);
        assert!(raw.text().lines().all(|line| relay.show(line)));
        assert!(!relay.show("builder: error: why"));
        assert!(!relay.show("{\"begun\":{\"step\":9}}"));
        let expected = "\
#1 clone
#1 done
#2 compile hello
#2    Compiling \"itoa\"\\u{a}
#3 fetch packages
#3 fetch packages 1/1 5 B / 5 B
#3 done
note: x
#2 compile hello 1 crate
#2 failed
builder: error: why
{\"begun\":{\"step\":9}}";
        assert_eq!(timeless(&written.text()), expected);
    }
}
