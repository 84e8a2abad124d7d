use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::rest::protojson::{self, Integer};
use crate::status::Status;

/// Bytes of one request at the most; messages of one; attributes of a message; bytes of an
/// attribute's name and of its value (Pub/Sub quotas, resource limits).
const REQUEST: usize = 10 << 20;
const MESSAGES: usize = 1000;
const ATTRIBUTES: usize = 100;
const ATTRIBUTE_NAME: usize = 256;
const ATTRIBUTE_VALUE: usize = 1024;
/// Seconds until a message is delivered again, where a subscription does not say, at least and at the
/// most (Pub/Sub, `Subscription`).
const ACK_DEADLINE: u64 = 10;
const LONGEST_ACK_DEADLINE: u64 = 600;

/// `projects/P/KIND/ID` (Pub/Sub, "Resource names").
pub(super) fn check_name(name: &str, kind: &str) -> Result<(), Status> {
    let parts: Vec<_> = name.split('/').collect();
    match parts[..] {
        ["projects", project, found, id] if !project.is_empty() && found == kind && is_id(id) => {
            Ok(())
        }
        _ => Err(Status::invalid(format!(
            "Invalid resource name given (name={name}). Refer to \
             https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        ))),
    }
}

fn is_id(id: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"-_.~+%".contains(&b);
    (3..=255).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.bytes().all(is_known)
        && !id.starts_with("goog")
}

/// A subscription as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    ack_deadline_seconds: Integer,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// The topic and the deadline that a new subscription asks for.
pub(super) fn subscription(body: &Value) -> Result<(String, u64), Status> {
    let mut asked: Asked = read(body)?;
    asked.rest.remove("name");
    refuse_rest(&asked.rest)?;
    check_name(&asked.topic, "topics")?;
    let deadline = match deadline(asked.ack_deadline_seconds)? {
        0 => ACK_DEADLINE,
        ACK_DEADLINE.. => asked.ack_deadline_seconds.0.unsigned_abs(),
        _ => {
            return Err(Status::invalid(
                "ackDeadlineSeconds must be between 10 and 600.",
            ));
        }
    };
    Ok((asked.topic, deadline))
}

fn deadline(seconds: Integer) -> Result<u64, Status> {
    let seconds = u64::try_from(seconds.0).ok();
    seconds
        .filter(|seconds| *seconds <= LONGEST_ACK_DEADLINE)
        .ok_or_else(|| Status::invalid("ackDeadlineSeconds must be between 0 and 600."))
}

#[derive(Debug, Deserialize)]
struct Publish {
    #[serde(default)]
    messages: Vec<Published>,
}

/// A message as it is published.
#[derive(Debug, Deserialize)]
pub(super) struct Published {
    #[serde(default)]
    data: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Published {
    /// The message as it is delivered.
    pub(super) fn delivered(&self, id: &str, time: &str) -> Value {
        let mut message = json!({"messageId": id, "publishTime": time});
        if !self.data.is_empty() {
            message["data"] = self.data.clone().into();
        }
        if !self.attributes.is_empty() {
            message["attributes"] = json!(self.attributes);
        }
        message
    }

    fn check(&self) -> Result<(), Status> {
        refuse_rest(&self.rest)?;
        if self.data.is_empty() && self.attributes.is_empty() {
            return Err(Status::invalid(
                "One or more messages in the publish request is empty. Each message must contain \
                 either non-empty data, or at least one attribute.",
            ));
        }
        if protojson::bytes(&self.data).is_none() {
            return Err(Status::invalid("Invalid base64 in data."));
        }
        let mut attributes = self.attributes.iter();
        let is_wrong = |(name, value): (&String, &String)| {
            name.is_empty() || name.len() > ATTRIBUTE_NAME || value.len() > ATTRIBUTE_VALUE
        };
        match self.attributes.len() > ATTRIBUTES || attributes.any(is_wrong) {
            true => Err(Status::invalid(format!(
                "A message has at most {ATTRIBUTES} attributes, with names of 1 to \
                 {ATTRIBUTE_NAME} bytes and values of at most {ATTRIBUTE_VALUE}."
            ))),
            false => Ok(()),
        }
    }
}

/// The messages of a request, all of them right.
pub(super) fn messages(body: &Value) -> Result<Vec<Published>, Status> {
    let Publish { messages } = read(body)?;
    if messages.is_empty() || messages.len() > MESSAGES {
        return Err(Status::invalid(format!(
            "The request has no messages or more than {MESSAGES}."
        )));
    }
    messages.iter().try_for_each(Published::check)?;
    match messages
        .iter()
        .map(|message| message.data.len())
        .sum::<usize>()
        / 4
        * 3
        > REQUEST
    {
        true => Err(Status::invalid(format!(
            "The request has more than {REQUEST} bytes."
        ))),
        false => Ok(messages),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Numbers {
    max_messages: Integer,
    ack_ids: Vec<String>,
    ack_deadline_seconds: Integer,
}

/// How many messages a pull wants.
pub(super) fn most(body: &Value) -> Result<usize, Status> {
    let Numbers { max_messages, .. } = read(body)?;
    let most = usize::try_from(max_messages.0).ok();
    most.filter(|most| *most > 0)
        .ok_or_else(|| Status::invalid("maxMessages must be positive."))
}

/// Which deliveries are meant, and for how many seconds more.
pub(super) fn acknowledgement(body: &Value) -> Result<(Vec<String>, u64), Status> {
    let asked: Numbers = read(body)?;
    match asked.ack_ids.is_empty() {
        true => Err(Status::invalid("No ack ids specified.")),
        false => Ok((asked.ack_ids, deadline(asked.ack_deadline_seconds)?)),
    }
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Status> {
    let body = match body {
        Value::Null => json!({}),
        other => other.clone(),
    };
    serde_json::from_value(body).map_err(|error| Status::invalid(error.to_string()))
}

/// What this service does not do, it does not pretend to.
fn refuse_rest(rest: &BTreeMap<String, Value>) -> Result<(), Status> {
    match rest.iter().find(|(_, value)| !protojson::is_default(value)) {
        Some((name, _)) => Err(Status::unimplemented(format!(
            "The field {name} is not emulated."
        ))),
        None => Ok(()),
    }
}
