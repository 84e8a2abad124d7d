//! Resource limits (setrlimit(2)).

use rustix::io::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets both limits of `resource` to `wanted`, or to what this process may have if that is less: more would
/// need a privilege.
///
/// # Errors
/// The kernel refuses.
pub fn set(resource: Resource, wanted: u64) -> Result<()> {
    let allowed = getrlimit(resource).maximum;
    let value = Some(allowed.map_or(wanted, |allowed| allowed.min(wanted)));
    let limit = Rlimit {
        current: value,
        maximum: value,
    };
    setrlimit(resource, limit)
}
