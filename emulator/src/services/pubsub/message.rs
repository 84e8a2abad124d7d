//! Requests and answers (google/pubsub/v1/pubsub.proto), as far as they are emulated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message as it is published (`PubsubMessage`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Message {
    /// Its bytes.
    #[serde(with = "crate::state::base64")]
    pub data: Vec<u8>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

/// A message as it is delivered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delivered {
    /// What was published.
    pub message: Message,
    /// Its ID.
    pub id: String,
    /// When it was published, in Unix seconds.
    pub published: u64,
}

/// A delivery (`ReceivedMessage`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// By what it is acknowledged.
    pub ack_id: String,
    /// How often it was delivered, this time included.
    pub attempt: u64,
    /// What is delivered.
    pub delivered: Delivered,
}

/// A subscription (`Subscription`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subscription {
    /// `projects/P/subscriptions/S`.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// Seconds until a delivery that was not acknowledged is made again; 0 asks for the default.
    pub ack_deadline: i64,
}

/// A topic or a subscription.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// A topic, by its name.
    Topic(String),
    /// A subscription.
    Subscription(Subscription),
}
