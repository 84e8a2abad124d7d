//! Pub/Sub v1: publish, pull, acknowledge. A message that is not acknowledged in time is delivered
//! again.

mod request;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock;
use crate::random;
use crate::status::Status;

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
    /// There is one, or no topic can have that name.
    pub fn add_topic(&mut self, name: &str) -> Result<Value, Status> {
        request::check_name(name, "topics")?;
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
    /// There is one, no such topic, or a subscription that cannot be.
    pub fn add_subscription(&mut self, name: &str, body: &Value) -> Result<Value, Status> {
        request::check_name(name, "subscriptions")?;
        let (topic, ack_deadline) = request::subscription(body)?;
        if !self.topics.contains_key(&topic) {
            return Err(not_found(&topic));
        }
        if self.subscriptions.contains_key(name) {
            return Err(Status::exists(format!(
                "Resource already exists in the project (resource={name})."
            )));
        }
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
    /// No such topic, no message, or one that cannot be; none is published then.
    pub fn publish(&mut self, topic: &str, body: &Value, now: u64) -> Result<Value, Status> {
        if !self.topics.contains_key(topic) {
            return Err(not_found(topic));
        }
        let mut ids = Vec::new();
        for message in request::messages(body)? {
            self.published += 1;
            let id = self.published.to_string();
            let message = message.delivered(&id, &clock::rfc3339(now));
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
        let most = request::most(body)?;
        let deadline = now + subscription.ack_deadline;
        let visible = subscription
            .messages
            .iter_mut()
            .filter(|message| message.visible_from <= now);
        let mut received = Vec::new();
        for message in visible.take(most) {
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
    /// No such subscription, or no ID.
    pub fn acknowledge(&mut self, name: &str, body: &Value) -> Result<Value, Status> {
        let (ids, _) = request::acknowledgement(body)?;
        let named = |m: &Message| m.ack_id.as_ref().is_some_and(|id| ids.contains(id));
        self.subscription(name)?
            .messages
            .retain(|message| !named(message));
        Ok(json!({}))
    }

    /// `subscriptions.modifyAckDeadline` at the time `now` in Unix seconds; 0 gives a message back at
    /// once.
    ///
    /// # Errors
    /// No such subscription, no ID, or more than ten minutes.
    pub fn modify(&mut self, name: &str, body: &Value, now: u64) -> Result<Value, Status> {
        let (ids, seconds) = request::acknowledgement(body)?;
        for message in &mut self.subscription(name)?.messages {
            if message.ack_id.as_ref().is_some_and(|id| ids.contains(id)) {
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

fn not_found(name: &str) -> Status {
    Status::not_found(format!("Resource not found (resource={name})."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "projects/p/topics/topic";
    const SUBSCRIPTION: &str = "projects/p/subscriptions/subscription";

    fn queues() -> Queues {
        let mut queues = Queues::default();
        queues.add_topic(TOPIC).unwrap();
        queues
            .add_subscription(SUBSCRIPTION, &json!({"topic": TOPIC}))
            .unwrap();
        queues
            .publish(TOPIC, &json!({"messages": [{"data": "eA=="}]}), 0)
            .unwrap();
        queues
    }

    fn pull(queues: &mut Queues, now: u64) -> Option<Value> {
        let answer = queues
            .pull(SUBSCRIPTION, &json!({"maxMessages": 10}), now)
            .unwrap();
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
            .acknowledge(SUBSCRIPTION, &json!({"ackIds": [again["ackId"]]}))
            .unwrap();
        assert!(pull(&mut queues, 99).is_none());
    }

    #[test]
    fn what_is_given_back_comes_at_once() {
        let mut queues = queues();
        let first = pull(&mut queues, 0).unwrap();
        queues
            .modify(
                SUBSCRIPTION,
                &json!({"ackIds": [first["ackId"]], "ackDeadlineSeconds": 0}),
                1,
            )
            .unwrap();
        let again = pull(&mut queues, 1).unwrap();
        queues
            .acknowledge(SUBSCRIPTION, &json!({"ackIds": [first["ackId"]]}))
            .unwrap();
        assert!(pull(&mut queues, 99).is_some(), "an old ID has lapsed");
        assert_ne!(first["ackId"], again["ackId"]);
    }

    #[test]
    fn one_bad_message_publishes_none() {
        let mut queues = queues();
        let good = json!({"data": "eA=="});
        for bad in [
            json!("x"),
            json!({}),
            json!({"data": "no base64"}),
            json!({"attributes": {"n": 1}}),
            json!({"attributes": {"n": "x".repeat(1025)}}),
        ] {
            let body = json!({"messages": [good, bad]});
            let refused = queues.publish(TOPIC, &body, 0).unwrap_err();
            assert_eq!(refused.code, 400, "{bad}");
        }
        let ordered = json!({"messages": [{"data": "eA==", "orderingKey": "k"}]});
        assert_eq!(queues.publish(TOPIC, &ordered, 0).unwrap_err().code, 501);
        assert_eq!(queues.published, 1);
        queues
            .publish(TOPIC, &json!({"messages": [good]}), 0)
            .unwrap();
        assert_eq!(queues.published, 2);
    }

    #[test]
    fn deadlines_are_ten_seconds_to_ten_minutes() {
        let mut queues = queues();
        let name = |id: usize| format!("projects/p/subscriptions/deadline{id}");
        let body = |seconds: Value| json!({"topic": TOPIC, "ackDeadlineSeconds": seconds});
        let right = [(json!(0), 10), (json!("600"), 600), (json!(10), 10)];
        for (id, (seconds, expected)) in right.into_iter().enumerate() {
            let made = queues.add_subscription(&name(id), &body(seconds)).unwrap();
            assert_eq!(made["ackDeadlineSeconds"], expected);
        }
        for seconds in [json!(1), json!(601), json!(-1), json!(u64::MAX), json!("x")] {
            let refused = queues.add_subscription(&name(9), &body(seconds.clone()));
            assert_eq!(refused.unwrap_err().code, 400, "{seconds}");
        }
        let filtered = json!({"topic": TOPIC, "filter": "attributes:a"});
        let refused = queues.add_subscription(&name(9), &filtered);
        assert_eq!(refused.unwrap_err().code, 501);
    }

    #[test]
    fn names_are_googles() {
        let mut queues = queues();
        for id in ["topics", "a-._~+%", &"a".repeat(255)] {
            assert!(queues.add_topic(&format!("projects/p/topics/{id}")).is_ok());
        }
        for bad in [
            "projects/p/topics",
            "projects/p/topics/",
            "projects/p/topics/ab",
            "projects/p/topics/1topic",
            "projects/p/topics/google",
            "projects/p/topics/a space",
            "projects/p/topics/a/b",
            "projects/p/subscriptions/topic",
        ] {
            assert_eq!(queues.add_topic(bad).unwrap_err().code, 400, "{bad}");
        }
    }

    #[test]
    fn nothing_acknowledged_is_refused() {
        let none = json!({"ackIds": []});
        assert_eq!(
            queues().acknowledge(SUBSCRIPTION, &none).unwrap_err().code,
            400
        );
        let body = json!({"ackIds": [1]});
        assert_eq!(
            queues().acknowledge(SUBSCRIPTION, &body).unwrap_err().code,
            400
        );
    }
}
