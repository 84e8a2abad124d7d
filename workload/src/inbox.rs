//! The queue that data arrives by (Pub/Sub, REST). A message is held while the workload runs, and
//! acknowledged once the result that it is counted in is out; whatever ends otherwise is given back,
//! so that nothing is lost.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use crate::exchange::Access;
use crate::http::{Client, Content, from_base64, printable};
use crate::terms::{Collaborator, Terms};
use crate::{Error, Refusal};

/// Messages per pull: Cloud KMS takes ciphertexts of 64 KiB, so these fit into one answer.
const BATCH: usize = 100;
/// Seconds that a message is held: the longest that Pub/Sub holds one.
const HOLD: u32 = 600;
/// Bytes that a sender's name for a message may have.
const NAME_LIMIT: usize = 128;

/// The subscription.
pub struct Inbox<'a> {
    /// How to reach it.
    pub network: &'a Client,
    /// Where it is.
    pub terms: &'a Terms,
    /// As whom.
    pub access: &'a Access,
}

/// A message as it came.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    ack_id: String,
    message: Message,
}

#[derive(Debug, Default, Deserialize)]
struct Message {
    #[serde(default)]
    data: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pulled {
    #[serde(default)]
    received_messages: Vec<Delivery>,
}

/// A message that says of itself all that it must, and nothing that it must not.
#[derive(Debug)]
pub struct Letter {
    /// The sender's name.
    pub collaborator: String,
    /// The sender's place in the terms.
    pub place: usize,
    /// The sender's name for the message.
    pub message: String,
    /// The data, encrypted.
    pub ciphertext: Vec<u8>,
}

/// Why a message is not looked at further.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Objection {
    /// No attribute of this name, or not a short printable one.
    #[error("it has no proper attribute {0:?}")]
    Attribute(&'static str),
    /// A sender that the terms do not know.
    #[error("{0:?} is no collaborator")]
    Stranger(String),
    /// A key that is not the sender's own.
    #[error("key {found:?} is not {collaborator}'s own")]
    ForeignKey {
        /// The sender.
        collaborator: String,
        /// The key.
        found: String,
    },
    /// Data that are no base64.
    #[error("its data are no base64")]
    Data,
}

impl Delivery {
    /// What to acknowledge it by.
    pub fn ack_id(&self) -> &str {
        &self.ack_id
    }

    /// What to call it before it was read.
    pub fn name(&self) -> String {
        let name = self
            .message
            .attributes
            .get("message")
            .map_or("", String::as_str);
        printable(name, NAME_LIMIT)
    }

    /// Reads the message. A key in it chooses nothing; it must be the sender's own all the same.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, collaborators: &[Collaborator]) -> Result<Letter, Objection> {
        let name = self.attribute("collaborator")?;
        let place = collaborators.iter().position(|c| c.name == name);
        let place = place.ok_or_else(|| Objection::Stranger(name.to_owned()))?;
        let own = collaborators[place].kms_key.as_str();
        match self.message.attributes.get("key") {
            Some(found) if found != own => {
                let (collaborator, found) = (name.to_owned(), printable(found, 300));
                return Err(Objection::ForeignKey {
                    collaborator,
                    found,
                });
            }
            _ => {}
        }
        Ok(Letter {
            collaborator: name.to_owned(),
            place,
            message: self.attribute("message")?.to_owned(),
            ciphertext: from_base64(&self.message.data).ok_or(Objection::Data)?,
        })
    }

    fn attribute(&self, name: &'static str) -> Result<&str, Objection> {
        let value = self.message.attributes.get(name).map(String::as_str);
        let is_proper = |value: &&str| {
            !value.is_empty() && value.len() <= NAME_LIMIT && !value.contains(char::is_control)
        };
        value.filter(is_proper).ok_or(Objection::Attribute(name))
    }
}

