//! Rego modules that judge a document, as `cosign verify-attestation --policy` has them. It is the only user of
//! `regorus`.
//!
//! An evaluation is a function of the module, the document and the time: a module cannot read the environment, a file or
//! the network, and draws no random numbers. An error of a built-in function is an error of the evaluation, where OPA
//! without strict errors would call it undefined, so that `not` never turns an error into a yes.
#![forbid(unsafe_code)]

mod error;
mod module;

pub use error::Error;
pub use module::{Answer, Module};
