//! Conditions and mappings in the Common Expression Language. Every error denies.

use std::sync::Arc;

use cel::{Context, Env, Value};
use serde::Serialize;

/// Characters of an expression at the most (IAM, attribute conditions).
const LENGTH: usize = 4096;

/// Why an expression has no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CelError {
    /// Longer than any condition.
    #[error("compiling expression: longer than {LENGTH} characters")]
    Length,
    /// Not an expression.
    #[error("compiling expression: {0}")]
    Compile(String),
    /// An expression without value for these variables.
    #[error("evaluating expression: {0}")]
    Evaluate(String),
    /// A value of another type than is wanted.
    #[error("evaluating expression: expected {expected}, found {found}")]
    Type {
        /// What is wanted.
        expected: &'static str,
        /// What came out.
        found: String,
    },
}

/// Whether `expression` is one at all.
///
/// # Errors
/// It is not.
pub fn compile(expression: &str) -> Result<(), CelError> {
    program(&Env::stdlib(), expression).map(drop)
}

/// The truth of `expression`.
///
/// # Errors
/// It has none.
pub fn condition<T: Serialize>(expression: &str, name: &str, value: &T) -> Result<bool, CelError> {
    match evaluate(expression, name, value)? {
        Value::Bool(truth) => Ok(truth),
        other => Err(CelError::Type {
            expected: "bool",
            found: format!("{other:?}"),
        }),
    }
}

/// The text that `expression` comes to.
///
/// # Errors
/// It comes to none.
pub fn text<T: Serialize>(expression: &str, name: &str, value: &T) -> Result<String, CelError> {
    match evaluate(expression, name, value)? {
        Value::String(text) => Ok(text.to_string()),
        other => Err(CelError::Type {
            expected: "string",
            found: format!("{other:?}"),
        }),
    }
}

fn program(env: &Env, expression: &str) -> Result<cel::Program, CelError> {
    if expression.len() > LENGTH {
        return Err(CelError::Length);
    }
    env.compile(expression)
        .map_err(|error| CelError::Compile(error.to_string()))
}

fn evaluate<T: Serialize>(expression: &str, name: &str, value: &T) -> Result<Value, CelError> {
    let env = Arc::new(Env::stdlib());
    let program = program(&env, expression)?;
    let mut context = Context::with_env(env);
    let failed = |error: String| CelError::Evaluate(error);
    context
        .add_variable(name, value)
        .map_err(|error| failed(error.to_string()))?;
    program
        .execute(&context)
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_absent_claim_is_an_error_unless_asked_for() {
        let claims = json!({"a": {"b": "c"}});
        let holds = |expression| condition(expression, "assertion", &claims);
        assert_eq!(holds("assertion.a.b == 'c'"), Ok(true));
        assert!(holds("assertion.a.x == 'c'").is_err());
        assert_eq!(holds("!has(assertion.a.x)"), Ok(true));
        assert!(holds("assertion.a.b").is_err());
        assert!(holds("assertion.a.").is_err());
    }

    #[test]
    fn nesting_ends_in_an_error_and_not_in_a_crash() {
        assert!(compile(&"(".repeat(2000)).is_err());
        assert_eq!(compile(&" ".repeat(5000)), Err(CelError::Length));
    }

    #[test]
    fn maps_to_text() {
        let claims = json!({"d": "sha256:1", "n": "7"});
        let mapped = text(
            "'gcpcs::'+assertion.d+'::'+assertion.n",
            "assertion",
            &claims,
        );
        assert_eq!(mapped.as_deref(), Ok("gcpcs::sha256:1::7"));
    }
}
