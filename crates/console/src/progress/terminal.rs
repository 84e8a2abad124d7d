//! A block at the end of a terminal: the current steps, each with the last lines of its program. Steps that have ended are
//! above it, and stay.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::amount::Amount;
use super::event::{Event, Outcome, seconds};
use super::log::Log;
use super::{Show, write_line};
use crate::text;

/// Most lines of a program that are in the block.
const TAIL: usize = 6;
/// How often the time of a step is drawn.
const TICK: Duration = Duration::from_millis(200);
/// Texts that are wider than the terminal are cut.
const STEP: &str = "{prefix:.cyan} {wide_msg} {time}";
const SAID: &str = "   {wide_msg:.dim}";

/// A block on standard error.
pub(super) struct Terminal {
    block: MultiProgress,
    steps: BTreeMap<u32, Drawn>,
}

/// A step in the block.
struct Drawn {
    name: String,
    amount: Amount,
    bar: ProgressBar,
    log: Log,
    tail: Vec<ProgressBar>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self {
            block: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            steps: BTreeMap::new(),
        }
    }

    fn begun(&mut self, step: u32, name: &str) {
        let name = text::line(name);
        let bar = bar(STEP).with_prefix(format!("#{step}"));
        let bar = self.block.add(bar.with_message(name.clone()));
        bar.enable_steady_tick(TICK);
        let drawn = Drawn {
            name,
            amount: Amount::default(),
            bar,
            log: Log::default(),
            tail: Vec::new(),
        };
        self.steps.insert(step, drawn);
    }

    fn ended(&mut self, step: u32, outcome: Outcome, milliseconds: u64) {
        let Some(drawn) = self.steps.remove(&step) else {
            return;
        };
        self.remove(&drawn);
        if outcome == Outcome::Failed {
            drawn.log.lines().for_each(|line| self.print(line));
        }
        let (said, time) = (drawn.said(), seconds(milliseconds));
        self.print(&format!("#{step} {said} {} {time}", outcome.word()));
    }

    fn remove(&self, drawn: &Drawn) {
        for bar in drawn.tail.iter().chain([&drawn.bar]) {
            bar.finish_and_clear();
            self.block.remove(bar);
        }
    }

    /// Prints a line above the block.
    fn print(&self, line: &str) {
        let line = text::line(line);
        self.block.suspend(|| write_line(&mut io::stderr(), &line));
    }
}

impl Drawn {
    fn said(&self) -> String {
        format!("{}{}", self.name, text::line(&self.amount.to_string()))
    }

    /// Adds a line of its program.
    fn add(&mut self, line: &str, block: &MultiProgress) {
        self.log.add(line);
        if self.tail.len() < TAIL {
            let last = self.tail.last().unwrap_or(&self.bar);
            let bar = bar(SAID).with_message(text::line(line));
            self.tail.push(block.insert_after(last, bar));
        }
        let skipped = self.log.lines().len().saturating_sub(self.tail.len());
        for (bar, line) in self.tail.iter().zip(self.log.lines().skip(skipped)) {
            bar.set_message(text::line(line));
        }
    }
}

impl Show for Terminal {
    fn show(&mut self, event: &Event) {
        match event {
            Event::Begun { step, name } => self.begun(*step, name),
            Event::Progressed { step, amount } => {
                if let Some(drawn) = self.steps.get_mut(step) {
                    drawn.amount = amount.clone();
                    drawn.bar.set_message(drawn.said());
                }
            }
            Event::Said { step, line } => {
                if let Some(drawn) = self.steps.get_mut(step) {
                    drawn.add(line, &self.block);
                }
            }
            Event::Ended {
                step,
                outcome,
                milliseconds,
            } => self.ended(*step, *outcome, *milliseconds),
            Event::Note(note) => note.lines().for_each(|line| self.print(line)),
        }
    }

    fn end(&mut self) {
        for drawn in std::mem::take(&mut self.steps).values() {
            self.remove(drawn);
        }
        self.block.set_draw_target(ProgressDrawTarget::hidden());
    }
}

/// A line of the block.
fn bar(template: &str) -> ProgressBar {
    let time = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let elapsed = state.elapsed().as_millis();
        // Drawing goes on without it.
        let _ = out.write_str(&seconds(elapsed.try_into().unwrap_or(u64::MAX)));
    };
    let bar = ProgressBar::new_spinner();
    // The templates are constants and valid; otherwise the bar has its default style.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.with_key("time", time)),
        Err(_) => bar,
    }
}
