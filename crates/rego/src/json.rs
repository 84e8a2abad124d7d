//! What documents in JSON must not have.

use serde_json::Value;

/// The name that `serde_json` gives the text of a number. `regorus` reads any object that begins with it as a number, and
/// writes out the power of ten if it has an exponent, which may take hours and gigabytes.
const NUMBER: &str = "$serde_json::private::Number";

/// Refuses a document with an object that is read as a number.
pub(crate) fn check(document: &Value) -> Result<(), String> {
    match has_number(document) {
        true => Err(format!("an object with the member {NUMBER} is refused")),
        false => Ok(()),
    }
}

fn has_number(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name == NUMBER || has_number(value)),
        Value::Array(items) => items.iter().any(has_number),
        _ => false,
    }
}
