//! The limits of an expression.

/// The largest length of an expression, in bytes (IAM allows as many characters in attribute conditions).
pub(crate) const LENGTH: usize = 4096;

/// The largest depth of nested expressions (the default of cel-go).
pub(crate) const DEPTH: usize = 250;
