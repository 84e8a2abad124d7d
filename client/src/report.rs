//! What is printed about an outcome.

use google::pubsub::Topic;
use grant::inspect::Finding;
use serde_json::{Value, json};

use crate::message::Header;
use crate::publish::Outcome;

/// Why nothing was sent, as lines for people.
pub fn refusal(header: &Header, outcome: &Outcome) -> String {
    let key = &header.key;
    let mut text = format!(
        "refused: {key} must be open to {}, and to nothing that was not approved",
        header.image_digest
    );
    for observed in outcome.forbidding() {
        text += &format!("\n  {}: {observed}", observed.place);
    }
    text
}

/// Who may decrypt beside the image, as the sender has approved, and what should be cleaned up.
pub fn notes(header: &Header, outcome: &Outcome) -> Vec<String> {
    let observed = outcome.observed.iter();
    let noted = observed.filter(|it| match &it.finding {
        Finding::Approved { image, .. } => *image != header.image_digest,
        Finding::Accepted { .. } | Finding::Ended { .. } => true,
        _ => false,
    });
    let noted = noted.map(|observed| format!("note: {}: {observed}", observed.place));
    let not_read = outcome.scope.not_read();
    let not_read = not_read.map(|what| format!("note: not read: {what}"));
    noted.chain(not_read).collect()
}

/// The outcome for programs.
pub fn json(header: &Header, topic: &Topic, outcome: &Outcome) -> Value {
    let found = outcome.forbidding().map(|observed| {
        json!({
            "finding": observed.finding.code(),
            "place": observed.place.to_string(),
            "detail": observed.to_string(),
        })
    });
    json!({
        "published": outcome.published.is_some(),
        "collaborator": header.collaborator.to_string(),
        "message": header.message.to_string(),
        "message_id": outcome.published,
        "image_digest": header.image_digest,
        "key": header.key.to_string(),
        "topic": topic.to_string(),
        "findings": found.collect::<Vec<_>>(),
        "notes": notes(header, outcome),
        "not_read": outcome.scope.not_read(),
    })
}
