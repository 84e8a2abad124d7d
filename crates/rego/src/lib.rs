//! Rego modules that judge a document, such as those that `cosign verify-attestation --policy` reads. No other crate uses
//! `regorus`.
//!
//! An evaluation is a function of the module, the document and the time: a module cannot read the environment, a file or
//! the network, and cannot draw random numbers. If a built-in function fails, the evaluation fails. In OPA without strict
//! errors the call is undefined instead, so that `not` can turn an error into a yes.
//!
//! The module is the user's; the document may be that of another. So the document has a size limit, the evaluation a time
//! limit and a stack of its own, and the functions that make a large value of a small one (`numbers.range`,
//! `numbers.range_step` and `bits.lsh`) refuse to. Memory is not limited otherwise, and neither is the depth of function
//! calls: a module whose function calls itself as often as a number in the document says, which OPA refuses to compile, ends
//! the process. Evaluate only modules of the user.
#![forbid(unsafe_code)]

mod error;
mod guarded;
mod module;

pub use error::Error;
pub use module::{Answer, Module};
