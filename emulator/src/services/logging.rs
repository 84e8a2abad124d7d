//! Cloud Logging v2: entries, written and read. An entry is kept as the message `LogEntry`, one a line of a file.

mod filter;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use content::at::At;
use content::{json, limits, read_limited};
use serde_json::{Value, json};

use self::filter::Filter;
use super::Context;
use super::iam::Iam;
use crate::clock;
use crate::error::StartError;
use crate::status::Status;

/// The largest number of entries that are kept; the oldest are dropped.
const ENTRIES: usize = 20_000;
/// The largest size of the file, in bytes.
const FILE: u64 = 1 << 30;
/// The largest size of an entry, in bytes (Cloud Logging, "Quotas and limits").
const ENTRY: usize = 256 << 10;

/// Cloud Logging.
pub struct Logging {
    log: Mutex<Log>,
    iam: Arc<Iam>,
}

/// All entries, oldest first.
#[derive(Default)]
pub struct Log {
    entries: VecDeque<Value>,
    /// What is appended to; `None` keeps the entries in memory only.
    file: Option<File>,
    written: u64,
}

/// The request `ListLogEntries`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct List {
    /// The projects, as `projects/P`.
    pub projects: Vec<String>,
    /// The filter, in the language of Cloud Logging.
    pub filter: String,
    /// Whether the newest come first.
    pub order: Order,
    /// The largest number of entries.
    pub most: usize,
}

/// The order of entries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

impl Log {
    /// The entries of earlier runs in `folder`.
    ///
    /// # Errors
    /// The file cannot be read or written, or has another content.
    pub fn open(folder: &Path) -> Result<Self, StartError> {
        let path = folder.join("logging.jsonl");
        let entries = read(&path)?;
        let mut options = File::options();
        let file = options.create(true).append(true).open(&path);
        Ok(Self {
            written: entries.len() as u64,
            entries,
            file: Some(file.map_err(At::writing(&path))?),
        })
    }

    fn append(&mut self, entry: Value) -> Result<(), Status> {
        if let Some(file) = &mut self.file {
            writeln!(file, "{entry}").map_err(|_| Status::internal())?;
        }
        self.entries.push_back(entry);
        if self.entries.len() > ENTRIES {
            self.entries.pop_front();
        }
        self.written += 1;
        Ok(())
    }
}

/// The newest entries of a file; it is written anew if it has more.
fn read(path: &PathBuf) -> Result<VecDeque<Value>, StartError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(VecDeque::new()),
        Err(error) => return Err(At::reading(path)(error).into()),
    };
    let hint = "the file may be of another version: choose another state folder";
    let bytes = read_limited(file, FILE);
    let bytes = bytes.map_err(|error| StartError::file(path, error, hint))?;
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let entries = lines.map(|line| json::parse(line, limits::DOCUMENT));
    let mut entries: VecDeque<_> = entries
        .collect::<Result<_, _>>()
        .map_err(|error| StartError::file(path, error, hint))?;
    if entries.len() > ENTRIES {
        entries.drain(..entries.len() - ENTRIES);
        let lines: String = entries
            .iter()
            .map(|entry: &Value| format!("{entry}\n"))
            .collect();
        std::fs::write(path, lines).map_err(At::writing(path))?;
    }
    Ok(entries)
}

impl Logging {
    /// A service with these entries.
    pub fn new(log: Log, iam: Arc<Iam>) -> Self {
        let log = Mutex::new(log);
        Self { log, iam }
    }

    /// `WriteLogEntries`, all of one project, which is named by ID. Time, insert ID and severity are added where they are absent.
    ///
    /// # Errors
    /// The caller lacks the permission, an entry is too large, or the file cannot be written.
    pub fn write(
        &self,
        context: &Context,
        project: &str,
        entries: Vec<Value>,
    ) -> Result<(), Status> {
        let resource = format!("projects/{project}");
        self.iam
            .demand(context, "logging.logEntries.create", &[&resource])?;
        if entries.iter().any(|entry| entry.to_string().len() > ENTRY) {
            return Err(Status::invalid(format!(
                "Log entry with size exceeds maximum size of {ENTRY} bytes."
            )));
        }
        let mut log = self.lock();
        for mut entry in entries {
            let now = clock::rfc3339(context.now);
            set(&mut entry, "timestamp", json!(now));
            set(&mut entry, "receiveTimestamp", json!(now));
            set(&mut entry, "severity", json!("DEFAULT"));
            let id = format!("{:020}", log.written);
            set(&mut entry, "insertId", json!(id));
            log.append(entry)?;
        }
        Ok(())
    }

    /// `ListLogEntries`.
    ///
    /// # Errors
    /// The caller lacks the permission on a project, or the filter is invalid or not emulated.
    pub fn list(&self, context: &Context, request: &List) -> Result<Vec<Value>, Status> {
        let mut prefixes = Vec::new();
        for project in &request.projects {
            self.iam
                .demand(context, "logging.logEntries.list", &[project])?;
            let id = project.strip_prefix("projects/").unwrap_or(project);
            prefixes.push(format!("projects/{}/logs/", self.iam.project_id(id)?));
        }
        let filter: Filter = request.filter.parse()?;
        let log = self.lock();
        let is_asked = |entry: &&Value| {
            let name = entry["logName"].as_str().unwrap_or_default();
            prefixes.iter().any(|prefix| name.starts_with(prefix)) && filter.admits(entry)
        };
        let mut found: Vec<_> = log.entries.iter().filter(is_asked).cloned().collect();
        // Entries of one second stay in the order in which they were written.
        found.sort_by(|one, other| one["timestamp"].as_str().cmp(&other["timestamp"].as_str()));
        if request.order == Order::Descending {
            found.reverse();
        }
        found.truncate(request.most);
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(entry: &mut Value, field: &str, value: Value) {
    if entry[field].is_null() {
        entry[field] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::{OWNER, iam};

    fn entry(message: &str) -> Value {
        json!({"logName": "projects/project/logs/l", "jsonPayload": {"message": message}})
    }

    fn messages(logging: &Logging, filter: &str, order: Order) -> Vec<String> {
        let request = List {
            projects: vec!["projects/project".into()],
            filter: filter.into(),
            order,
            most: 2,
        };
        let found = logging.list(&OWNER, &request).unwrap();
        let text = |entry: &Value| entry["jsonPayload"]["message"].as_str().unwrap().to_owned();
        found.iter().map(text).collect()
    }

    #[test]
    fn entries_are_kept_and_read_in_both_orders() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Logging::new(Log::open(folder.path()).unwrap(), Arc::new(iam()));
        let logging = open();
        let entries = ["one", "two", "three"].map(entry).into();
        logging.write(&OWNER, "project", entries).unwrap();
        drop(logging);
        let logging = open();
        assert_eq!(messages(&logging, "", Order::Ascending), ["one", "two"]);
        assert_eq!(messages(&logging, "", Order::Descending), ["three", "two"]);
        let only = "jsonPayload.message=\"two\"";
        assert_eq!(messages(&logging, only, Order::Ascending), ["two"]);
        let large = vec![entry(&"x".repeat(ENTRY))];
        assert_eq!(
            logging.write(&OWNER, "project", large).unwrap_err().code,
            400
        );
    }
}
