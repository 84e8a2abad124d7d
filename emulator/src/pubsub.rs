//! Pub/Sub v1: publish, pull, acknowledge. A message that is not acknowledged in time is delivered
//! again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock;
use crate::random;
use crate::status::Status;

/// Bytes of one message at the most (Pub/Sub quotas).
const MESSAGE: usize = 10 << 20;
/// Seconds until a message is delivered again, where a subscription does not say.
const ACK_DEADLINE: u64 = 10;

/// Topics and subscriptions by name.
#[derive(Debug, Default)]
pub struct Queues {
    topics: BTreeMap<String, Value>,
    subscriptions: BTreeMap<String, Subscription>,
    published: u64,
}

#[derive(Debug)]
struct Subscription {
    body: Value,
    topic: String,
    ack_deadline: u64,
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    body: Value,
    attempts: u64,
    ack_id: Option<String>,
    visible_from: u64,
}

impl Queues {
    /// Makes a topic.
    ///
    /// # Errors
    /// There is one.
    pub fn add_topic(&mut self, name: &str) -> Result<Value, Status> {
        if self.topics.contains_key(name) {
            return Err(Status::exists(format!(
                "Resource already exists in the project (resource={name})."
            )));
        }
        let body = json!({"name": name});
        self.topics.insert(name.to_owned(), body.clone());
        Ok(body)
    }

    /// Makes a subscription; it gets what is published from now on.
    ///
    /// # Errors
    /// There is one, or no such topic.
    pub fn add_subscription(&mut self, name: &str, body: &Value) -> Result<Value, Status> {
        let topic = body["topic"].as_str().unwrap_or_default().to_owned();
        if !self.topics.contains_key(&topic) {
            return Err(not_found(&topic));
        }
        if self.subscriptions.contains_key(name) {
            return Err(Status::exists(format!(
                "Resource already exists in the project (resource={name})."
            )));
        }
        let ack_deadline = body["ackDeadlineSeconds"].as_u64().unwrap_or(ACK_DEADLINE);
        let body = json!({"name": name, "topic": topic, "ackDeadlineSeconds": ack_deadline});
        let subscription = Subscription {
            body: body.clone(),
            topic,
            ack_deadline,
            messages: Vec::new(),
        };
        self.subscriptions.insert(name.to_owned(), subscription);
        Ok(body)
    }

