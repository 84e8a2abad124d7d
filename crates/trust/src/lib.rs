//! Who signed something, and when that was verified: identities, the principals that a policy names, values
//! that only verification creates, and quorums. The mathematics of signatures is in `signature`. This
//! crate reads no clock: the time is an argument.
#![forbid(unsafe_code)]

mod identity;
mod principal;
mod quorum;
mod verified;

pub use identity::Identity;
pub use principal::{Means, Principal, Principals, Twins};
pub use quorum::{OutOfReach, Quorum};
pub use verified::{Unverified, Verified};
