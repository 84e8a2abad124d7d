//! `terms.json`: the smallest terms of two parties.

use oci::ImageRef;
use serde_json::{Value, json};

use super::found::{Found, Open};

/// The name of the file.
pub(super) const FILE: &str = "terms.json";

/// The text. The keys that it names do not exist.
pub(super) fn text(found: &Found, base: Option<&ImageRef>) -> String {
    let signer = |name: &str, digit: &str| json!({"name": name, "key_id": digit.repeat(64)});
    let terms = json!({
        "job": job(found, base),
        "signers": [signer("builder", "0"), signer("collaborator", "1")],
    });
    format!("{terms:#}\n")
}

fn job(found: &Found, base: Option<&ImageRef>) -> Value {
    match base {
        Some(_) => json!({"exec": {"command": found.start}}),
        None => json!({}),
    }
}

/// What is left to the user.
pub(super) fn open() -> Vec<Open> {
    vec![
        Open::new(
            FILE,
            "signers",
            "name each party whose signature the image needs, with the key ID that `builder key KEY` prints",
        ),
        Open::new(
            FILE,
            "collaborators",
            "add each party whose key or data the program uses",
        ),
    ]
}
