//! `buckets.patch`: a merge of the body into the bucket (RFC 7396), of which labels are emulated. gcloud sends the whole bucket, changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::message::parse;
use crate::legacy_error::LegacyError;
use crate::services::storage::LabelChange;

/// Fields that only answers have.
const OF_ANSWERS: &[&str] = &[
    "kind",
    "id",
    "name",
    "selfLink",
    "projectNumber",
    "etag",
    "metageneration",
    "timeCreated",
    "updated",
];

/// What a request changes of the labels of a bucket that is `present`, in the form of an answer.
///
/// # Errors
/// The body is not a bucket, or changes anything else.
pub(super) fn labels(body: &[u8], present: &Value) -> Result<LabelChange, LegacyError> {
    let asked: Map<String, Value> = match body.is_empty() {
        true => Map::new(),
        false => parse(body)?,
    };
    let mut change = LabelChange::new();
    for (field, value) in &asked {
        match (field.as_str(), value) {
            ("labels", Value::Null) => change = all_removed(present),
            ("labels", labels) => change = read(labels)?,
            (answered, _) if OF_ANSWERS.contains(&answered) => {}
            (other, value) if !is_within(value, &present[other]) => {
                return Err(LegacyError::unimplemented(format!(
                    "An update of {other} is not emulated."
                )));
            }
            _ => {}
        }
    }
    Ok(change)
}

fn all_removed(present: &Value) -> LabelChange {
    let labels = present["labels"].as_object().into_iter().flatten();
    labels.map(|(key, _)| (key.clone(), None)).collect()
}

fn read(labels: &Value) -> Result<LabelChange, LegacyError> {
    let wrong = || LegacyError::bad_request("Invalid labels: expected an object of strings.");
    let labels = labels.as_object().ok_or_else(wrong)?;
    let one = |(key, value): (&String, &Value)| match value {
        Value::Null => Ok((key.clone(), None)),
        Value::String(text) => Ok((key.clone(), Some(text.clone()))),
        _ => Err(wrong()),
    };
    labels
        .iter()
        .map(one)
        .collect::<Result<BTreeMap<_, _>, _>>()
}

/// Whether a value changes nothing of one that is present, where `null` and what is empty are the same as being absent.
fn is_within(asked: &Value, present: &Value) -> bool {
    match asked {
        Value::Null => present.is_null(),
        Value::Array(items) if items.is_empty() => present.is_null(),
        Value::Object(fields) => fields
            .iter()
            .all(|(field, value)| is_within(value, &present[field])),
        value => value == present,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(body: &Value) -> Result<LabelChange, u16> {
        let present = json!({
            "name": "b", "location": "US", "labels": {"team": "bank", "cost": "1"},
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}},
        });
        labels(body.to_string().as_bytes(), &present).map_err(|error| error.code)
    }

    fn some(key: &str, value: Option<&str>) -> (String, Option<String>) {
        (key.to_owned(), value.map(str::to_owned))
    }

    #[test]
    fn labels_are_merged() {
        let set = json!({"labels": {"team": "clinic", "cost": null}});
        let expected = [some("cost", None), some("team", Some("clinic"))];
        assert_eq!(change(&set), Ok(expected.into()));
        let none = [some("cost", None), some("team", None)];
        assert_eq!(change(&json!({"labels": null})), Ok(none.into()));
        assert_eq!(change(&json!({})), Ok(LabelChange::new()));
        assert_eq!(labels(b"", &Value::Null), Ok(LabelChange::new()));
        for wrong in [
            json!({"labels": []}),
            json!({"labels": {"a": 1}}),
            json!([]),
        ] {
            assert_eq!(change(&wrong), Err(400), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_emulated_may_be_repeated_and_not_changed() {
        for same in [
            json!({"location": "US", "etag": "x", "metageneration": "9", "acl": [], "versioning": null}),
            json!({"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}}),
            json!({"versioning": {}}),
        ] {
            assert_eq!(change(&same), Ok(LabelChange::new()), "{same}");
        }
        for other in [
            json!({"versioning": {"enabled": true}}),
            json!({"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": false}}}),
            json!({"location": "EU"}),
            json!({"location": null}),
            json!({"acl": [{"entity": "allUsers"}]}),
        ] {
            assert_eq!(change(&other), Err(501), "{other}");
        }
    }
}
