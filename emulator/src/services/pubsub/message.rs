//! Requests and answers (google/pubsub/v1/pubsub.proto), as far as they are emulated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message to publish (`PubsubMessage`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Message {
    /// The data.
    #[serde(with = "crate::state::base64")]
    pub data: Vec<u8>,
    /// The attributes, by name.
    pub attributes: BTreeMap<String, String>,
}

/// A published message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delivered {
    /// The message.
    pub message: Message,
    /// The ID of the message.
    pub id: String,
    /// The time of publication, in Unix seconds.
    pub published: u64,
}

/// A delivery (`ReceivedMessage`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// The acknowledgement ID.
    pub ack_id: String,
    /// The number of deliveries, including this one.
    pub attempt: u64,
    /// The delivered message.
    pub delivered: Delivered,
}

/// A subscription (`Subscription`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subscription {
    /// `projects/P/subscriptions/S`.
    pub name: String,
    /// The name of the topic.
    pub topic: String,
    /// The time until an unacknowledged message is delivered again, in seconds; 0 in requests means the
    /// default.
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
