//! Conditions and mappings in the Common Expression Language (CEL). Callers treat every error as a denial.

mod bounds;
mod check;

use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::extractors::This;
use cel::{Context, Env, ExecutionError, ResolveResult, Value};
use serde::Serialize;

/// The largest length of an expression, in bytes (IAM allows as many characters in attribute conditions).
const LENGTH: usize = 4096;

/// Why an expression has no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CelError {
    /// The expression is malformed, too long or nested too deeply, or is not a condition.
    #[error("compiling expression: {0}")]
    Compile(String),
    /// The expression names a variable that is not declared.
    #[error("compiling expression: undeclared reference to '{0}'")]
    Undeclared(String),
    /// The expression has no value for these variables, or a value of another type than expected.
    #[error("evaluating expression: {0}")]
    Evaluate(String),
}

/// Checks that `expression` compiles and names no variables but `declared`. Types are not checked.
///
/// # Errors
/// The expression is too long, too deep or malformed, or names another variable.
pub fn compile(expression: &str, declared: &[&str]) -> Result<(), CelError> {
    parse_declared(expression, declared).map(drop)
}

/// Checks a condition: as [`compile`], and the value is not of another type than bool, as far as this can be
/// known without variables.
///
/// # Errors
/// As [`compile`], or the value is of another type.
pub fn compile_condition(expression: &str, declared: &[&str]) -> Result<(), CelError> {
    let parsed = parse_declared(expression, declared)?;
    match check::is_boolean(&parsed) {
        true => Ok(()),
        false => {
            let fault = "the condition is not boolean".to_owned();
            Err(CelError::Compile(fault))
        }
    }
}

fn parse_declared(expression: &str, declared: &[&str]) -> Result<IdedExpr, CelError> {
    let parsed = parse(&environment()?, expression)?;
    match check::undeclared(&parsed, &mut declared.to_vec()) {
        Some(name) => Err(CelError::Undeclared(name.to_owned())),
        None => Ok(parsed),
    }
}

