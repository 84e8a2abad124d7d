//! Rego modules that judge a document, such as those that `cosign verify-attestation --policy` reads. No other crate uses
//! `regorus`.
//!
//! An evaluation is a function of the module, the document and the time: a module cannot read the environment, a file or
//! the network, and cannot draw random numbers. If a built-in function fails, the evaluation fails. In OPA without strict
//! errors the call is undefined instead, so that `not` can turn an error into a yes.
//!
//! The module is the user's; the document may be that of another. So the document has a size limit, the evaluation a time
//! limit and a stack of its own, and the functions that make a large value of a small one (`numbers.range`,
//! `numbers.range_step`, `bits.lsh`, `units.parse` and `units.parse_bytes`) refuse to. Neither the document nor JSON in its text
//! may have an object that `regorus` would read as a number. Memory is not limited otherwise, and neither is the depth of function
//! calls. These modules let the document end the process, or keep it busy:
//!
//! - one whose function calls itself as often as a number in the document says, which OPA refuses to compile;
//! - one that takes the format of `sprintf` from the document, which may ask for a width of gigabytes;
//! - one that joins strings by a string of the document (`concat`), or replaces one by another (`replace`, `strings.replace_n`):
//!   the result may be as large as the product of both;
//! - one that filters an array (`json.filter`) by paths of the document, whose parts are read as numbers.
//!
//! Evaluate only modules of the user.
#![forbid(unsafe_code)]

mod error;
mod guarded;
mod json;
mod module;

pub use error::Error;
pub use module::{Answer, Module};
