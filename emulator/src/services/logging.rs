//! Cloud Logging v2: entries, written and read. An entry is kept as the message `LogEntry`, one a line of a file.

mod filter;
mod log;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use self::filter::Filter;
pub use self::log::Log;
use super::Context;
use super::iam::Iam;
use crate::status::Status;
use crate::{clock, random};

/// The largest size of an entry, in bytes (Cloud Logging, "Quotas and limits").
const ENTRY: usize = 256 << 10;

/// Cloud Logging.
pub struct Logging {
    log: Mutex<Log>,
    iam: Arc<Iam>,
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
    /// The token of the page, from the page before; empty for the first page.
    pub page_token: String,
}

/// A page of entries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Value>,
    /// The token of the next page; empty on the last page.
    pub next: String,
}

/// What a request to write entries does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// The entries are written.
    Write,
    /// The entries are checked only.
    DryRun,
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

impl Logging {
    /// A service with these entries.
    pub fn new(log: Log, iam: Arc<Iam>) -> Self {
        let log = Mutex::new(log);
        Self { log, iam }
    }

    /// `WriteLogEntries`. Time, insert ID and severity are added where they are absent, and the project in the name of a log becomes its
    /// ID. Nothing is written if one entry is refused.
    ///
    /// # Errors
    /// The caller lacks the permission, an entry is too large or names no log, or the file cannot be written.
    pub fn write(
        &self,
        context: &Context,
        mut entries: Vec<Value>,
        effect: Effect,
    ) -> Result<(), Status> {
        let mut projects = BTreeSet::new();
        for entry in &mut entries {
            if entry.to_string().len() > ENTRY {
                return Err(Status::invalid(format!(
                    "Log entry with size exceeds maximum size of {ENTRY} bytes."
                )));
            }
            let (project, log) = log_of(entry)?;
            let id = self.iam.project_id(&project)?;
            entry["logName"] = json!(format!("projects/{id}/logs/{log}"));
            projects.insert(format!("projects/{id}"));
        }
        for project in &projects {
            self.iam
                .demand(context, "logging.logEntries.create", &[project])?;
        }
        match effect {
            Effect::Write => self.append(context, entries),
            Effect::DryRun => Ok(()),
        }
    }

    fn append(&self, context: &Context, entries: Vec<Value>) -> Result<(), Status> {
        let mut log = self.lock();
        for mut entry in entries {
            let now = clock::rfc3339(context.now);
            set(&mut entry, "timestamp", json!(now));
            set(&mut entry, "receiveTimestamp", json!(now));
            set(&mut entry, "severity", json!("DEFAULT"));
            let id = random::text().map_err(|_| Status::internal())?;
            set(&mut entry, "insertId", json!(id));
            log.append(entry)?;
        }
        Ok(())
    }

    /// `ListLogEntries`.
    ///
    /// # Errors
    /// The caller lacks the permission on a project, the filter is invalid or not emulated, or the page token is invalid.
    pub fn list(&self, context: &Context, request: &List) -> Result<Page, Status> {
        let mut prefixes = Vec::new();
        for project in &request.projects {
            self.iam
                .demand(context, "logging.logEntries.list", &[project])?;
            let id = project.strip_prefix("projects/").unwrap_or(project);
            prefixes.push(format!("projects/{}/logs/", self.iam.project_id(id)?));
        }
        let filter: Filter = request.filter.parse()?;
        let log = self.lock();
        let is_asked = |(_, entry): &(u64, &Value)| {
            let name = entry["logName"].as_str().unwrap_or_default();
            prefixes.iter().any(|prefix| name.starts_with(prefix)) && filter.admits(entry)
        };
        let mut found: Vec<_> = log.entries().filter(is_asked).collect();
        // Entries of one second stay in the order in which they were written.
        found.sort_by_key(|(_, entry)| entry["timestamp"].as_str());
        if request.order == Order::Descending {
            found.reverse();
        }
        let begin = match request.page_token.as_str() {
            "" => 0,
            token => {
                let last = log.number(token);
                let last = last.and_then(|last| found.iter().position(|(n, _)| *n == last));
                last.ok_or_else(|| Status::invalid("page_token is invalid."))? + 1
            }
        };
        let end = found.len().min(begin + request.most);
        let page = &found[begin..end];
        let next = page.last().filter(|_| end < found.len());
        Ok(Page {
            entries: page.iter().map(|(_, entry)| (*entry).clone()).collect(),
            next: next.map_or_else(String::new, |(number, _)| log.token(*number)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The project and the ID in the name of the log of an entry, `projects/P/logs/L`.
fn log_of(entry: &Value) -> Result<(String, String), Status> {
    let name = entry["logName"].as_str().unwrap_or_default();
    let parts: Vec<_> = name.splitn(4, '/').collect();
    match parts[..] {
        ["projects", project, "logs", log] if !log.is_empty() => {
            Ok((project.to_owned(), log.to_owned()))
        }
        _ => Err(Status::invalid(format!("Invalid log name: {name}"))),
    }
}

fn set(entry: &mut Value, field: &str, value: Value) {
    if entry[field].is_null() {
        entry[field] = value;
    }
}

#[cfg(test)]
mod tests;
