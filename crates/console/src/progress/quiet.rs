//! Nothing but warnings, and what the program of a step said that fails.

use std::collections::BTreeMap;
use std::io::Write;

use super::event::{Event, Outcome};
use super::log::Log;
use super::{Show, write_line};
use crate::text;

/// Shows what matters, to this writer.
pub(super) struct Quiet<W> {
    writer: W,
    steps: BTreeMap<u32, Log>,
}

impl<W> Quiet<W> {
    pub(super) fn new(writer: W) -> Self {
        Self {
            writer,
            steps: BTreeMap::new(),
        }
    }
}

impl<W: Write + Send> Show for Quiet<W> {
    fn show(&mut self, event: &Event) {
        match event {
            Event::Begun { .. } | Event::Progressed { .. } => {}
            Event::Said { step, line } => self.steps.entry(*step).or_default().add(line),
            Event::Ended { step, outcome, .. } => {
                let log = self.steps.remove(step).unwrap_or_default();
                if *outcome == Outcome::Failed {
                    log.lines()
                        .for_each(|line| write_line(&mut self.writer, &text::line(line)));
                }
            }
            Event::Note(note) => write_line(&mut self.writer, &text::lines(note)),
        }
    }
}
