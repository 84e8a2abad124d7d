//! The verifier: an image and what others say about it come in, a verdict goes out, and only a pass
//! becomes a binding.
//!
//! ```text
//! collect -> Published -> examine -> Attested ─┐
//!                                    rebuild ──┴─> Evidence -> appraise -> Verdict::Pass(Approval)
//!                                                                          -> Binding::new
//! ```
//!
//! Below `collect` and `rebuild` there is no network, no clock and no environment: bytes in, value
//! out. What an attacker can cause is a finding; what keeps us from telling is an error.

pub mod appraise;
pub mod authorize;
pub mod binding;
pub mod carrier;
pub mod collect;
pub mod commit;
pub mod compare;
pub mod contents;
pub mod damage;
pub mod error;
pub mod evidence;
pub mod examine;
pub mod fact;
pub mod finding;
pub mod grant;
pub mod policy;
pub mod published;
pub mod rebuild;
pub mod receipt;
pub mod report;
pub mod revoke;
pub mod rule;
pub mod rules;
pub mod value;
pub mod verdict;

pub use error::Error;
