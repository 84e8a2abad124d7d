//! Progress: the steps of long work, with what they have done, on standard error.
//!
//! A step is a [`Step`] as long as it lasts. How it looks is for a display to decide: lines, a block that is redrawn on a terminal,
//! nothing, or JSON for a program that shows the progress of another ([`Relay`]).

mod amount;
mod event;
mod log;
mod plain;
mod quiet;
mod raw;
mod relay;
mod step;
mod terminal;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};

use crate::hint::Hinted;
use event::Event;
use plain::Plain;
use quiet::Quiet;
use raw::Raw;
pub use relay::Relay;
pub use step::{Meter, Step};
use terminal::Terminal;

/// The variable that chooses the display of all programs, as `BUILDKIT_PROGRESS` does for BuildKit.
pub const VARIABLE: &str = "COUNTERSIGN_PROGRESS";
/// The value of [`VARIABLE`] with which a program tells another what it does.
pub const RAW: &str = "rawjson";
/// Longest name of a step, in characters. It may have an address of a source in it.
const NAME: usize = 200;

/// How progress is shown, as `docker build` has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum How {
    /// As `tty` if standard error is a terminal, otherwise as `plain`
    #[default]
    Auto,
    /// A line for each event
    Plain,
    /// A block of the current steps, with the last lines of compilers, that is redrawn
    Tty,
    /// No steps; of a step that fails, what its program said
    Quiet,
    /// A JSON document for each event
    Rawjson,
}

/// The option of commands that show progress.
#[derive(Args, Clone, Copy, Debug)]
pub struct Shown {
    /// How to show progress on standard error: plain (lines), tty (a block that is redrawn), quiet (only what fails), rawjson, or
    /// auto, which is tty on a terminal and plain elsewhere
    #[arg(long, value_name = "HOW", env = VARIABLE)]
    #[arg(value_enum, default_value_t, hide_possible_values = true)]
    pub progress: How,
}

/// Shows what happens.
trait Show: Send {
    fn show(&mut self, event: &Event);

    /// Removes what is drawn only for the moment. Nothing is shown afterwards.
    fn end(&mut self) {}
}

/// Shows the progress of a command. Its clones show the same progress.
#[derive(Clone)]
pub struct Progress(Arc<Shared>);

struct Shared {
    next: AtomicU32,
    display: Mutex<Box<dyn Show>>,
}

impl Progress {
    /// Starts to show progress on standard error. `variable` reads a variable of the environment: `TERM`.
    ///
    /// # Errors
    /// A terminal is wanted, and standard error is not one.
    pub fn start(
        how: How,
        variable: impl FnOnce(&'static str) -> Option<OsString>,
    ) -> Result<Self, Hinted> {
        let is_terminal = io::stderr().is_terminal() && can_redraw(variable("TERM"));
        Ok(match how {
            How::Tty if !is_terminal => {
                return Err(Hinted::new(
                    "showing progress: standard error is not a terminal that can redraw lines",
                )
                .hinting("choose --progress plain; TERM names the kind of the terminal"));
            }
            How::Auto if !is_terminal => Self::to(io::stderr()),
            How::Auto | How::Tty => Self::on(Terminal::new()),
            How::Plain => Self::to(io::stderr()),
            How::Quiet => Self::on(Quiet::new(io::stderr())),
            How::Rawjson => Self::on(Raw::new(io::stderr())),
        })
    }

    /// Shows progress as lines, to this writer.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self::on(Plain::new(writer))
    }

    fn on(display: impl Show + 'static) -> Self {
        Self(Arc::new(Shared {
            next: AtomicU32::new(1),
            display: Mutex::new(Box::new(display)),
        }))
    }

    /// Begins a step.
    pub fn step(&self, name: impl Display) -> Step {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let name = content::printable(&name.to_string(), NAME);
        Step::begin(self.clone(), number, name)
    }

    /// Shows text that is not part of a step and stays, such as a warning.
    pub fn note(&self, text: &str) {
        self.show(&Event::Note(text.to_owned()));
    }

    /// Ends the display, before anything else is printed. Steps that have not ended are not shown any longer.
    pub fn end(&self) {
        self.display().end();
    }

    fn show(&self, event: &Event) {
        self.display().show(event);
    }

    fn display(&self) -> std::sync::MutexGuard<'_, Box<dyn Show>> {
        // A display that has panicked may have drawn half a line, which harms nothing.
        let display = self.0.display.lock();
        display.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether lines can be redrawn on a terminal of this kind, the value of `TERM`.
fn can_redraw(kind: Option<OsString>) -> bool {
    kind.is_some_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Writes a line at once, so that lines of several processes do not mix. An error is ignored, since there is no place to report it.
fn write_line(writer: &mut impl Write, line: &str) {
    let _ = writer.write_all(format!("{line}\n").as_bytes());
    let _ = writer.flush();
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What was written, for a test.
    #[derive(Clone, Default)]
    pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Progress {
        pub(super) fn raw(written: &Written) -> Self {
            Self::on(Raw::new(written.clone()))
        }

        pub(super) fn quiet(written: &Written) -> Self {
            Self::on(Quiet::new(written.clone()))
        }
    }

    /// The text without times.
    pub(crate) fn timeless(text: &str) -> String {
        let lines = text.lines().map(|line| match line.rsplit_once(' ') {
            Some((rest, time)) if time.ends_with('s') && time.contains('.') => rest,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn steps_are_numbered_and_end() {
        let written = Written::default();
        let progress = Progress::to(written.clone());
        let first = progress.step("fetch packages");
        let second = progress.step("compile hello");
        second.line("   Compiling itoa v1.0.15");
        first.of(2, [1_500_000, 500_000]);
        first.add(1, 1_500_000);
        first.add(1, 500_000);
        assert_eq!(first.end(Ok::<_, ()>(7)), Ok(7));
        assert_eq!(second.end(Err::<(), _>("why")), Err("why"));
        drop(progress.step("never"));
        progress.note("note: that was all");
        let expected = "\
#1 fetch packages
#2 compile hello
#2    Compiling itoa v1.0.15
#1 fetch packages 2/2 2.0 MB / 2.0 MB
#1 done
#2 failed
#3 never
#3 canceled
note: that was all";
        assert_eq!(timeless(&written.text()), expected);
    }

    #[test]
    fn foreign_text_cannot_control_the_terminal() {
        let written = Written::default();
        for progress in [Progress::to(written.clone()), Progress::raw(&written)] {
            let step = progress.step("fetch https://x/\u{1b}[2J");
            step.line("\u{1b}]0;title\u{7}\r\u{202e}evil");
            progress.note("a\u{9b}b");
        }
        let text = written.text();
        assert!(text.contains("evil"), "{text}");
        let is_control = |c: char| c != '\n' && !content::is_plain(c);
        assert!(!text.contains(is_control), "{text:?}");
    }

    #[test]
    fn nothing_is_shown_of_quiet_work_that_succeeds() {
        let written = Written::default();
        let progress = Progress::quiet(&written);
        let step = progress.step("compile");
        step.line("warning: unused");
        assert!(step.end(Ok::<_, ()>(())).is_ok());
        assert_eq!(written.text(), "");
        let step = progress.step("compile");
        step.line("error: no");
        assert!(step.end(Err::<(), _>(())).is_err());
        assert_eq!(written.text(), "error: no\n");
    }
}
