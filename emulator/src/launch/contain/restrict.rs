//! Forbids system calls to the workload, as container runtimes do.

use std::io;

use isolate::calls::{BackendError, Comparison, Condition, Filter, Length};

/// The keys that the kernel keeps for the operator's session and user have no namespaces.
const KEYS: [i64; 3] = [libc::SYS_add_key, libc::SYS_keyctl, libc::SYS_request_key];

/// Forbids calls that use the operator's keys, and those that let the workload outlive the launcher.
///
/// # Errors
/// The kernel does not support filters.
pub fn filter_system_calls() -> io::Result<()> {
    forbidden().map_err(io::Error::other)?.apply(libc::EPERM)
}

fn forbidden() -> Result<Filter, BackendError> {
    let mut filter = Filter::of(&KEYS);
    filter.add_if(libc::SYS_prctl, untie()?)?;
    Ok(filter)
}

/// The conditions for a call that changes the signal at the end of the parent to one that a process can ignore, or
/// disables it.
fn untie() -> Result<Vec<Condition>, BackendError> {
    let set = u64::from(libc::PR_SET_PDEATHSIG.unsigned_abs());
    let kill = u64::from(libc::SIGKILL.unsigned_abs());
    Ok(vec![
        Condition::new(0, Length::Dword, Comparison::Eq, set)?,
        Condition::new(1, Length::Dword, Comparison::Ne, kill)?,
    ])
}
