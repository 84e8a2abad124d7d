//! Expressions in the Common Expression Language (CEL): parsed within limits, checked against declared variables,
//! and evaluated. The crate `cel` parses and evaluates; the checks are of this crate.
//!
//! ```
//! use expression::{Type, Variable, Variables, compile_condition};
//!
//! let claims = Variable::new("claims", Type::map(Type::String, Type::Dyn));
//! let program = compile_condition("claims.level >= 3", &[claims])?;
//! let claims = serde_json::json!({"level": 4});
//! assert!(program.holds(Variables::default().with("claims", &claims)?)?);
//! # Ok::<(), expression::Error>(())
//! ```

mod check;
mod cost;
mod error;
mod evaluate;
mod functions;
pub mod google;
mod limits;
mod parse;
mod prepare;
mod program;
mod types;
mod variables;

pub use cel::{Timestamp, Value};
pub use error::Error;
pub use program::{Program, compile, compile_as, compile_condition};
pub use types::{Object, Type, Variable};
pub use variables::Variables;
