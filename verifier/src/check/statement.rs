//! An in-toto statement.

use std::path::Path;

use attest::predicate::COSIGN_SIGN;
use attest::{Predicate, Statement, sbom};
use console::at;
use console::hint::Hinted;
use content::limits;
use serde_json::Value;

use super::{Facts, Judgement};
use crate::Error;

/// Checks a statement and its predicate. Who signed it is not checked: that is in the envelope around it. The facts are
/// the `predicate_type` and the `subjects`.
///
/// # Errors
/// The file cannot be read, or the statement is valid and the type of its predicate is not supported.
pub fn statement(file: &Path, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let bytes = at::read(file, limits::STATEMENT)?;
    let statement = match Statement::<Value>::parse(&bytes) {
        Ok(statement) => statement,
        Err(error) => return Ok(Judgement::Refused(error.to_string())),
    };
    let checked = predicate(&statement)?;
    if let Some(facts) = facts {
        let subjects = serde_json::to_value(&statement.subject).unwrap_or_default();
        facts.insert("subjects".to_owned(), subjects);
        facts.insert("predicate_type".to_owned(), statement.predicate_type.into());
    }
    Ok(match checked {
        Ok(()) => Judgement::Accepted,
        Err(error) => Judgement::Refused(error.to_string()),
    })
}

/// Checks the predicate. That of a signature by cosign has no members that mean anything.
fn predicate(statement: &Statement<Value>) -> Result<Result<(), attest::Error>, Error> {
    if sbom::TYPES.contains(&statement.predicate_type.as_str()) {
        return Ok(sbom::document(statement).map(drop));
    }
    if statement.predicate_type == COSIGN_SIGN {
        return Ok(Ok(()));
    }
    let Some(kind) = Predicate::with_uri(&statement.predicate_type) else {
        let found = content::printable(&statement.predicate_type, 200);
        let message = format!("checking predicate: type {found} is not supported");
        return Err(Hinted::new(message).into());
    };
    Ok((kind.parse)(statement.predicate.to_string().as_bytes()))
}
