//! The last lines of a step's program, for when the step fails.

use std::collections::VecDeque;

/// Most bytes that are kept of what a program says.
const KEPT: usize = 1 << 20;

/// The last lines of a step's program.
#[derive(Default)]
pub(super) struct Log {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Log {
    pub(super) fn add(&mut self, line: &str) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line.to_owned());
        while self.bytes > KEPT
            && let Some(first) = self.lines.pop_front()
        {
            self.bytes -= first.len() + 1;
        }
    }

    pub(super) fn lines(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.lines.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut log = Log::default();
        let line = "x".repeat(KEPT / 4);
        for number in 0..9 {
            log.add(&format!("{number}{line}"));
        }
        let first: Vec<_> = log.lines().map(|line| &line[..1]).collect();
        assert_eq!(first, ["6", "7", "8"]);
    }
}
