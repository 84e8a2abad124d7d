//! Events as JSON, one in each line, for a program that shows the progress of this one.

use std::io::Write;

use super::event::Event;
use super::{Show, write_line};
use crate::text;

/// Longest line of a program in one event, in bytes. Escaped, each can have six, and readers have a limit of 4096.
const LINE: usize = 600;

/// JSON, to this writer.
pub(super) struct Raw<W>(W);

impl<W: Write> Raw<W> {
    pub(super) fn new(writer: W) -> Self {
        Self(writer)
    }

    fn write(&mut self, event: &Event) {
        // Numbers and text can always be written.
        if let Ok(json) = serde_json::to_string(event) {
            write_line(&mut self.0, &text::json(&json));
        }
    }
}

impl<W: Write + Send> Show for Raw<W> {
    fn show(&mut self, event: &Event) {
        match event {
            Event::Said { step, line } => pieces(line).for_each(|line| {
                let (step, line) = (*step, line.to_owned());
                self.write(&Event::Said { step, line });
            }),
            Event::Note(note) => {
                pieces(note).for_each(|note| self.write(&Event::Note(note.to_owned())));
            }
            event => self.write(event),
        }
    }
}

/// The text in pieces of limited length; one if it is empty.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut left = Some(text);
    std::iter::from_fn(move || {
        let text = left?;
        let end = text.floor_char_boundary(LINE);
        let (piece, rest) = text.split_at(end);
        left = (!rest.is_empty()).then_some(rest);
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_has_several_pieces() {
        let line = "\u{e9}".repeat(LINE);
        let found: Vec<_> = pieces(&line).collect();
        assert_eq!(found.concat(), line);
        assert!(found.len() == 2 && found.iter().all(|piece| piece.len() <= LINE));
        assert_eq!(pieces("").collect::<Vec<_>>(), [""]);
    }
}