    /// The topic or subscription.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.topics
            .get(name)
            .or_else(|| self.subscriptions.get(name).map(|s| &s.body))
    }

    /// `topics.publish` at the time `now` in Unix seconds.
    ///
    /// # Errors
    /// No such topic, no message, or one that is too large.
    pub fn publish(&mut self, topic: &str, body: &Value, now: u64) -> Result<Value, Status> {
        if !self.topics.contains_key(topic) {
            return Err(not_found(topic));
        }
        let messages = body["messages"]
            .as_array()
            .filter(|messages| !messages.is_empty());
        let messages = messages.ok_or_else(|| Status::invalid("The request has no messages."))?;
        if messages
            .iter()
            .any(|message| message.to_string().len() > MESSAGE)
        {
            return Err(Status::invalid("A message is too large."));
        }
        let mut ids = Vec::new();
        for message in messages {
            self.published += 1;
            let id = self.published.to_string();
            let mut message = message.clone();
            message["messageId"] = id.clone().into();
            message["publishTime"] = clock::rfc3339(now).into();
            for subscription in self.subscriptions.values_mut().filter(|s| s.topic == topic) {
                let body = message.clone();
                let queued = Message {
                    body,
                    attempts: 0,
                    ack_id: None,
                    visible_from: 0,
                };
                subscription.messages.push(queued);
            }
            ids.push(id);
        }
        Ok(json!({"messageIds": ids}))
    }

    /// `subscriptions.pull` at the time `now` in Unix seconds; does not wait for messages.
    ///
    /// # Errors
    /// No such subscription, or a number that makes no sense.
    pub fn pull(&mut self, name: &str, body: &Value, now: u64) -> Result<Value, Status> {
        let subscription = self.subscription(name)?;
        let most = body["maxMessages"].as_u64().unwrap_or(0);
        if most == 0 {
            return Err(Status::invalid("maxMessages must be positive."));
        }
        let deadline = now + subscription.ack_deadline;
        let visible = subscription
            .messages
            .iter_mut()
            .filter(|message| message.visible_from <= now);
        let mut received = Vec::new();
        for message in visible.take(usize::try_from(most).unwrap_or(usize::MAX)) {
            let ack_id = random::text().map_err(|_| Status::internal())?;
            message.attempts += 1;
            message.visible_from = deadline;
            message.ack_id = Some(ack_id.clone());
            received.push(json!({
                "ackId": ack_id,
                "deliveryAttempt": message.attempts,
                "message": message.body,
            }));
        }
        Ok(if received.is_empty() {
            json!({})
        } else {
            json!({"receivedMessages": received})
        })
    }

    /// `subscriptions.acknowledge`; an ID that has lapsed does nothing.
    ///
    /// # Errors
    /// No such subscription.
    pub fn acknowledge(&mut self, name: &str, body: &Value) -> Result<Value, Status> {
        let ids = ids(body);
        let named = |m: &Message| {
            m.ack_id
                .as_ref()
                .is_some_and(|id| ids.contains(&id.as_str()))
        };
        self.subscription(name)?
            .messages
            .retain(|message| !named(message));
        Ok(json!({}))
    }

    /// `subscriptions.modifyAckDeadline` at the time `now` in Unix seconds; 0 gives a message back at
    /// once.
    ///
    /// # Errors
    /// No such subscription, or more than ten minutes.
    pub fn modify(&mut self, name: &str, body: &Value, now: u64) -> Result<Value, Status> {
        let seconds = body["ackDeadlineSeconds"].as_u64().unwrap_or(0);
        if seconds > 600 {
            return Err(Status::invalid(
                "ackDeadlineSeconds must be between 0 and 600.",
            ));
        }
        let ids = ids(body);
        for message in &mut self.subscription(name)?.messages {
            if message
                .ack_id
                .as_ref()
                .is_some_and(|id| ids.contains(&id.as_str()))
            {
                message.visible_from = now + seconds;
            }
        }
        Ok(json!({}))
    }

    fn subscription(&mut self, name: &str) -> Result<&mut Subscription, Status> {
        self.subscriptions
            .get_mut(name)
            .ok_or_else(|| not_found(name))
    }
}

fn ids(body: &Value) -> Vec<&str> {
    body["ackIds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn not_found(name: &str) -> Status {
    Status::not_found(format!("Resource not found (resource={name})."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues() -> Queues {
        let mut queues = Queues::default();
        queues.add_topic("t").unwrap();
        queues
            .add_subscription("s", &json!({"topic": "t"}))
            .unwrap();
        queues
            .publish("t", &json!({"messages": [{"data": "eA=="}]}), 0)
            .unwrap();
        queues
    }

    fn pull(queues: &mut Queues, now: u64) -> Option<Value> {
        let answer = queues.pull("s", &json!({"maxMessages": 10}), now).unwrap();
        answer["receivedMessages"].get(0).cloned()
    }

    #[test]
    fn what_is_not_acknowledged_comes_again() {
        let mut queues = queues();
        assert!(pull(&mut queues, 0).is_some());
        assert!(pull(&mut queues, 9).is_none());
        let again = pull(&mut queues, 10).unwrap();
        assert_eq!(again["deliveryAttempt"], 2);
        queues
            .acknowledge("s", &json!({"ackIds": [again["ackId"]]}))
            .unwrap();
        assert!(pull(&mut queues, 99).is_none());
    }

    #[test]
    fn what_is_given_back_comes_at_once() {
        let mut queues = queues();
        let first = pull(&mut queues, 0).unwrap();
        queues
            .modify(
                "s",
                &json!({"ackIds": [first["ackId"]], "ackDeadlineSeconds": 0}),
                1,
            )
            .unwrap();
        let again = pull(&mut queues, 1).unwrap();
        queues
            .acknowledge("s", &json!({"ackIds": [first["ackId"]]}))
            .unwrap();
        assert!(pull(&mut queues, 99).is_some(), "an old ID has lapsed");
        assert_ne!(first["ackId"], again["ackId"]);
    }
}
