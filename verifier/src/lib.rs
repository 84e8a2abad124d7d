//! The verifier: it checks an image, its signatures and its statements, reaches a verdict, and binds a key to the image
//! only after a pass.
//!
//! ```text
//! collect -> Published -> examine -> Attested ─┐
//!                                    rebuild ──┴─> Evidence -> appraise -> Verdict::Pass(Approval) -> countersign
//!                                                                          -> Countersigned -> Binding::new
//! ```
//!
//! `signers` answers a part of the question from `Attested` alone, without a verdict.
//!
//! `collect`, `rebuild` and `trusted_root` use the network; the last is a command of its own. Everything below them is a function of bytes and time. What an
//! attacker can cause is a finding. What prevents a verdict is an error.

pub mod advisories;
pub mod appraise;
pub mod authorize;
pub mod binding;
pub mod carrier;
pub mod check;
pub mod collect;
pub mod commit;
pub mod compare;
pub mod contents;
pub mod countersign;
pub mod damage;
pub mod error;
pub mod evidence;
pub mod examine;
pub mod fact;
pub mod finding;
pub mod grant;
pub mod inventory;
pub mod place;
pub mod policy;
pub mod published;
pub mod rebuild;
pub mod receipt;
pub mod report;
pub mod revoke;
pub mod rule;
pub mod rules;
pub mod signers;
pub mod trusted_root;
pub mod value;
pub mod verdict;

pub use error::Error;
