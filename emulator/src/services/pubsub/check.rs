//! Checks of requests (Pub/Sub quotas, "Resource limits").

use std::str::FromStr;

use super::message::Message;
use crate::status::Status;

/// The largest size of a request, in bytes.
const REQUEST: usize = 10 << 20;
/// The largest number of messages of a request.
const MESSAGES: usize = 1000;
/// The largest number of attributes of a message.
const ATTRIBUTES: usize = 100;
/// The largest length of the name of an attribute, in bytes.
const ATTRIBUTE_NAME: usize = 256;
/// The largest length of the value of an attribute, in bytes.
const ATTRIBUTE_VALUE: usize = 1024;
/// The default and the smallest acknowledgement deadline, in seconds (Pub/Sub, `Subscription`).
const ACK_DEADLINE: u64 = 10;
/// The largest acknowledgement deadline, in seconds (the same).
const LONGEST_ACK_DEADLINE: u64 = 600;

/// Parses the name of a topic or subscription.
pub(super) fn name<T: FromStr>(name: &str) -> Result<T, Status> {
    name.parse().map_err(|_| {
        Status::invalid(format!(
            "Invalid resource name given (name={name}). Refer to \
             https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        ))
    })
}

/// The deadline of a new subscription, in seconds, from the requested one.
pub(super) fn ack_deadline(seconds: i64) -> Result<u64, Status> {
    match deadline(seconds)? {
        0 => Ok(ACK_DEADLINE),
        seconds @ ACK_DEADLINE.. => Ok(seconds),
        _ => Err(Status::invalid(
            "ackDeadlineSeconds must be between 10 and 600.",
        )),
    }
}

/// The new deadline of a delivery, in seconds.
pub(super) fn deadline(seconds: i64) -> Result<u64, Status> {
    let seconds = u64::try_from(seconds).ok();
    seconds
        .filter(|seconds| *seconds <= LONGEST_ACK_DEADLINE)
        .ok_or_else(|| Status::invalid("ackDeadlineSeconds must be between 0 and 600."))
}

/// The largest number of messages of a pull.
pub(super) fn most(count: i64) -> Result<usize, Status> {
    let most = usize::try_from(count).ok();
    most.filter(|most| *most > 0)
        .ok_or_else(|| Status::invalid("maxMessages must be positive."))
}

/// Checks that there are acknowledgement IDs.
pub(super) fn ack_ids(ids: &[String]) -> Result<(), Status> {
    match ids.is_empty() {
        true => Err(Status::invalid("No ack ids specified.")),
        false => Ok(()),
    }
}

/// Checks the messages of a request.
pub(super) fn messages(messages: &[Message]) -> Result<(), Status> {
    if messages.is_empty() || messages.len() > MESSAGES {
        return Err(Status::invalid(format!(
            "The request has no messages or more than {MESSAGES}."
        )));
    }
    messages.iter().try_for_each(message)?;
    let size: usize = messages.iter().map(|message| message.data.len()).sum();
    match size > REQUEST {
        true => Err(Status::invalid(format!(
            "The request has more than {REQUEST} bytes."
        ))),
        false => Ok(()),
    }
}

fn message(message: &Message) -> Result<(), Status> {
    if message.data.is_empty() && message.attributes.is_empty() {
        return Err(Status::invalid(
            "One or more messages in the publish request is empty. Each message must contain \
             either non-empty data, or at least one attribute.",
        ));
    }
    let mut attributes = message.attributes.iter();
    let is_wrong = |(name, value): (&String, &String)| {
        name.is_empty() || name.len() > ATTRIBUTE_NAME || value.len() > ATTRIBUTE_VALUE
    };
    match message.attributes.len() > ATTRIBUTES || attributes.any(is_wrong) {
        true => Err(Status::invalid(format!(
            "A message has at most {ATTRIBUTES} attributes, with names of 1 to \
             {ATTRIBUTE_NAME} bytes and values of at most {ATTRIBUTE_VALUE}."
        ))),
        false => Ok(()),
    }
}
