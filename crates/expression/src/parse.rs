//! The parser and its limits.

use std::sync::{Arc, LazyLock};

use cel::Env;
use cel::common::ast::IdedExpr;

use crate::limits::LENGTH;
use crate::{Error, cost};

/// CEL with the string functions of Google's conditions.
pub(super) fn environment() -> Result<Arc<Env>, Error> {
    static ENVIRONMENT: LazyLock<Result<Arc<Env>, Error>> = LazyLock::new(|| {
        let mut env = Env::stdlib().with_optional_support(false);
        let extended = env.add_extension(cel::extensions::strings);
        extended.map_err(|error| Error::Syntax(error.to_string()))?;
        Ok(Arc::new(env))
    });
    ENVIRONMENT.clone()
}

/// Parses an expression.
///
/// # Errors
/// The expression is too long, too deep or malformed.
pub(super) fn parse(expression: &str) -> Result<IdedExpr, Error> {
    if expression.len() > LENGTH {
        return Err(Error::Length);
    }
    let parser = environment()?.parser().enable_ident_escape_syntax(true);
    let parsed = parser.parse(expression);
    let mut parsed = parsed.map_err(|error| Error::Syntax(error.to_string()))?;
    match cost::is_too_deep(&mut parsed) {
        true => Err(Error::Depth),
        false => Ok(parsed),
    }
}
