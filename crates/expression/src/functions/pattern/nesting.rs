//! Repetitions in repetitions, of which RE2 has at most a thousand in all (Go, `regexp/syntax`, `repeatIsValid`).

use super::REPETITIONS;

/// How often a part is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Times {
    /// `{n}` or `{m,n}`.
    AtMost(u32),
    /// `{n,}`.
    AtLeast(u32),
}

/// The groups around a place in a pattern.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    outer: Vec<Group>,
    group: Group,
}

/// The largest product of the numbers of nested repetitions.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// In the group so far.
    most: u32,
    /// In its last part.
    last: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self { most: 1, last: 1 }
    }
}

impl Group {
    fn end(&mut self, part: u32) {
        self.last = part;
        self.most = self.most.max(part);
    }
}

impl Nesting {
    /// A part that begins with `c`, outside of classes, escapes and quotes.
    pub(super) fn see(&mut self, c: char) {
        match c {
            '(' => self.outer.push(std::mem::take(&mut self.group)),
            ')' => {
                let inner = self.group.most;
                // One that closes nothing is an error of the compiler.
                self.group = self.outer.pop().unwrap_or_default();
                self.group.end(inner);
            }
            _ => self.group.end(1),
        }
    }

    /// A repetition of the last part.
    pub(super) fn repeat(&mut self, times: Times) -> Result<(), String> {
        let product = match times {
            Times::AtMost(0) => 1,
            Times::AtMost(1) | Times::AtLeast(0 | 1) => self.group.last,
            Times::AtMost(times) | Times::AtLeast(times) => {
                let product = self.group.last.saturating_mul(times);
                if product > REPETITIONS {
                    return Err(format!("{product} repetitions inside each other"));
                }
                product
            }
        };
        self.group.end(product);
        Ok(())
    }
}
