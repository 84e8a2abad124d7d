//! The Pub/Sub subscription that delivers the data (REST). A message is held while the workload runs,
//! and acknowledged once the result that counts it is written. All other messages are returned at the
//! end, so that none is lost, and not earlier, because Pub/Sub would immediately deliver them again.

use std::collections::BTreeMap;

use content::limits;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use tee::deadline::Deadline;
use tee::http::{Answer, Client, Request};
use tee::{Access, Endpoint, Error, Refusal, from_base64, printable};

use crate::terms::{Contributor, Messages};

/// The number of messages per pull: that many of the largest valid messages fit into one answer.
const BATCH: usize = 100;
/// The largest ciphertext, in bytes: Cloud KMS encrypts up to 64 KiB and adds less than 4 KiB.
const CIPHERTEXT_LIMIT: usize = (64 << 10) + 4096;
/// The time that a message is held beyond the deadline, in seconds, to decrypt the last messages.
const MARGIN: u64 = 60;
/// The largest length of a message name, in bytes.
const NAME_LIMIT: usize = 128;

// One message always fits into an answer: Pub/Sub accepts 10 MB, which base64 enlarges by a third, and
// attributes.
const _: () = assert!(limits::HTTP_BODY > (10 << 20) / 3 * 4 + (2 << 20));
const _: () = assert!(limits::HTTP_BODY as usize > BATCH * (CIPHERTEXT_LIMIT / 3 * 4 + (16 << 10)));

/// A client of the subscription.
pub struct Inbox<'a> {
    network: Client<'a>,
    service: &'a Endpoint,
    messages: &'a Messages,
    access: &'a Access<'a>,
    /// Messages per pull.
    batch: usize,
}

/// A message as Pub/Sub delivered it.
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

/// A valid message whose data is still encrypted.
#[derive(Debug)]
pub struct EncryptedMessage {
    /// The sender's name.
    pub collaborator: String,
    /// The index of the sender in the terms.
    pub place: usize,
    /// The sender's name for the message.
    pub name: String,
    /// The encrypted data.
    pub ciphertext: Vec<u8>,
}

/// Why a message is invalid.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Objection(String);

impl Delivery {
    /// The collaborator that the message claims as its sender. Only decryption verifies the claim.
    pub fn sender<'c>(&self, contributors: &'c [Contributor]) -> &'c str {
        let name = self.message.attributes.get("collaborator");
        let known = contributors.iter().find(|c| Some(&c.name) == name);
        known.map_or("unknown senders", |collaborator| &collaborator.name)
    }

    /// The name of the message, made printable, for messages to the user.
    pub fn name(&self) -> String {
        let name = self
            .message
            .attributes
            .get("message")
            .map_or("", String::as_str);
        printable(name, NAME_LIMIT)
    }

    /// Validates the message; also returns its acknowledgement ID.
    pub fn read(
        self,
        contributors: &[Contributor],
    ) -> (Result<EncryptedMessage, Objection>, String) {
        (self.validate(contributors), self.ack_id)
    }

    /// Validates the message. A key that it names is never used, but must be the sender's.
    fn validate(&self, contributors: &[Contributor]) -> Result<EncryptedMessage, Objection> {
        let name = self.attribute("collaborator")?;
        let place = contributors.iter().position(|c| c.name == name);
        let place = place.ok_or_else(|| Objection(format!("{name:?} is not a collaborator")))?;
        let own = contributors[place].kms_key.to_string();
        match self.message.attributes.get("key") {
            Some(found) if *found != own => {
                let found = printable(found, 300);
                return Err(Objection(format!("key {found:?} is not the key of {name}")));
            }
            _ => {}
        }
        let ciphertext = from_base64(&self.message.data);
        let ciphertext = ciphertext.ok_or_else(|| Objection("its data is not base64".into()))?;
        if ciphertext.len() > CIPHERTEXT_LIMIT {
            return Err(Objection(format!(
                "its data has {} bytes, more than the limit of {CIPHERTEXT_LIMIT}",
                ciphertext.len()
            )));
        }
        Ok(EncryptedMessage {
            collaborator: name.to_owned(),
            place,
            name: self.attribute("message")?.to_owned(),
            ciphertext,
        })
    }

    fn attribute(&self, name: &str) -> Result<&str, Objection> {
        let value = self.message.attributes.get(name).map(String::as_str);
        let is_proper = |value: &&str| {
            !value.is_empty() && value.len() <= NAME_LIMIT && value.chars().all(content::is_plain)
        };
        let value = value.filter(is_proper);
        value.ok_or_else(|| Objection(format!("it has no valid attribute {name:?}")))
    }
}

impl<'a> Inbox<'a> {
    /// A client of the subscription of `messages`, which it pulls from `service` with `access`.
    pub fn new(
        network: Client<'a>,
        service: &'a Endpoint,
        messages: &'a Messages,
        access: &'a Access<'a>,
    ) -> Self {
        Self {
            network,
            service,
            messages,
            access,
            batch: BATCH,
        }
    }

