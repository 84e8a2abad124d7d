//! Progress: a line that changes on a terminal, plain lines elsewhere.

use std::borrow::Cow;
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
        let line = &*harmless(line);
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

/// Text that a stranger wrote, as a terminal shows it: what would steer the terminal instead, or mislead its
/// reader, is spelled out.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::new();
    for c in text.chars() {
        match is_steering(c) {
            true => harmless.extend(c.escape_unicode()),
            false => harmless.push(c),
        }
    }
    Cow::Owned(harmless)
}

/// A compiler's excerpts have tabs, and a parser's have lines.
fn is_steering(c: char) -> bool {
    !matches!(c, '\t' | '\n') && !content::is_plain(c)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let plain = "error: \u{e9}\n\t| caf\u{e9} \u{2192} \u{5d0}";
        assert_eq!(harmless(plain), plain);
        let title = "\u{1b}]0;title\u{7}\u{9b}31m\r\u{202e}end";
        let shown = r"\u{1b}]0;title\u{7}\u{9b}31m\u{d}\u{202e}end";
        assert_eq!(harmless(title), shown);
    }
}
