//! Operations: what was asked for, and whether it is done.

use std::collections::BTreeMap;

use super::{ComputeError, Scope};

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
    /// The instance that must be off before it is done.
    pub awaited: Option<String>,
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

    pub(super) fn get(&self, scope: &Scope, name: &str) -> Result<Operation, ComputeError> {
        let found = self.all.get(name).filter(|found| found.scope == *scope);
        found
            .cloned()
            .ok_or_else(|| ComputeError::not_found(&format!("{scope}/operations/{name}")))
    }
}
