//! Resource limits (setrlimit(2)).

use rustix::io::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets the soft and the hard limit of `resource` to `wanted`, or to the present hard limit if that is lower,
/// since raising a hard limit needs a privilege. The unit is that of the resource (setrlimit(2)).
///
/// # Errors
/// The error of setrlimit(2).
pub fn set(resource: Resource, wanted: u64) -> Result<()> {
    let allowed = getrlimit(resource).maximum;
    let value = Some(allowed.map_or(wanted, |allowed| allowed.min(wanted)));
    let limit = Rlimit {
        current: value,
        maximum: value,
    };
    setrlimit(resource, limit)
}
