//! Google's services without HTTP: typed requests and answers. Each has its state behind a lock of its
//! own, and a rim (`rest`) puts it on the wire.

pub mod accounts;
mod cloud;
mod context;
pub mod iam;
pub mod kms;
pub mod pubsub;
pub mod sts;

pub use self::cloud::{Clock, OpenError, Services};
pub use self::context::Context;

#[cfg(test)]
pub(crate) mod testing {
    //! A cloud of one project, `project`, and its owner.

    use std::sync::{Arc, LazyLock};

    use super::Context;
    use super::accounts::{Accounts, Caller, Given};
    use super::iam::{Iam, Policies, Pools};
    use crate::state::Kept;

    /// The owner, at the time 0.
    pub static OWNER: LazyLock<Context> = LazyLock::new(|| at(0));

    /// The owner at another time.
    pub fn at(now: u64) -> Context {
        let owner = "owner@project.iam.gserviceaccount.com";
        let caller = Caller::ServiceAccount(owner.to_owned());
        Context { caller, now }
    }

    /// The project's accounts.
    pub fn accounts() -> Accounts {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::new(Kept::in_memory(Given::default()));
        let id = "project".parse().unwrap();
        accounts
            .add_project(&id, folder.path(), "http://127.0.0.1:1/token")
            .unwrap();
        accounts
    }

    /// The project's policies and pools.
    pub fn iam() -> Iam {
        let pools = Kept::in_memory(Pools::default());
        let policies = Kept::in_memory(Policies::default());
        Iam::new(Arc::new(accounts()), pools, policies)
    }
}
