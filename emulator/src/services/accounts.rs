//! Projects, their owners, and who is behind a bearer token. Three kinds of token are known: an
//! owner's access token, a JWT that a service account has signed itself, and the access tokens that
//! are given out for such a JWT and by the token exchange.

mod caller;
mod directory;
mod error;
mod files;
mod given;
mod grant;
mod project;
mod project_id;
mod self_signed;
mod service_account;
#[cfg(test)]
mod tests;

pub use self::caller::{Caller, Federated};
pub use self::directory::Accounts;
pub use self::error::AccountError;
pub use self::files::Files;
pub use self::given::{AccessToken, Given};
pub use self::grant::Assertion;
pub use self::project::Project;
pub use self::project_id::{ProjectId, ProjectIdError};
pub use self::self_signed::Service;
pub use self::service_account::ServiceAccount;
