//! Operations: what was asked for, and whether it is done.

use super::error;
use crate::legacy_error::LegacyError;
use std::collections::BTreeMap;

use super::Scope;

/// The number of operations that are remembered.
const REMEMBERED: usize = 1000;

/// An operation (Compute Engine v1, `Operation`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Its ID.
    pub id: String,
    /// The method, as in `insert`.
    pub kind: &'static str,
    /// What it is in: its project, and the zone or region.
    pub scope: Scope,
    /// The resource that it is about, as `projects/P/…`.
    pub target: String,
    /// When it was asked for, in Unix seconds.
    pub inserted: u64,
    /// Whether it is done.
    pub progress: Progress,
}

/// The progress of an operation. One that is done stays so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// The machine of the instance with this name must be off first.
    Awaits(String),
    /// It was done at this time, in Unix seconds.
    Done(u64),
}

/// Operations by name.
#[derive(Default)]
pub(super) struct Operations {
    all: BTreeMap<String, Operation>,
    order: Vec<String>,
}

impl Operations {
    pub(super) fn add(&mut self, operation: Operation) {
        self.order.push(operation.name.clone());
        self.all.insert(operation.name.clone(), operation);
        if self.order.len() > REMEMBERED {
            self.all.remove(&self.order.remove(0));
        }
    }

    /// The machine of an instance is off, at the time `now` in Unix seconds.
    pub(super) fn finish(&mut self, instance: &str, now: u64) {
        for operation in self.all.values_mut() {
            if matches!(&operation.progress, Progress::Awaits(awaited) if awaited == instance) {
                operation.progress = Progress::Done(now);
            }
        }
    }

    pub(super) fn get(&self, scope: &Scope, name: &str) -> Result<Operation, LegacyError> {
        let found = self.all.get(name).filter(|found| found.scope == *scope);
        found
            .cloned()
            .ok_or_else(|| error::not_found(&format!("{scope}/operations/{name}")))
    }
}
