use crate::limits::{DEPTH, LENGTH};

/// Why an expression is refused or has no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The expression is too long.
    #[error("compiling expression: longer than {LENGTH} bytes")]
    Length,
    /// The expression is nested too deeply.
    #[error("compiling expression: nested more than {DEPTH} levels deep")]
    Depth,
    /// The expression is malformed, with the message of the parser.
    #[error("compiling expression: {0}")]
    Syntax(String),
    /// The expression names a variable or function that is not declared.
    #[error("compiling expression: undeclared reference to '{0}'")]
    Undeclared(String),
    /// No overload of a function has the types of its arguments.
    #[error(
        "compiling expression: found no matching overload for '{function}' applied to '{signature}'"
    )]
    Overload {
        /// The name of the function or operator.
        function: String,
        /// The types of the arguments.
        signature: String,
    },
    /// A part of the expression must have another type.
    #[error("compiling expression: expected type '{expected}' but found '{found}'")]
    Mismatch {
        /// The expected type.
        expected: String,
        /// The type of the part.
        found: String,
    },
    /// A field of an object is not declared.
    #[error("compiling expression: undefined field '{0}'")]
    Field(String),
    /// A value of this type has no fields.
    #[error("compiling expression: type '{0}' does not support field selection")]
    NoFields(String),
    /// A comprehension iterates over a value of this type.
    #[error(
        "compiling expression: expression of type '{0}' cannot be range of a comprehension \
         (must be list, map, or dynamic)"
    )]
    Range(String),
    /// Two keys of a map are equal.
    #[error("compiling expression: repeated key {0}")]
    Key(String),
    /// A literal is not a valid argument of a function.
    #[error("compiling expression: invalid argument of '{function}': {reason}")]
    Literal {
        /// The name of the function.
        function: String,
        /// The message of the function.
        reason: String,
    },
    /// The types of the expression are too large.
    #[error("compiling expression: its types are too complex")]
    Complexity,
    /// The condition has a value of this type, and not a bool.
    #[error("compiling expression: the condition is not boolean, its type is '{0}'")]
    NotBoolean(String),
    /// The value has another type than the expression must have.
    #[error("compiling expression: the expected type is '{expected}', the type is '{found}'")]
    Result {
        /// The expected type.
        expected: String,
        /// The type of the expression.
        found: String,
    },
    /// The expression has no value for these variables, or a value of another type than expected, with the message of
    /// the evaluator.
    #[error("evaluating expression: {0}")]
    Evaluate(String),
}
