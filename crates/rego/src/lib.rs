//! Rego modules that judge a document, such as those that `cosign verify-attestation --policy` reads. No other crate uses
//! `regorus`.
//!
//! An evaluation is a function of the module, the document and the time: a module cannot read the environment, a file or
//! the network, and cannot draw random numbers. If a built-in function fails, the evaluation fails. In OPA without strict
//! errors the call is undefined instead, so that `not` can turn an error into a yes.
//!
//! Neither memory nor the depth of function calls is limited: a module whose function calls itself, or that makes a large
//! value in one call, such as `numbers.range(1, 1000000000000)`, ends the process. Evaluate only modules of the user.
#![forbid(unsafe_code)]

mod error;
mod module;

pub use error::Error;
pub use module::{Answer, Module};
