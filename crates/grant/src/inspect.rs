//! Compares what is live with a grant. Each difference is a [`Finding`]; without one, the key is open to the approved
//! images, as the TEE measured them, and to nothing else that the policies and the pool say.

mod finding;
mod key;
mod policy;
mod pool;
mod role;

pub use finding::{Finding, Setting};
pub use key::key;
pub use policy::{inherited_policy, key_policy};
pub use pool::{pool, providers};
