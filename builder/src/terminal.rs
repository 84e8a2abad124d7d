//! Progress: a line that changes on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What people see of work in progress. It leaves the terminal clean when it is dropped.
pub struct Terminal(Option<ProgressBar>);

impl Terminal {
    /// Starts to show progress on standard error.
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

    /// Shows one line. What a compiler complains about stays on the terminal.
    pub fn tell(&self, line: &str) {
        match &self.0 {
            None => {
                // Nobody is left to tell when this fails.
                let _ = writeln!(io::stderr(), "{line}");
            }
            Some(bar) if is_step(line) => bar.set_message(line.trim().to_owned()),
            Some(bar) => bar.println(line),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Cargo's own steps are indented verbs with a capital; ours begin with a small letter.
fn is_step(line: &str) -> bool {
    let verbs = ["Compiling ", "Finished ", "Building "];
    verbs.iter().any(|verb| line.trim_start().starts_with(verb)) || is_own(line)
}

fn is_own(line: &str) -> bool {
    let verbs = [
        "staging ",
        "checking ",
        "fetching ",
        "unpacking ",
        "assembling ",
        "reading ",
    ];
    verbs.iter().any(|verb| line.starts_with(verb))
}
