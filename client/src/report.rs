//! What is printed about an outcome.

use google::pubsub::Topic;
use grant::inspect::Finding;
use serde_json::{Value, json};

use crate::message::Header;
use crate::publish::Outcome;

/// The findings as lines for people.
pub fn lines(header: &Header, found: &[Finding]) -> String {
    let key = &header.key;
    let mut text = format!(
        "refused: {key} is not open to {} alone",
        header.image_digest
    );
    for finding in found {
        text += &format!("\n  {finding}");
    }
    text
}

/// The outcome for programs.
pub fn json(header: &Header, topic: &Topic, outcome: &Outcome) -> Value {
    let (id, found) = match outcome {
        Outcome::Published(id) => (Some(id), &[][..]),
        Outcome::Refused(found) => (None, &found[..]),
    };
    let finding =
        |finding: &Finding| json!({"finding": finding.code(), "detail": finding.to_string()});
    let found: Vec<_> = found.iter().map(finding).collect();
    json!({
        "published": id.is_some(),
        "collaborator": header.collaborator.to_string(),
        "message": header.message.to_string(),
        "message_id": id,
        "image_digest": header.image_digest,
        "key": header.key.to_string(),
        "topic": topic.to_string(),
        "findings": found,
    })
}
