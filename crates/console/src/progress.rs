//! Progress: one line that is overwritten if standard error is a terminal, otherwise a line for each step.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{print, text};

/// The beginnings of lines that are steps, of cargo and of the programs. Other lines stay on the terminal.
const STEPS: [&str; 10] = [
    "Building ",
    "Compiling ",
    "Finished ",
    "assembling ",
    "checking ",
    "fetching ",
    "reading ",
    "rebuilding ",
    "staging ",
    "unpacking ",
];

/// Shows progress on standard error. The progress line is removed when this is dropped.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Starts to show progress.
    pub fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        // The template is a constant and valid; otherwise the bar has its default style.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// Shows a line. A step replaces the step before it; other lines, such as messages of a compiler, stay.
    pub fn show(&self, line: &str) {
        match &self.0 {
            None => print::note(line),
            Some(bar) if is_step(line) => bar.set_message(text::line(line.trim())),
            Some(bar) => bar.println(text::lines(line)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Whether a line names a step. A line with a colon is an error that happened in a step.
fn is_step(line: &str) -> bool {
    let line = line.trim_start();
    STEPS.iter().any(|step| line.starts_with(step)) && !line.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_are_replaced() {
        for step in ["   Compiling itoa v1.0.15", "unpacking binutils 2.40-2"] {
            assert!(is_step(step), "{step}");
        }
        for other in [
            "error: unpacking",
            "fetching index: no such blob",
            "warning: unused",
        ] {
            assert!(!is_step(other), "{other}");
        }
    }
}
