//! Policies on resources: who may do what, read and written with etags; and workload identity pools,
//! which say who is let in from outside.

mod condition;
mod member;
mod policy;
mod provider;
mod role;

pub use self::condition::Condition;
pub use self::member::Principals;
pub use self::policy::{Binding, Change, Policies, Policy};
pub use self::provider::{Oidc, Pool, Pools, Provider};
use crate::services::accounts::{Accounts, Caller};
use crate::status::Status;

/// The permission, or the refusal that names it.
///
/// # Errors
/// Neither owns the caller the project nor does a policy allow it.
pub fn demand(
    caller: &Caller,
    permission: &str,
    resources: &[&str],
    accounts: &Accounts,
    policies: &Policies,
    now: u64,
) -> Result<(), Status> {
    let project = resources[0].split('/').nth(1).unwrap_or_default();
    let allowed =
        accounts.owns(caller, project) || policies.allow(caller, permission, resources, now);
    match allowed {
        true => Ok(()),
        false => Err(Status::denied(permission, resources[0])),
    }
}
