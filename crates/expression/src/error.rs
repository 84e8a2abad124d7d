use crate::bounds::DEPTH;
use crate::parse::LENGTH;

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
    /// The expression is malformed. In the words of the parser.
    #[error("compiling expression: {0}")]
    Syntax(String),
    /// The expression names a variable or function that is not declared.
    #[error("compiling expression: undeclared reference to '{0}'")]
    Undeclared(String),
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
    /// The expression has no value for these variables, or a value of another type than expected. In the words of
    /// the evaluator.
    #[error("evaluating expression: {0}")]
    Evaluate(String),
}
