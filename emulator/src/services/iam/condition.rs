//! Conditions of bindings, in CEL.

use content::json::null_is_default;
use expression::google::iam_condition;
use expression::{Error, Program, Timestamp, Variables, compile_condition};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock;
use crate::status::Status;

/// The condition of a binding (`google.type.Expr`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The title.
    #[serde(default, deserialize_with = "null_is_default")]
    pub title: String,
    /// The description.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub description: String,
    /// The location of the expression, such as a file name.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub location: String,
    /// The expression, in CEL.
    pub expression: String,
}

/// Checks that the expression compiles.
///
/// # Errors
/// The expression is malformed, names another variable or is not boolean.
pub(super) fn check(condition: &Condition) -> Result<(), Status> {
    compile_condition(&condition.expression, &iam_condition())
        .map(drop)
        .map_err(|error| Status::invalid(error.to_string()))
}

/// Whether the condition is true for the resource at the time `now`, in Unix seconds. An error, such as
/// an attribute that is not emulated, counts as false.
pub(super) fn holds(condition: Option<&Condition>, resource: &str, now: u64) -> bool {
    condition.is_none_or(|condition| {
        Program::parse(&condition.expression)
            .and_then(|program| program.holds(variables(resource, now)?))
            .unwrap_or(false)
    })
}

/// The variables of a condition (IAM, "Attribute reference for IAM Conditions").
fn variables(resource: &str, now: u64) -> Result<Variables, Error> {
    #[derive(Serialize)]
    struct Request {
        time: Timestamp,
    }
    let request = Request {
        time: clock::at(now).fixed_offset().into(),
    };
    let mut attributes = json!({"name": resource});
    if let Some((service, kind)) = kind(resource) {
        attributes["service"] = service.into();
        attributes["type"] = format!("{service}/{kind}").into();
    }
    Variables::default()
        .with("request", &request)?
        .with("resource", &attributes)
}

/// Service and kind of a resource (IAM, "Resource types that accept conditional role bindings").
fn kind(resource: &str) -> Option<(&'static str, &'static str)> {
    const KMS: &str = "cloudkms.googleapis.com";
    let collection = resource.split('/').nth_back(1)?;
    match collection {
        "keyRings" => Some((KMS, "KeyRing")),
        "cryptoKeys" => Some((KMS, "CryptoKey")),
        "cryptoKeyVersions" => Some((KMS, "CryptoKeyVersion")),
        "repositories" => Some(("artifactregistry.googleapis.com", "Repository")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

    fn holds(expression: &str, resource: &str) -> bool {
        let condition = Condition {
            title: "t".into(),
            description: String::new(),
            location: String::new(),
            expression: expression.into(),
        };
        // 2026-01-01
        super::holds(Some(&condition), resource, 1_767_225_600)
    }

    #[test]
    fn conditions_see_name_type_and_service() {
        let version = format!("{KEY}/cryptoKeyVersions/1");
        assert!(holds(&format!("resource.name == '{KEY}'"), KEY));
        assert!(!holds("resource.name == 'q'", KEY));
        assert!(holds("resource.service == 'cloudkms.googleapis.com'", KEY));
        let is_key = "resource.type == 'cloudkms.googleapis.com/CryptoKey'";
        assert!(holds(is_key, KEY) && !holds(is_key, &version));
        let repository = "projects/p/locations/us/repositories/r";
        assert!(holds(
            "resource.type == 'artifactregistry.googleapis.com/Repository'",
            repository
        ));
        assert!(!holds("resource.nothing == 'q'", KEY));
        assert!(!holds(
            "resource.type == 'q' || true == 1",
            "projects/p/topics/t"
        ));
    }

    #[test]
    fn conditions_see_the_time() {
        assert!(holds(
            "request.time < timestamp('2026-01-02T00:00:00Z')",
            KEY
        ));
        assert!(!holds(
            "request.time < timestamp('2025-12-31T00:00:00Z')",
            KEY
        ));
        assert!(!holds("'request.time' == resource.name", KEY));
    }
}
