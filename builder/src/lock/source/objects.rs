//! The bytes of git's objects, whatever is in the working tree.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout};

use content::limits;

use super::SourceError;
use crate::host;

/// Bytes of one file of the source.
const FILE: u64 = 256 << 20;

/// A git that gives one object after another.
pub(super) struct Objects {
    git: Child,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    /// Asks for all `objects`, in their order.
    ///
    /// # Errors
    /// git is missing.
    pub(super) fn open<'a>(
        top: &Path,
        objects: impl Iterator<Item = &'a str>,
    ) -> Result<Self, SourceError> {
        let mut git = host::git_objects(top)?;
        let (Some(mut asking), Some(answers)) = (git.stdin.take(), git.stdout.take()) else {
            return Err(SourceError::Answer {
                found: String::new(),
            });
        };
        let names: String = objects.map(|name| format!("{name}\n")).collect();
        // From a thread, so that neither side waits for a full pipe. If git goes away, its answers
        // end too early.
        std::thread::spawn(move || asking.write_all(names.as_bytes()));
        Ok(Self {
            git,
            answers: BufReader::new(answers),
        })
    }

    /// The next of them, which is named `name`.
    ///
    /// # Errors
    /// git answers with something else, or with more than any file of a source.
    pub(super) fn next(&mut self, name: &str) -> Result<Vec<u8>, SourceError> {
        object(&mut self.answers, name)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It has nothing left to say that anybody wants to hear.
        let _ = self.git.kill();
        let _ = self.git.wait();
    }
}

/// `<object> blob <size>\n<bytes>\n`
fn object(answers: &mut impl BufRead, name: &str) -> Result<Vec<u8>, SourceError> {
    let failed = |error: io::Error| SourceError::Answer {
        found: error.to_string(),
    };
    let mut head = String::new();
    answers
        .by_ref()
        .take(limits::KEY)
        .read_line(&mut head)
        .map_err(failed)?;
    let size = head
        .trim_end()
        .strip_prefix(&format!("{name} blob "))
        .and_then(|s| s.parse().ok());
    let size: u64 = size
        .filter(|size| *size <= FILE)
        .ok_or(SourceError::Answer { found: head })?;
    let mut bytes = vec![0; size as usize + 1];
    answers.read_exact(&mut bytes).map_err(failed)?;
    bytes.pop();
    Ok(bytes)
}
