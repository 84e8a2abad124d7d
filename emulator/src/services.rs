//! Google's services without HTTP: typed requests and answers. Each service has its state behind its own
//! lock; `rest` serves them over HTTP.

pub mod accounts;
mod addresses;
pub mod artifact_registry;
mod cloud;
pub mod compute;
mod context;
pub mod iam;
pub mod kms;
mod labels;
pub mod logging;
pub mod pubsub;
pub mod secret_manager;
pub mod storage;
pub mod sts;

pub use self::addresses::Addresses;
pub use self::cloud::Services;
pub use self::context::Context;
pub use self::labels::Labels;
pub use crate::clock::Clock;

#[cfg(test)]
pub(crate) mod testing {
    //! Services with one project, `project`, and its owner.

    use std::sync::{Arc, LazyLock};

    use super::Context;
    use super::accounts::{AccountState, Accounts, Caller};
    use super::iam::{CustomRoles, Iam, Policies, Pools};
    use crate::state::Stored;

    /// A call by the owner at time 0.
    pub static OWNER: LazyLock<Context> = LazyLock::new(|| at(0));

    /// A call by the owner at `now`, in Unix seconds.
    pub fn at(now: u64) -> Context {
        let owner = "owner@project.iam.gserviceaccount.com";
        let caller = Caller::ServiceAccount(owner.to_owned());
        Context { caller, now }
    }

    /// Accounts with this project.
    pub fn accounts() -> Accounts {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::new(Stored::in_memory(AccountState::default()));
        let id = "project".parse().unwrap();
        accounts
            .add_project(&id, folder.path(), "http://127.0.0.1:1/token")
            .unwrap();
        accounts
    }

    /// IAM with this project and its owner, without other policies, pools and custom roles.
    pub fn iam() -> Iam {
        let pools = Stored::in_memory(Pools::default());
        let policies = Stored::in_memory(Policies::default());
        let roles = Stored::in_memory(CustomRoles::default());
        let iam = Iam::new(Arc::new(accounts()), pools, policies, roles);
        iam.own_projects().unwrap();
        iam
    }
}