impl Inbox<'_> {
    /// Takes what is there, and holds it.
    ///
    /// # Errors
    /// The subscriber may not, or no proper answer.
    pub fn pull(&self) -> Result<Vec<Delivery>, Error> {
        let doing = "pulling messages";
        let answer = match self.call(doing, "pull", &json!({"maxMessages": BATCH})) {
            // Nothing came while the call was open; what was on its way comes again.
            Err(Error::Http { source, .. }) if is_timeout(&source) => return Ok(Vec::new()),
            answer => answer?,
        };
        let deliveries = answer.json::<Pulled>(doing)?.received_messages;
        let ids: Vec<_> = deliveries.iter().map(Delivery::ack_id).collect();
        self.modify_deadline("holding messages", &ids, HOLD)?;
        Ok(deliveries)
    }

    /// Gives messages back: they will be delivered again.
    ///
    /// # Errors
    /// No proper answer.
    pub fn release<T: AsRef<str>>(&self, ack_ids: &[T]) -> Result<(), Error> {
        self.modify_deadline("giving messages back", ack_ids, 0)
    }

    /// Takes messages for good: they will not be delivered again.
    ///
    /// # Errors
    /// No proper answer.
    pub fn acknowledge<T: AsRef<str>>(&self, ack_ids: &[T]) -> Result<(), Error> {
        let ids: Vec<_> = ack_ids.iter().map(AsRef::as_ref).collect();
        let doing = "acknowledging messages";
        for ids in ids.chunks(BATCH) {
            self.call(doing, "acknowledge", &json!({"ackIds": ids}))?
                .ok(doing)?;
        }
        Ok(())
    }

    fn modify_deadline<T: AsRef<str>>(
        &self,
        doing: &str,
        ack_ids: &[T],
        seconds: u32,
    ) -> Result<(), Error> {
        let ids: Vec<_> = ack_ids.iter().map(AsRef::as_ref).collect();
        for ids in ids.chunks(BATCH) {
            let request = json!({"ackIds": ids, "ackDeadlineSeconds": seconds});
            self.call(doing, "modifyAckDeadline", &request)?.ok(doing)?;
        }
        Ok(())
    }

    fn call(
        &self,
        doing: &str,
        method: &str,
        request: &impl Serialize,
    ) -> Result<crate::http::Answer, Error> {
        let endpoint = self.terms.endpoints.pubsub.as_str();
        let url = format!(
            "{endpoint}/v1/{}:{method}",
            self.terms.subscription.as_str()
        );
        let content = Content::json(request)?;
        let answer = self
            .network
            .call(doing, &url, Some(self.access.token()), &content)?;
        match answer.status() {
            401 | 403 => Err(Refusal::Denied {
                doing: doing.to_owned(),
                message: answer.message(),
            }
            .into()),
            _ => Ok(answer),
        }
    }
}

fn is_timeout(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Timeout(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(attributes: &[(&str, &str)], data: &str) -> Result<Letter, Objection> {
        let attributes = attributes
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let message = Message {
            data: data.into(),
            attributes,
        };
        let terms = Terms::parse(include_bytes!("../terms.json")).unwrap();
        Delivery {
            ack_id: "1".into(),
            message,
        }
        .read(&terms.collaborators)
    }

    const TWO: (&str, &str) = ("collaborator", "collaborator-2");
    const KEY_1: &str = "projects/collaborator-1/locations/global/keyRings/ring/cryptoKeys/data";
    const KEY_2: &str = "projects/collaborator-2/locations/global/keyRings/ring/cryptoKeys/data";

    #[test]
    fn reads_a_message_with_or_without_its_own_key() {
        let letter = read(&[TWO, ("message", "m")], "YQ==").unwrap();
        assert_eq!((letter.place, letter.message.as_str()), (1, "m"));
        assert_eq!(letter.ciphertext, b"a");
        assert!(read(&[TWO, ("message", "m"), ("key", KEY_2)], "YQ==").is_ok());
    }

    #[test]
    fn lets_no_message_choose_a_key() {
        let objection = read(&[TWO, ("message", "m"), ("key", KEY_1)], "YQ==").unwrap_err();
        let expected = format!("key {KEY_1:?} is not collaborator-2's own");
        assert_eq!(objection.to_string(), expected);
        assert!(read(&[TWO, ("message", "m"), ("key", "")], "YQ==").is_err());
    }

    #[test]
    fn objects_to_messages_that_do_not_say_what_they_are() {
        let refused = |attributes: &[(&str, &str)], data| read(attributes, data).unwrap_err();
        assert_eq!(
            refused(&[("message", "m")], ""),
            Objection::Attribute("collaborator")
        );
        assert_eq!(refused(&[TWO], ""), Objection::Attribute("message"));
        assert_eq!(
            refused(&[TWO, ("message", "a\nb")], ""),
            Objection::Attribute("message")
        );
        let long = "m".repeat(129);
        assert_eq!(
            refused(&[TWO, ("message", &long)], ""),
            Objection::Attribute("message")
        );
        assert_eq!(refused(&[TWO, ("message", "m")], "Y"), Objection::Data);
        let stranger = refused(&[("collaborator", "mallory"), ("message", "m")], "");
        assert_eq!(stranger, Objection::Stranger("mallory".into()));
    }
}
