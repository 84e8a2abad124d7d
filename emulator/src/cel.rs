//! Conditions and mappings in the Common Expression Language. Every error denies.

use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Env, ExecutionError, ResolveResult, Value};
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
    program(&environment()?, expression).map(drop)
}

/// What an expression may name.
#[derive(Debug, Default)]
pub struct Variables(Vec<(&'static str, Value)>);

impl Variables {
    /// These, and `value` by this name.
    ///
    /// # Errors
    /// The language has no such value.
    pub fn with<T: Serialize>(mut self, name: &'static str, value: &T) -> Result<Self, CelError> {
        let value = cel::to_value(value).map_err(|e| CelError::Evaluate(e.to_string()))?;
        self.0.push((name, value));
        Ok(self)
    }
}

/// The truth of `expression`.
///
/// # Errors
/// It has none.
pub fn condition(expression: &str, variables: Variables) -> Result<bool, CelError> {
    match evaluate(expression, variables)? {
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
pub fn text(expression: &str, variables: Variables) -> Result<String, CelError> {
    match evaluate(expression, variables)? {
        Value::String(text) => Ok(text.to_string()),
        other => Err(CelError::Type {
            expected: "string",
            found: format!("{other:?}"),
        }),
    }
}

/// The value of `expression`.
///
/// # Errors
/// It has none.
pub fn evaluate(expression: &str, variables: Variables) -> Result<Value, CelError> {
    let env = Arc::new(environment()?);
    let program = program(&env, expression)?;
    let mut context = Context::with_env(env);
    for (name, value) in variables.0 {
        context.add_variable_from_value(name, value);
    }
    context
        .add_function("extract", extract)
        .map_err(|error| CelError::Evaluate(error.to_string()))?;
    let value = program.execute(&context);
    value.map_err(|error| CelError::Evaluate(error.to_string()))
}

/// The language with the string functions that Google's conditions have.
fn environment() -> Result<Env, CelError> {
    let mut env = Env::stdlib();
    let extended = env.add_extension(cel::extensions::strings);
    extended.map_err(|error| CelError::Compile(error.to_string()))?;
    Ok(env)
}

fn program(env: &Env, expression: &str) -> Result<cel::Program, CelError> {
    if expression.len() > LENGTH {
        return Err(CelError::Length);
    }
    env.compile(expression)
        .map_err(|error| CelError::Compile(error.to_string()))
}

/// `text.extract('before{name}after')`: what stands between the two, up to the end if nothing is
/// after; empty if they are not there (IAM, "Extract function" of condition attributes).
fn extract(This(text): This<Arc<String>>, template: Arc<String>) -> ResolveResult {
    let parts = template.split_once('{');
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
    let Some((before, after)) = parts else {
        let reason = format!("{template:?} has no part in braces");
        return Err(ExecutionError::function_error("extract", reason));
    };
    let rest = text.split_once(before).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| match after {
        "" => Some(rest),
        _ => rest.split_once(after).map(|(found, _)| found),
    });
    Ok(Value::String(found.unwrap_or_default().to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn assertion(claims: serde_json::Value) -> Variables {
        Variables::default().with("assertion", &claims).unwrap()
    }

    #[test]
    fn an_absent_claim_is_an_error_unless_asked_for() {
        let holds = |expression| condition(expression, assertion(json!({"a": {"b": "c"}})));
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
        let claims =
            json!({"d": "sha256:1", "n": "7", "email": "A@b.example", "name": "x/keys/k/y"});
        for (expression, expected) in [
            (
                "'gcpcs::'+assertion.d+'::'+assertion.n",
                "gcpcs::sha256:1::7",
            ),
            ("assertion.email.split('@')[0].lowerAscii()", "a"),
            ("assertion.name.split('/').join('-')", "x-keys-k-y"),
            ("assertion.name.extract('keys/{key}/')", "k"),
            ("assertion.name.extract('keys/{rest}')", "k/y"),
            ("assertion.name.extract('{first}/')", "x"),
            ("assertion.name.extract('rings/{ring}/')", ""),
            ("assertion.name.extract('x/{rest}/none')", ""),
        ] {
            let mapped = text(expression, assertion(claims.clone()));
            assert_eq!(mapped.as_deref(), Ok(expected), "{expression}");
        }
        assert!(text("assertion.name.extract('x')", assertion(claims)).is_err());
    }
}
