//! Filters of system calls (seccomp(2)).

use std::collections::BTreeMap;
use std::io;

pub use seccompiler::{
    BackendError, SeccompCmpArgLen as Length, SeccompCmpOp as Comparison,
    SeccompCondition as Condition,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

/// The bit that x32 system call numbers have set: a kernel may accept each call by that number too.
pub const X32: i64 = 0x4000_0000;

/// A set of system calls that fail with one error number. All other calls are allowed.
#[derive(Default)]
pub struct Filter(BTreeMap<i64, Vec<SeccompRule>>);

impl Filter {
    /// Creates a filter that refuses `calls`, by their native and their x32 numbers.
    pub fn of(calls: &[i64]) -> Self {
        let both = calls.iter().flat_map(|call| [*call, *call | X32]);
        Self(both.map(|call| (call, Vec::new())).collect())
    }

    /// Also refuses `call` if all `conditions` are true for its arguments.
    ///
    /// # Errors
    /// `conditions` is empty.
    pub fn add_if(&mut self, call: i64, conditions: Vec<Condition>) -> Result<(), BackendError> {
        let rule = SeccompRule::new(conditions)?;
        for call in [call, call | X32] {
            self.0.entry(call).or_default().push(rule.clone());
        }
        Ok(())
    }

    /// Installs the filter in this process and all that it starts: the calls fail with the error number
    /// `answer`.
    ///
    /// # Errors
    /// The kernel does not support filters or refuses this one.
    pub fn apply(self, answer: i32) -> io::Result<()> {
        let program = self.compile(answer).map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)
    }

    fn compile(self, answer: i32) -> Result<BpfProgram, BackendError> {
        let answer = SeccompAction::Errno(answer.unsigned_abs());
        SeccompFilter::new(self.0, SeccompAction::Allow, answer, TargetArch::x86_64)?.try_into()
    }
}
