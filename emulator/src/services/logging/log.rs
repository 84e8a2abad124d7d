use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use content::at::At;
use content::{json, limits, read_limited};
use serde_json::Value;

use crate::error::StartError;
use crate::random;
use crate::status::Status;

/// The largest number of entries that are kept; the oldest are dropped.
const ENTRIES: usize = 20_000;
/// The largest size of all entries that are kept, in bytes.
const BYTES: u64 = 256 << 20;
/// The number of lines, and the size in bytes, at which the file is written anew with the entries that are kept.
const LINES: usize = 2 * ENTRIES;
const SIZE: u64 = 2 * BYTES;
/// The largest size of the file, in bytes.
const FILE: u64 = 1 << 30;

/// All entries, oldest first.
#[derive(Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// The number of the next entry.
    next: u64,
    /// The size of all entries, in bytes.
    bytes: u64,
    /// What tells page tokens of this run from those of another.
    run: String,
    /// What is appended to; `None` keeps the entries in memory only.
    file: Option<LogFile>,
}

struct Entry {
    /// Its number among all that were read and written since the start.
    number: u64,
    /// Its line in the file.
    line: String,
    value: Value,
}

/// A file with one entry a line.
struct LogFile {
    path: PathBuf,
    file: File,
    /// In bytes.
    size: u64,
    lines: usize,
}

impl Log {
    /// The entries of earlier runs in `folder`.
    ///
    /// # Errors
    /// The file cannot be read or written, or has another content.
    pub fn open(folder: &Path) -> Result<Self, StartError> {
        let path = folder.join("logging.jsonl");
        let entries = read(&path)?;
        let mut log = Self {
            run: random::text().map_err(|_| StartError::keys(&"the log"))?,
            ..Self::default()
        };
        for value in entries {
            log.keep(line(&value), value);
        }
        // Without the entries that are dropped, and the end of a line that was not written whole.
        let file = LogFile::write(path.clone(), &log.entries).map_err(At::writing(&path))?;
        log.file = Some(file);
        Ok(log)
    }

    /// The entries with their numbers.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.entries
            .iter()
            .map(|entry| (entry.number, &entry.value))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn append(&mut self, entry: Value) -> Result<(), Status> {
        let line = line(&entry);
        if let Some(file) = &mut self.file {
            file.append(&line).map_err(|_| Status::internal())?;
        }
        self.keep(line, entry);
        if let Some(file) = &mut self.file
            && (file.lines >= LINES || file.size >= SIZE)
        {
            let path = file.path.clone();
            *file = LogFile::write(path, &self.entries).map_err(|_| Status::internal())?;
        }
        Ok(())
    }

    fn keep(&mut self, line: String, value: Value) {
        let number = self.next;
        self.next += 1;
        self.bytes += line.len() as u64;
        self.entries.push_back(Entry {
            number,
            line,
            value,
        });
        while self.entries.len() > ENTRIES || self.bytes > BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                return;
            };
            self.bytes -= oldest.line.len() as u64;
        }
    }

    /// The token of the page that follows the entry with this number.
    pub(super) fn token(&self, number: u64) -> String {
        format!("{}.{number}", self.run)
    }

    /// The number of the entry that the page with this token follows; `None` if the token is of another run, or none.
    pub(super) fn number(&self, token: &str) -> Option<u64> {
        let (run, number) = token.rsplit_once('.')?;
        (run == self.run).then(|| number.parse().ok())?
    }
}

impl LogFile {
    /// Replaces the file as a whole.
    fn write(path: PathBuf, entries: &VecDeque<Entry>) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mut size = 0;
        let mut writer = io::BufWriter::new(&mut file);
        for entry in entries {
            writer.write_all(entry.line.as_bytes())?;
            size += entry.line.len() as u64;
        }
        writer.flush()?;
        drop(writer);
        // Its position is the end.
        let file = file.persist(&path).map_err(|error| error.error)?;
        Ok(Self {
            path,
            file,
            size,
            lines: entries.len(),
        })
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // The next line must not follow a part of this one.
            self.file.set_len(self.size)?;
            io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.size))?;
            return Err(error);
        }
        self.size += line.len() as u64;
        self.lines += 1;
        Ok(())
    }
}

fn line(entry: &Value) -> String {
    format!("{entry}\n")
}

/// The entries of a file. The end of a file that is no whole line was being written when the emulator was killed, and is dropped.
fn read(path: &Path) -> Result<Vec<Value>, StartError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(At::reading(path)(error).into()),
    };
    let hint = "the file may be of another version: choose another state folder";
    let bytes = read_limited(file, FILE);
    let bytes = bytes.map_err(|error| StartError::file(path, error, hint))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = bytes[..whole]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let entries = lines.map(|line| json::parse(line, limits::DOCUMENT));
    entries
        .collect::<Result<_, _>>()
        .map_err(|error| StartError::file(path, error, hint))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(log: &Log) -> Vec<Value> {
        log.entries().map(|(_, entry)| entry.clone()).collect()
    }

    #[test]
    fn a_line_that_was_cut_is_dropped_and_another_fault_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logging.jsonl");
        std::fs::write(&path, "{\"a\":1}\n{\"a\":2}\n{\"a\":").unwrap();
        let mut log = Log::open(folder.path()).unwrap();
        assert_eq!(messages(&log), [json!({"a": 1}), json!({"a": 2})]);
        log.append(json!({"a": 3})).unwrap();
        let log = Log::open(folder.path()).unwrap();
        assert_eq!(messages(&log).len(), 3);
        std::fs::write(&path, "{\"a\":1}\n{\"a\":\n{\"a\":3}\n").unwrap();
        let error = Log::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("logging.jsonl: parsing json"), "{error}");
    }

    #[test]
    fn a_file_that_is_only_the_begin_of_a_line_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("logging.jsonl"), "{\"a\"").unwrap();
        assert_eq!(messages(&Log::open(folder.path()).unwrap()).len(), 0);
    }

    #[test]
    fn the_file_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logging.jsonl");
        let mut log = Log::open(folder.path()).unwrap();
        for number in 0..=LINES {
            log.append(json!(number)).unwrap();
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines, ENTRIES + 1);
        let log = Log::open(folder.path()).unwrap();
        assert_eq!(messages(&log).last(), Some(&json!(LINES)));
        assert_eq!(messages(&log).len(), ENTRIES);
    }
}
