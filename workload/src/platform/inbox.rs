//! The queue that data arrives by (Pub/Sub, REST). A message is held while the workload runs, and
//! acknowledged once the result that it is counted in is out; every other one is given back at the
//! end, so that nothing is lost, and not before, so that it does not come instead of another.

use std::collections::BTreeMap;

use content::limits;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use crate::platform::deadline::Deadline;
use crate::platform::exchange::Access;
use crate::platform::http::{Client, Content, from_base64, printable};
use crate::platform::{Error, Refusal};
use crate::terms::{Collaborator, Terms};

/// Messages per pull: so many of the largest proper ones fit into one answer.
const BATCH: usize = 100;
/// Bytes of a ciphertext: Cloud KMS encrypts 64 KiB, and puts less than this around them.
const CIPHERTEXT_LIMIT: usize = (64 << 10) + 4096;
/// Seconds that a message is held beyond the wait for all data: for what comes last to be decrypted.
const MARGIN: u64 = 60;
/// Bytes that a sender's name for a message may have.
const NAME_LIMIT: usize = 128;

// One message always fits into an answer: Pub/Sub takes 10 MB, a third more in base64, and attributes.
const _: () = assert!(limits::HTTP_BODY > (10 << 20) / 3 * 4 + (2 << 20));
const _: () = assert!(limits::HTTP_BODY as usize > BATCH * (CIPHERTEXT_LIMIT / 3 * 4 + (16 << 10)));

/// The subscription.
pub struct Inbox<'a> {
    network: Client<'a>,
    terms: &'a Terms,
    access: &'a Access,
    /// Messages per pull.
    batch: usize,
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
    /// More than Cloud KMS decrypts.
    #[error("its data are {0} bytes, over the limit of {CIPHERTEXT_LIMIT}")]
    Size(usize),
}

impl Delivery {
    /// The collaborator that it says it is from; that is not checked before it was decrypted.
    pub fn sender<'c>(&self, collaborators: &'c [Collaborator]) -> &'c str {
        let name = self.message.attributes.get("collaborator");
        let known = collaborators.iter().find(|c| Some(&c.name) == name);
        known.map_or("no collaborator", |collaborator| &collaborator.name)
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

    /// The message, or what is wrong with it; and what to acknowledge it by.
    pub fn read(self, collaborators: &[Collaborator]) -> (Result<Letter, Objection>, String) {
        (self.letter(collaborators), self.ack_id)
    }

    /// A key in it chooses nothing; it must be the sender's own all the same.
    fn letter(&self, collaborators: &[Collaborator]) -> Result<Letter, Objection> {
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
        let ciphertext = from_base64(&self.message.data).ok_or(Objection::Data)?;
        if ciphertext.len() > CIPHERTEXT_LIMIT {
            return Err(Objection::Size(ciphertext.len()));
        }
        Ok(Letter {
            collaborator: name.to_owned(),
            place,
            message: self.attribute("message")?.to_owned(),
            ciphertext,
        })
    }

    fn attribute(&self, name: &'static str) -> Result<&str, Objection> {
        let value = self.message.attributes.get(name).map(String::as_str);
        let is_proper = |value: &&str| {
            !value.is_empty() && value.len() <= NAME_LIMIT && value.chars().all(content::is_plain)
        };
        value.filter(is_proper).ok_or(Objection::Attribute(name))
    }
}

impl<'a> Inbox<'a> {
    /// The subscription that the terms name, pulled with `access`.
    pub fn new(network: Client<'a>, terms: &'a Terms, access: &'a Access) -> Self {
        Self {
            network,
            terms,
            access,
            batch: BATCH,
        }
    }

    /// From now on, calls end at `deadline`.
    pub fn end_at(&mut self, deadline: Deadline<'a>) {
        self.network = self.network.until(deadline);
    }

    /// Takes what is there until `glance`, and holds it for the rest of the run.
    ///
    /// # Errors
    /// The subscriber may not, or no proper answer.
    pub fn pull(&mut self, glance: Deadline) -> Result<Vec<Delivery>, Error> {
        let doing = "pulling messages";
        let network = self.network.until(glance);
        let request = json!({"maxMessages": self.batch});
        let answer = match self.call(&network, doing, "pull", &request) {
            // Nothing came while the call was open; what was on its way comes again.
            Err(Error::Late { .. }) => return Ok(Vec::new()),
            Err(Error::Http { source, .. }) if is_timeout(&source) => return Ok(Vec::new()),
            // A publisher has sent what is no data. These come again, and then one by one.
            Err(Error::Http { source, .. }) if self.batch > 1 && is_too_large(&source) => {
                self.batch = 1;
                return Ok(Vec::new());
            }
            answer => answer?,
        };
        let deliveries = answer.json::<Pulled>(doing)?.received_messages;
        if !deliveries.is_empty() {
            self.batch = BATCH.min(self.batch * 2);
        }
        let ids: Vec<_> = deliveries.iter().map(|delivery| &delivery.ack_id).collect();
        let seconds = self.terms.deadline.as_secs() + MARGIN;
        self.modify_deadline("holding messages", &ids, seconds)?;
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
            let request = json!({"ackIds": ids});
            self.call(&self.network, doing, "acknowledge", &request)?
                .ok(doing)?;
        }
        Ok(())
    }

    fn modify_deadline<T: AsRef<str>>(
        &self,
        doing: &str,
        ack_ids: &[T],
        seconds: u64,
    ) -> Result<(), Error> {
        let ids: Vec<_> = ack_ids.iter().map(AsRef::as_ref).collect();
        for ids in ids.chunks(BATCH) {
            let request = json!({"ackIds": ids, "ackDeadlineSeconds": seconds});
            self.call(&self.network, doing, "modifyAckDeadline", &request)?
                .ok(doing)?;
        }
        Ok(())
    }

    fn call(
        &self,
        network: &Client,
        doing: &str,
        method: &str,
        request: &impl Serialize,
    ) -> Result<crate::platform::http::Answer, Error> {
        let endpoint = self.terms.endpoints.pubsub.as_str();
        let url = format!(
            "{endpoint}/v1/{}:{method}",
            self.terms.subscription.as_str()
        );
        let content = Content::json(request)?;
        let answer = network.call(doing, &url, Some(self.access.token()), &content)?;
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

fn is_too_large(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::BodyExceedsLimit(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::http::base64;

    fn read(attributes: &[(&str, &str)], data: &str) -> Result<Letter, Objection> {
        let attributes = attributes
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let message = Message {
            data: data.into(),
            attributes,
        };
        let terms = Terms::parse(include_bytes!("../../terms.json")).unwrap();
        Delivery {
            ack_id: "1".into(),
            message,
        }
        .letter(&terms.collaborators)
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
        let large = base64(&vec![0; CIPHERTEXT_LIMIT + 1]);
        assert_eq!(
            refused(&[TWO, ("message", "m")], &large),
            Objection::Size(CIPHERTEXT_LIMIT + 1)
        );
        let stranger = refused(&[("collaborator", "mallory"), ("message", "m")], "");
        assert_eq!(stranger, Objection::Stranger("mallory".into()));
    }
}
