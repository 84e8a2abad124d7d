//! Progress: a line that changes on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{print, text};

/// How the lines of steps begin: cargo's, and those of our own programs. Other lines stay on the terminal.
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

/// Shows progress on standard error. The terminal is clean when it is dropped.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Starts to show progress.
    pub fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        // The template is a constant; without it the bar has its own style.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// Shows a line. A step replaces the step before it; what a compiler reports stays on the terminal.
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

/// Whether a line names a step. An error that happened in a step follows it after a colon, and is none.
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
