//! System calls that the workload may not make, as container runtimes forbid some.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The same call by its other number: a kernel may answer to the x32 interface as well.
const X32: i64 = 0x4000_0000;
/// The keys that the kernel holds for the operator's session and user know no namespaces.
const KEYS: [i64; 3] = [libc::SYS_add_key, libc::SYS_keyctl, libc::SYS_request_key];

/// Forbids what would reach the operator's keys, and what would let the workload outlive us.
///
/// # Errors
/// A kernel without filters.
pub fn filter_system_calls() -> io::Result<()> {
    let program = compile().map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

fn compile() -> Result<BpfProgram, BackendError> {
    let mut rules = Rules::new();
    for call in KEYS {
        rules.insert(call, Vec::new());
        rules.insert(call | X32, Vec::new());
    }
    for call in [libc::SYS_prctl, libc::SYS_prctl | X32] {
        rules.insert(call, vec![untie()?]);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::x86_64)?.try_into()
}

/// Any end with its parent but the one that nobody can put off.
fn untie() -> Result<SeccompRule, BackendError> {
    let word = SeccompCmpArgLen::Dword;
    let set = u64::from(libc::PR_SET_PDEATHSIG.unsigned_abs());
    let kill = u64::from(libc::SIGKILL.unsigned_abs());
    SeccompRule::new(vec![
        SeccompCondition::new(0, word.clone(), SeccompCmpOp::Eq, set)?,
        SeccompCondition::new(1, word, SeccompCmpOp::Ne, kill)?,
    ])
}
