//! Projects, their owners, and the callers behind bearer tokens. There are three kinds of tokens: the
//! access token of an owner, a JWT that a service account has signed, and the access tokens that are
//! issued for such a JWT and by the token exchange.

mod account_key;
mod caller;
mod directory;
mod files;
mod grant;
mod hierarchy;
mod issued;
mod keys;
mod project;
mod project_id;
mod self_signed;
mod service_account;
#[cfg(test)]
mod tests;

pub use self::account_key::AccountKey;
pub use self::caller::{Caller, Federated};
pub use self::directory::Accounts;
pub use self::files::Files;
pub use self::grant::Assertion;
pub use self::hierarchy::{Container, Hierarchy, HierarchyError, Parent, ParentError};
pub use self::issued::{AccessToken, AccountState};
pub use self::project::Project;
pub use self::project_id::{ProjectId, ProjectIdError};
pub use self::self_signed::Service;
pub use self::service_account::ServiceAccount;
