//! Publishes a message to a topic (Pub/Sub, `topics.publish`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use console::hint::Hinted;
use gcp::{Credentials, Endpoint, Request, Rest};
use google::pubsub::Topic;
use serde::Deserialize;
use serde_json::json;

use crate::message::Header;

/// The public URL of Pub/Sub.
const PUBLIC: &str = "https://pubsub.googleapis.com";

/// Pub/Sub.
#[derive(Clone, Debug)]
pub struct Sender(Rest);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    #[serde(default)]
    message_ids: Vec<String>,
}

impl Sender {
    /// The service at `endpoint`, or at its public URL.
    ///
    /// # Errors
    /// HTTPS cannot be used.
    pub fn open(endpoint: Option<&Endpoint>, credentials: Credentials) -> Result<Self, Hinted> {
        Rest::new(endpoint, PUBLIC, credentials).map(Self)
    }

    /// Publishes one message, and returns the ID that Pub/Sub gave to it.
    ///
    /// # Errors
    /// The service refuses, or does not answer: then it is unknown whether the message was published.
    pub async fn send(
        &self,
        topic: &Topic,
        header: &Header,
        ciphertext: &[u8],
    ) -> Result<String, Hinted> {
        let message = &header.message;
        let doing = format!("publishing message {message} to {topic}");
        let data = BASE64.encode(ciphertext);
        let body = json!({"messages": [{"data": data, "attributes": header.attributes()}]});
        let request = Request {
            doing: &doing,
            path: &format!("v1/{}:publish", topic.path()),
            body: Some(&body),
            denied: "the credentials need roles/pubsub.publisher on the topic, which its owner grants",
            absent: "check the name of the topic, which the operator gives to you",
            failed: "it is unknown whether it was published: repeat the command with --message and this name, which is counted once",
        };
        let Published { message_ids } = self.0.call(&request).await?;
        match <[String; 1]>::try_from(message_ids) {
            Ok([id]) => Ok(id),
            Err(ids) => {
                let count = ids.len();
                Err(
                    Hinted::new(format_args!("{doing}: expected one ID, found {count}"))
                        .hinting("check that the endpoint is Pub/Sub"),
                )
            }
        }
    }
}