    /// Makes all later calls end at `deadline`.
    pub fn end_at(&mut self, deadline: Deadline<'a>) {
        self.network = self.network.until(deadline);
    }

    /// Pulls messages, waiting no longer than `until`, and holds them for the rest of the run.
    ///
    /// # Errors
    /// The service denies access, does not answer, or answers with an error.
    pub fn pull(&mut self, until: Deadline) -> Result<Vec<Delivery>, Error> {
        let doing = "pulling messages";
        let network = self.network.until(until);
        let request = json!({"maxMessages": self.batch});
        let answer = match self.call(&network, doing, "pull", &request) {
            // No message arrived in time; Pub/Sub delivers again what was in transit.
            Err(error) if error.is_timeout() => return Ok(Vec::new()),
            // A publisher sent messages that are too large. Pull them again, one by one.
            Err(error) if self.batch > 1 && error.is_too_large() => {
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
        let seconds = self.messages.deadline.as_secs() + MARGIN;
        self.modify_deadline("holding messages", &ids, seconds)?;
        Ok(deliveries)
    }

    /// Returns messages to the subscription, which delivers them again.
    ///
    /// # Errors
    /// The service denies access, does not answer, or answers with an error.
    pub fn release<T: AsRef<str>>(&self, ack_ids: &[T]) -> Result<(), Error> {
        self.modify_deadline("returning messages", ack_ids, 0)
    }

    /// Acknowledges messages, so that they are not delivered again.
    ///
    /// # Errors
    /// The service denies access, does not answer, or answers with an error.
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
    ) -> Result<Answer, Error> {
        let (service, subscription) = (self.service.as_str(), self.messages.subscription.path());
        let url = format!("{service}/v1/{subscription}:{method}");
        let request = Request::json(url, request)?.bearer(self.access.token());
        let answer = network.call(doing, &request)?;
        match answer.status() {
            401 | 403 => Err(Refusal::new(doing, answer.message()).into()),
            _ => Ok(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use tee::base64;

    use super::*;
    use crate::terms::Terms;

    fn read(attributes: &[(&str, &str)], data: &str) -> Result<EncryptedMessage, Objection> {
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
        .validate(&terms.messages.unwrap().contributors)
    }

    const TWO: (&str, &str) = ("collaborator", "collaborator-2");
    const KEY_1: &str = "projects/collaborator-1/locations/global/keyRings/ring/cryptoKeys/data";
    const KEY_2: &str = "projects/collaborator-2/locations/global/keyRings/ring/cryptoKeys/data";

    #[test]
    fn reads_a_message_with_or_without_its_own_key() {
        let message = read(&[TWO, ("message", "m")], "YQ==").unwrap();
        assert_eq!((message.place, message.name.as_str()), (1, "m"));
        assert_eq!(message.ciphertext, b"a");
        assert!(read(&[TWO, ("message", "m"), ("key", KEY_2)], "YQ==").is_ok());
    }

    #[test]
    fn lets_no_message_choose_a_key() {
        let objection = read(&[TWO, ("message", "m"), ("key", KEY_1)], "YQ==").unwrap_err();
        let expected = format!("key {KEY_1:?} is not the key of collaborator-2");
        assert_eq!(objection.to_string(), expected);
        let objection = read(&[TWO, ("message", "m"), ("key", "")], "YQ==").unwrap_err();
        let expected = "key \"\" is not the key of collaborator-2";
        assert_eq!(objection.to_string(), expected);
    }

    #[test]
    fn rejects_invalid_messages() {
        let refused = |attributes: &[(&str, &str)], data| {
            let Objection(reason) = read(attributes, data).unwrap_err();
            reason
        };
        let no_message = "it has no valid attribute \"message\"";
        assert_eq!(
            refused(&[("message", "m")], ""),
            "it has no valid attribute \"collaborator\""
        );
        assert_eq!(refused(&[TWO], ""), no_message);
        assert_eq!(refused(&[TWO, ("message", "a\nb")], ""), no_message);
        let long = "m".repeat(129);
        assert_eq!(refused(&[TWO, ("message", &long)], ""), no_message);
        assert_eq!(
            refused(&[TWO, ("message", "m")], "Y"),
            "its data is not base64"
        );
        let large = base64(&vec![0; CIPHERTEXT_LIMIT + 1]);
        assert_eq!(
            refused(&[TWO, ("message", "m")], &large),
            format!(
                "its data has {} bytes, more than the limit of {CIPHERTEXT_LIMIT}",
                CIPHERTEXT_LIMIT + 1
            )
        );
        let unknown = refused(&[("collaborator", "mallory"), ("message", "m")], "");
        assert_eq!(unknown, "\"mallory\" is not a collaborator");
    }
}
