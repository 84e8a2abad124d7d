//! The bytes of git's objects. Each is checked against its name: the object folder of a repository, and the alternates
//! that it names, may have any bytes under any name.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout};

use super::error::{SourceError, answer, damaged, large};
use super::limits::{FILE, LIST, TOTAL};
use super::name::{Kind, ObjectName};
use crate::host;

/// Maximum size of the line before an object, in bytes, with its name, kind and size.
const HEAD: u64 = 256;

/// A running `git cat-file --batch`.
pub(super) struct Objects {
    git: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    room: u64,
}

impl Objects {
    /// The objects of the repository around `top`.
    ///
    /// # Errors
    /// git is missing.
    pub(super) fn open(top: &Path) -> Result<Self, SourceError> {
        let mut git = host::git_objects(top)?;
        let (Some(asking), Some(answers)) = (git.stdin.take(), git.stdout.take()) else {
            return Err(answer(""));
        };
        Ok(Self {
            git,
            asking,
            answers: BufReader::new(answers),
            room: TOTAL,
        })
    }

    /// The bytes of the object with this name.
    ///
    /// # Errors
    /// There is no such object, it is too large, or its kind or bytes do not match its name.
    pub(super) fn read(&mut self, name: &ObjectName, kind: Kind) -> Result<Vec<u8>, SourceError> {
        let asked = writeln!(self.asking, "{name}").and_then(|()| self.asking.flush());
        asked.map_err(unanswered)?;
        let size = self.size(name, kind)?;
        self.room = self
            .room
            .checked_sub(size)
            .ok_or_else(|| large(format_args!("its files unpack to more than {TOTAL} bytes")))?;
        let mut bytes = Vec::new();
        let mut content = (&mut self.answers).take(size + 1);
        content.read_to_end(&mut bytes).map_err(unanswered)?;
        if bytes.len() as u64 != size + 1 {
            return Err(unanswered(io::ErrorKind::UnexpectedEof.into()));
        }
        bytes.pop();
        match name.is_of(kind, &bytes) {
            true => Ok(bytes),
            false => Err(another(&name.to_string())),
        }
    }

    /// Reads `<name> <kind> <size>\n`, or `<name> missing\n`.
    fn size(&mut self, name: &ObjectName, kind: Kind) -> Result<u64, SourceError> {
        let mut head = String::new();
        let mut line = (&mut self.answers).take(HEAD);
        line.read_line(&mut head).map_err(unanswered)?;
        let name = name.to_string();
        let words: Vec<_> = head.trim_end().split(' ').collect();
        match words[..] {
            [found, word, size] if found == name && word == kind.word() => {
                let size = size.parse().map_err(|_| answer(&head))?;
                limited(size, kind, &name)
            }
            [found, "missing"] if found == name => Err(damaged(format_args!(
                "the repository has no git object {name}"
            ))),
            // git has ended, after an error.
            [""] => Err(another(&name)),
            _ => Err(answer(head)),
        }
    }
}

fn limited(size: u64, kind: Kind, name: &str) -> Result<u64, SourceError> {
    let limit = match kind {
        Kind::Blob => FILE,
        Kind::Commit | Kind::Tree => LIST,
    };
    match size <= limit {
        true => Ok(size),
        false => Err(large(format_args!(
            "git object {name} has {size} bytes: expected at most {limit}"
        ))),
    }
}

fn unanswered(error: io::Error) -> SourceError {
    answer(error)
}

/// The name of an object is not the digest of its content.
fn another(name: &str) -> SourceError {
    damaged(format_args!(
        "git object {name} content does not match its name"
    ))
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It only reads, so nothing is lost.
        let _ = self.git.kill();
        let _ = self.git.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The objects of a new repository, and the name of the one that `script` makes and prints.
    fn made(script: &str) -> (tempfile::TempDir, Objects, ObjectName) {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("git init -q; {script}")]);
        let made = shell.current_dir(folder.path()).output().unwrap();
        let name = String::from_utf8(made.stdout).unwrap();
        let objects = Objects::open(folder.path()).unwrap();
        (folder, objects, name.trim().parse().unwrap())
    }

    #[test]
    fn all_objects_together_have_a_limit() {
        let (_folder, mut objects, name) = made("printf 'five!' | git hash-object -w --stdin");
        objects.room = 12;
        for _ in 0..2 {
            assert_eq!(objects.read(&name, Kind::Blob).unwrap(), b"five!");
        }
        let third = objects.read(&name, Kind::Blob);
        assert_eq!(
            third.unwrap_err().to_string(),
            format!("reading source: its files unpack to more than {TOTAL} bytes")
        );
    }

    #[test]
    fn an_object_of_another_kind_is_refused() {
        let (_folder, mut objects, name) = made("git mktree </dev/null");
        let read = objects.read(&name, Kind::Blob);
        assert_eq!(
            read.unwrap_err().to_string(),
            format!("reading source: unexpected output of git: \"{name} tree 0\\u{{a}}\"")
        );
    }
}
