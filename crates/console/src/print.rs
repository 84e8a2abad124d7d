//! Printing: data to standard output, everything else to standard error.

use std::io::{self, Write as _};

use crate::text;

/// Prints a line of data to standard output.
///
/// # Errors
/// Standard output is closed or full.
pub fn line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Prints bytes to standard output, and nothing after them.
///
/// # Errors
/// Standard output is closed or full.
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints a JSON document to standard output. Characters that control a terminal are escaped in it.
///
/// # Errors
/// Standard output is closed or full.
pub fn json(json: &str) -> io::Result<()> {
    line(&text::json(json))
}

/// Prints lines for the user to standard error. Characters that control a terminal are escaped. An error is
/// ignored, since there is no place to report it.
pub fn note(lines: &str) {
    let _ = writeln!(io::stderr(), "{}", text::lines(lines));
}

/// Prints an error of `program` to standard error, on one line whatever `message` contains, and a hint.
pub fn error(program: &str, message: &str, hint: Option<&str>) {
    error_lines(program, &text::line(message), hint);
}

/// As [`error`], but keeps the line feeds in `message`. Only for excerpts of the user's own files.
pub fn error_lines(program: &str, message: &str, hint: Option<&str>) {
    note(&format!("{program}: error: {}", message.trim_end()));
    if let Some(hint) = hint {
        note(&format!("hint: {hint}"));
    }
}