/// The variables of an expression.
#[derive(Debug, Default)]
pub struct Variables(Vec<(&'static str, Value)>);

impl Variables {
    /// Adds a variable.
    ///
    /// # Errors
    /// CEL cannot represent the value.
    pub fn with<T: Serialize>(mut self, name: &'static str, value: &T) -> Result<Self, CelError> {
        let value = cel::to_value(value).map_err(|e| CelError::Evaluate(e.to_string()))?;
        self.0.push((name, value));
        Ok(self)
    }
}

/// Evaluates `expression` to a bool.
///
/// # Errors
/// The expression has no value, or its value is not a bool.
pub fn condition(expression: &str, variables: Variables) -> Result<bool, CelError> {
    match evaluate(expression, variables)? {
        Value::Bool(truth) => Ok(truth),
        other => Err(not(&other, "bool")),
    }
}

/// Evaluates `expression` to a string.
///
/// # Errors
/// The expression has no value, or its value is not a string.
pub fn text(expression: &str, variables: Variables) -> Result<String, CelError> {
    match evaluate(expression, variables)? {
        Value::String(text) => Ok(text.to_string()),
        other => Err(not(&other, "string")),
    }
}

/// Evaluates `expression` to a list of strings.
///
/// # Errors
/// The expression has no value, or its value is not a list of strings.
pub fn texts(expression: &str, variables: Variables) -> Result<Vec<String>, CelError> {
    let value = evaluate(expression, variables)?;
    let texts = match &value {
        Value::List(list) => list.iter().map(|item| match item {
            Value::String(text) => Some(text.to_string()),
            _ => None,
        }),
        _ => return Err(not(&value, "list of strings")),
    };
    let texts: Option<Vec<_>> = texts.collect();
    texts.ok_or_else(|| not(&value, "list of strings"))
}

fn not(found: &Value, expected: &str) -> CelError {
    CelError::Evaluate(format!("expected {expected}, found {found:?}"))
}

/// Evaluates `expression`.
///
/// # Errors
/// The expression is invalid or has no value.
pub fn evaluate(expression: &str, variables: Variables) -> Result<Value, CelError> {
    let env = Arc::new(environment()?);
    let mut expression = parse(&env, expression)?;
    bounds::count_ranges(&mut expression);
    let mut context = Context::with_env(env);
    for (name, value) in variables.0 {
        context.add_variable_from_value(name, value);
    }
    let failed = |error: cel::DeclarationError| CelError::Evaluate(error.to_string());
    context.add_function("extract", extract).map_err(failed)?;
    context
        .add_function(bounds::COUNT, bounds::counter())
        .map_err(failed)?;
    let value = Value::resolve(&expression, &context);
    value.map_err(|error| CelError::Evaluate(error.to_string()))
}

/// CEL with the string functions of Google's conditions.
fn environment() -> Result<Env, CelError> {
    let mut env = Env::stdlib();
    let extended = env.add_extension(cel::extensions::strings);
    extended.map_err(|error| CelError::Compile(error.to_string()))?;
    Ok(env)
}

fn parse(env: &Env, expression: &str) -> Result<IdedExpr, CelError> {
    if expression.len() > LENGTH {
        let fault = format!("longer than {LENGTH} bytes");
        return Err(CelError::Compile(fault));
    }
    let parsed = env.parser().parse(expression);
    let mut parsed = parsed.map_err(|error| CelError::Compile(error.to_string()))?;
    match bounds::is_too_deep(&mut parsed) {
        true => {
            let fault = format!("nested more than {} levels deep", bounds::DEPTH);
            Err(CelError::Compile(fault))
        }
        false => Ok(parsed),
    }
}

/// `text.extract('before{name}after')`: the text between `before` and `after`, or up to the end if
/// `after` is empty; empty if they do not occur (IAM, "Extract function" of condition attributes).
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
    fn an_absent_claim_is_an_error_unless_tested_by_has() {
        let holds = |expression| condition(expression, assertion(json!({"a": {"b": "c"}})));
        assert_eq!(holds("assertion.a.b == 'c'"), Ok(true));
        let absent = holds("assertion.a.x == 'c'").unwrap_err().to_string();
        assert_eq!(absent, "evaluating expression: No such key: x");
        assert_eq!(holds("!has(assertion.a.x)"), Ok(true));
        let text = holds("assertion.a.b").unwrap_err().to_string();
        assert_eq!(
            text,
            "evaluating expression: expected bool, found String(\"c\")"
        );
        let open = holds("assertion.a.").unwrap_err().to_string();
        assert!(open.starts_with("compiling expression: "), "{open}");
    }

    fn compile(expression: &str) -> Result<(), CelError> {
        super::compile(expression, &["a"])
    }

    fn too_deep() -> CelError {
        CelError::Compile(format!("nested more than {} levels deep", bounds::DEPTH))
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let chain = format!("1{}", "?1:1".repeat(1000));
        for text in ["(".repeat(2000), chain] {
            let error = compile(&text).unwrap_err();
            let by_parser = error.to_string().contains("Recursion limit");
            assert!(error == too_deep() || by_parser, "{error}");
        }
        let error = compile(&" ".repeat(5000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("compiling expression: longer than {LENGTH} bytes")
        );
        // The parser cancels pairs of negations.
        let negated = format!("{}true", "!".repeat(4092));
        assert_eq!(condition(&negated, Variables::default()), Ok(true));
    }

    #[test]
    fn a_deep_tree_without_brackets_is_an_error() {
        for (first, more) in [
            ("1", "+1"),
            ("1", "<1"),
            ("a", ".a"),
            ("a", "[0]"),
            ("a", ".f()"),
        ] {
            let refused = compile(&format!("{first}{}", more.repeat(800)));
            assert_eq!(refused, Err(too_deep()), "{first}{more}…");
        }
        let deepest = |more: &str| format!("1{}>0", more.repeat(bounds::DEPTH - 2));
        assert_eq!(condition(&deepest("+1"), Variables::default()), Ok(true));
        let most = format!("true{}", "&&true".repeat(600));
        assert_eq!(condition(&most, Variables::default()), Ok(true));
    }

    #[test]
    fn comprehensions_have_a_limit_on_items() {
        let list = |items: usize| assertion(json!({"l": vec![1; items]}));
        let nested = "assertion.l.all(x, assertion.l.all(y, assertion.l.all(z, z == 1)))";
        assert_eq!(condition(nested, list(20)), Ok(true));
        let error = condition(nested, list(200)).unwrap_err();
        assert!(error.to_string().contains("100000 items"), "{error}");
        let filtered = "size(assertion.l.filter(x, {'a': 1}.exists(k, k == 'a'))) == 200";
        assert_eq!(condition(filtered, list(200)), Ok(true));
    }

    #[test]
    fn comprehensions_have_a_limit_on_growth() {
        let none = || Variables::default();
        let text = format!("size(['x']{}) == 1", ".map(a, a + a)".repeat(100));
        let error = condition(&text, none()).unwrap_err().to_string();
        assert!(error.contains("more than "), "{error}");
        let lists = format!("size([1]{}) == 1", ".map(a, [a, a])".repeat(100));
        let error = condition(&lists, none()).unwrap_err().to_string();
        assert!(error.contains("more than "), "{error}");
        let few = "[['x', 'y']].map(l, l + l)[0].size() == 4";
        assert_eq!(condition(few, none()), Ok(true));
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
        let refused = text("assertion.name.extract('x')", assertion(claims));
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("\"x\" has no part in braces"), "{error}");
    }
}
