//! Where a request is not the expected message, and why.

use serde::{Deserialize, Deserializer};
use serde_path_to_error::{Path, Segment};

use super::scalar::NOT_EMULATED;
use crate::status::Status;

/// A message, or the place of the first error in it.
pub(super) struct Located<T>(pub(super) Result<T, Fault>);

/// An error of a deserializer, and its place.
pub(super) struct Fault {
    path: Path,
    reason: String,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parsed = serde_path_to_error::deserialize(deserializer);
        Ok(Self(parsed.map_err(|error| {
            let reason = error.inner().to_string();
            // The place replaces the line and column of serde_json.
            let reason = reason
                .rsplit_once(" at line ")
                .map(|(reason, _)| reason.to_owned());
            Fault {
                reason: reason.unwrap_or_else(|| error.inner().to_string()),
                path: error.path().clone(),
            }
        })))
    }
}

impl Fault {
    /// The error in Google's words (protobuf, `ProtoStreamObjectWriter`).
    pub(super) fn status(&self) -> Status {
        let reason = self.reason.as_str();
        let mut segments: Vec<_> = self.path.iter().collect();
        if let Some(name) = wrong_case(reason) {
            // The parser refuses such a name before its place is known.
            segments.retain(|segment| !matches!(segment, Segment::Unknown));
            return unknown(&shown(&segments), name, "Cannot find field.");
        }
        let place = shown(&segments);
        if reason == NOT_EMULATED {
            return Status::unimplemented(format!("The field {place} is not emulated."));
        }
        // A list in a list has no name.
        let name = segments.pop_if(|last| !matches!(last, Segment::Seq { .. }));
        let name = name.map(ToString::to_string).unwrap_or_default();
        let parent = shown(&segments);
        if reason.starts_with("unknown field ") {
            unknown(&parent, &name, "Cannot find field.")
        } else if place.is_empty() && reason.starts_with("invalid type: ") {
            unknown("", "", "Root element must be a message.")
        } else if reason.starts_with("invalid type: sequence, ") {
            unknown(
                &parent,
                &name,
                "Proto field is not repeating, cannot start list.",
            )
        } else if place.is_empty() {
            malformed("", reason)
        } else if reason.starts_with('(') {
            Status::bad_request(&place, format!("Invalid value at '{place}' {reason}"))
        } else {
            Status::bad_request(&place, format!("Invalid value at '{place}' ({reason})"))
        }
    }
}

/// The error for a body that is not JSON, or not strict JSON.
pub(super) fn malformed(place: &str, reason: &str) -> Status {
    Status::bad_request(place, format!("Invalid JSON payload received. {reason}"))
}

fn unknown(parent: &str, name: &str, reason: &str) -> Status {
    let place = match parent.is_empty() {
        true => String::new(),
        false => format!(" at '{parent}'"),
    };
    malformed(parent, &format!("Unknown name \"{name}\"{place}: {reason}"))
}

/// The name that the parser refuses because it differs from a known one only in case.
fn wrong_case(reason: &str) -> Option<&str> {
    let (name, rest) = reason.strip_prefix("name \"")?.split_once('"')?;
    rest.starts_with(" differs from ").then_some(name)
}

/// A path as in `policy.bindings[0].role`.
fn shown(segments: &[&Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        if !path.is_empty() && !matches!(segment, Segment::Seq { .. }) {
            path.push('.');
        }
        path.push_str(&segment.to_string());
    }
    path
}
