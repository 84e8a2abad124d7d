//! System calls that a program may not make (seccomp(2)).

use std::collections::BTreeMap;
use std::io;

pub use seccompiler::{
    BackendError, SeccompCmpArgLen as Length, SeccompCmpOp as Comparison,
    SeccompCondition as Condition,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

/// The same call by its other number: a kernel may answer to the x32 interface as well.
pub const X32: i64 = 0x4000_0000;

/// Calls that fail with one error number; all others are allowed.
#[derive(Default)]
pub struct Filter(BTreeMap<i64, Vec<SeccompRule>>);

impl Filter {
    /// A filter of `calls`, by either number.
    pub fn of(calls: &[i64]) -> Self {
        let both = calls.iter().flat_map(|call| [*call, *call | X32]);
        Self(both.map(|call| (call, Vec::new())).collect())
    }

    /// Adds a call if all `conditions` hold for its arguments.
    ///
    /// # Errors
    /// There is no condition.
    pub fn add_if(&mut self, call: i64, conditions: Vec<Condition>) -> Result<(), BackendError> {
        let rule = SeccompRule::new(conditions)?;
        for call in [call, call | X32] {
            self.0.entry(call).or_default().push(rule.clone());
        }
        Ok(())
    }

    /// Has these calls fail with the error number `answer` from now on, in this process and in all that it
    /// starts.
    ///
    /// # Errors
    /// A kernel without filters.
    pub fn apply(self, answer: i32) -> io::Result<()> {
        let program = self.compile(answer).map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)
    }

    fn compile(self, answer: i32) -> Result<BpfProgram, BackendError> {
        let answer = SeccompAction::Errno(answer.unsigned_abs());
        SeccompFilter::new(self.0, SeccompAction::Allow, answer, TargetArch::x86_64)?.try_into()
    }
}
