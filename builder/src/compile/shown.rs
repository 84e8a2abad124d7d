//! Programs in the sandbox as steps of the build: what they say is shown.

use crate::order::Order;
use crate::sandbox::{Plan, Ran, Sandbox, SandboxError};

/// A step that runs a program.
pub(super) struct Shown<'a> {
    pub(super) order: &'a Order<'a>,
    /// What the program does.
    pub(super) name: String,
    /// What is counted: what it works on, one after the other.
    pub(super) unit: &'static str,
    /// Whether a line of the program says that it begins the next one.
    pub(super) begins: fn(&str) -> bool,
}

impl Shown<'_> {
    /// Runs the program of a plan, as [`Sandbox::run`] does. `hear` gets each line that it prints.
    pub(super) fn run(
        &self,
        plan: &Plan,
        files: &[std::path::PathBuf],
        hear: &(dyn Fn(&str) + Sync),
    ) -> Result<Ran, SandboxError> {
        self.order.supply.during(&self.name, |step| {
            step.counting(self.unit);
            let progress = |line: &str| {
                hear(line);
                if (self.begins)(line) {
                    step.add(1, 0);
                }
                step.line(line);
            };
            let sandbox = Sandbox {
                progress: &progress,
                ..self.order.sandbox
            };
            sandbox.run(plan, files)
        })
    }
}
