use content::{json, limits};
use serde_json::Value;

use crate::check::accepted;

/// The canonical form has the same value, and is its own canonical form.
pub fn json(bytes: &[u8]) -> bool {
    accepted(json::parse::<Value>(bytes, limits::DOCUMENT), |value| {
        let Ok(written) = json::canonical(&value) else {
            return;
        };
        let again: Value = json::parse(&written, u64::MAX).expect("canonical JSON is strict");
        assert_eq!(again, value);
        assert_eq!(json::canonical(&again).ok(), Some(written));
    })
}
