//! The output of the ceremony: a line for each step while it runs, and a summary at the end.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Error;
use crate::stage::{Playing, Said, Stage, command_line};

/// The mark of a step that ended.
const DONE: &str = "done";
const FAILED: &str = "no";

/// Shows each step while it runs, and records how long it took.
#[derive(Default)]
pub struct Transcript {
    steps: Vec<(String, Duration)>,
    records: Vec<Vec<String>>,
}

impl Transcript {
    /// Prints a heading.
    pub fn act(&self, title: &str) {
        if !self.steps.is_empty() {
            say("");
        }
        say(title);
    }

    /// Prints a line of text.
    pub fn note(&self, text: &str) {
        say(&format!("    {text}"));
    }

    /// Adds a row to the summary: who did what. An empty `who` means the same party as in the row before.
    pub fn record(&mut self, who: &str, did: &str, what: &str) {
        self.records
            .push([who, did, what].map(str::to_owned).to_vec());
    }

    /// The rows of the summary.
    pub fn records(&self) -> &[Vec<String>] {
        &self.records
    }

    /// Runs one step that is a function.
    ///
    /// # Errors
    /// Those of the step.
    pub fn step<T>(
        &mut self,
        what: &str,
        play: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begin = Instant::now();
        let spinner = spinner(what);
        let result = play();
        spinner.finish_and_clear();
        let mark = match result {
            Ok(_) => DONE,
            Err(_) => FAILED,
        };
        self.played(what, begin.elapsed(), mark);
        result
    }

    /// Runs one step that is a program, with any exit status.
    ///
    /// # Errors
    /// The program does not start, or reading its output fails.
    pub fn run(
        &mut self,
        stage: &Stage,
        what: &str,
        command: std::process::Command,
    ) -> Result<Said, Error> {
        self.listen(stage, what, command, |_| {})
    }

    /// Like [`Transcript::run`]; `heard` also receives each line of its standard error.
    ///
    /// # Errors
    /// As [`Transcript::run`].
    pub fn listen(
        &mut self,
        stage: &Stage,
        what: &str,
        command: std::process::Command,
        heard: impl Fn(&str) + Send + 'static,
    ) -> Result<Said, Error> {
        let begin = Instant::now();
        let spinner = spinner(what);
        let shown = spinner.clone();
        let what_now = what.to_owned();
        let playing = stage.start(command, move |line| {
            heard(line);
            shown.set_message(format!(
                "{what_now}  {}",
                line.chars().take(90).collect::<String>()
            ));
        });
        let said = playing.and_then(Playing::end);
        spinner.finish_and_clear();
        let mark = match &said {
            Ok(Said { code: Some(0), .. }) => DONE,
            _ => FAILED,
        };
        self.played(what, begin.elapsed(), mark);
        said
    }

    /// Runs one step that is a program and must succeed; returns its standard output.
    ///
    /// # Errors
    /// As [`Transcript::run`], or another exit status than 0.
    pub fn must(
        &mut self,
        stage: &Stage,
        what: &str,
        command: std::process::Command,
    ) -> Result<String, Error> {
        let line = command_line(&command);
        let said = self.run(stage, what, command)?;
        if said.code != Some(0) {
            return Err(Error::Program {
                command: line,
                code: said.code,
                said: said.stderr,
            });
        }
        Ok(said.stdout)
    }

    /// The seconds of all steps whose name starts with `beginning`.
    pub fn seconds(&self, beginning: &str) -> f64 {
        let steps = self
            .steps
            .iter()
            .filter(|(what, _)| what.starts_with(beginning));
        steps.map(|(_, time)| time.as_secs_f64()).sum()
    }

    fn played(&mut self, what: &str, time: Duration, mark: &str) {
        say(&format!(
            "    {mark:<5}{what:<62}{:>7.1} s",
            time.as_secs_f64()
        ));
        self.steps.push((what.to_owned(), time));
    }
}

/// A table with columns as wide as their widest cell; the first row is the header.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(
            text,
            "  {}",
            cells.collect::<Vec<_>>().join("  ").trim_end()
        );
    }
    text
}

fn spinner(what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("    {spinner} {wide_msg} {elapsed}");
    let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
    if let Ok(style) = style {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

fn say(line: &str) {
    console::print::note(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = [
            vec!["who".to_owned(), "what".to_owned()],
            vec!["operator".to_owned(), "x".to_owned()],
        ];
        assert_eq!(table(&rows), "  who       what\n  operator  x\n");
    }

    #[test]
    fn only_the_named_steps_are_added_up() {
        let mut transcript = Transcript::default();
        transcript.played("build: a", Duration::from_secs(2), DONE);
        transcript.played("build: b", Duration::from_secs(3), DONE);
        transcript.played("push", Duration::from_secs(5), DONE);
        assert_eq!(transcript.seconds("build: ").round(), 5.0);
    }
}
