use cel::Value;
use cel::common::ast::IdedExpr;

use crate::{Error, Type, Variable, Variables, check, evaluate, parse, prepare};

/// An expression that was parsed.
#[derive(Clone, Debug)]
pub struct Program {
    /// The expression, prepared.
    tree: IdedExpr,
    kind: Type,
}

/// Parses an expression and checks its types.
///
/// # Errors
/// The expression is too long (4096 bytes), too deep or malformed, or names anything that is not declared, or no
/// overload of a function has the types of its arguments.
pub fn compile(expression: &str, declared: &[Variable]) -> Result<Program, Error> {
    let tree = parse::parse(expression)?;
    let kind = check::check(&tree, declared)?;
    Ok(Program::of(tree, kind))
}

/// Compiles an expression whose value must have the type `expected`. A type that is not known before evaluation
/// is accepted.
///
/// # Errors
/// As [`compile`], or the value is of another type.
pub fn compile_as(
    expression: &str,
    declared: &[Variable],
    expected: &Type,
) -> Result<Program, Error> {
    let program = compile(expression, declared)?;
    match check::is_assignable(&program.kind, expected) {
        true => Ok(program),
        false => Err(Error::Result {
            expected: expected.shown(),
            found: program.kind.shown(),
        }),
    }
}

/// Compiles a condition: as [`compile_as`], with the type bool.
///
/// # Errors
/// As [`compile`], or the value is not a bool.
pub fn compile_condition(expression: &str, declared: &[Variable]) -> Result<Program, Error> {
    let compiled = compile_as(expression, declared, &Type::Bool);
    compiled.map_err(|error| match error {
        Error::Result { found, .. } => Error::NotBoolean(found),
        other => other,
    })
}

impl Program {
    fn of(mut tree: IdedExpr, kind: Type) -> Self {
        prepare::prepare(&mut tree);
        Self { tree, kind }
    }

    /// Parses an expression without checking types and names, for an expression that was compiled before.
    ///
    /// # Errors
    /// The expression is too long, too deep or malformed.
    pub fn parse(expression: &str) -> Result<Self, Error> {
        Ok(Self::of(parse::parse(expression)?, Type::Dyn))
    }

    /// The type of the value: [`Type::Dyn`] if it is not known before evaluation.
    pub fn kind(&self) -> &Type {
        &self.kind
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// The expression has no value, or evaluation exceeds the limit on its cost.
    pub fn evaluate(&self, variables: Variables) -> Result<Value, Error> {
        evaluate::evaluate(&self.tree, variables)
    }

    /// Evaluates the expression to a bool.
    ///
    /// # Errors
    /// The expression has no value, or its value is not a bool.
    pub fn holds(&self, variables: Variables) -> Result<bool, Error> {
        match self.evaluate(variables)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(not(&other, "bool")),
        }
    }

    /// Evaluates the expression to a string.
    ///
    /// # Errors
    /// The expression has no value, or its value is not a string.
    pub fn text(&self, variables: Variables) -> Result<String, Error> {
        match self.evaluate(variables)? {
            Value::String(text) => Ok(text.to_string()),
            other => Err(not(&other, "string")),
        }
    }

    /// Evaluates the expression to a list of strings.
    ///
    /// # Errors
    /// The expression has no value, or its value is not a list of strings.
    pub fn texts(&self, variables: Variables) -> Result<Vec<String>, Error> {
        let value = self.evaluate(variables)?;
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
}

fn not(found: &Value, expected: &str) -> Error {
    Error::Evaluate(format!("expected {expected}, found {found:?}"))
}

#[cfg(test)]
mod tests;
