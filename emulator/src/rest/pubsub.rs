//! Pub/Sub v1.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::policy;
use super::protojson::{self, Integer};
use super::routes::routes;
use crate::clock;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::pubsub::{Delivered, Message, PubSub, Received, Resource, Subscription};
use crate::status::Status;

/// The body of a request to create a subscription.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSubscription {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    ack_deadline_seconds: Integer,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Publish {
    #[serde(default)]
    messages: Vec<Published>,
}

/// A message in a request to publish.
#[derive(Debug, Deserialize)]
struct Published {
    #[serde(default)]
    data: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Numbers {
    max_messages: Integer,
    ack_ids: Vec<String>,
    ack_deadline_seconds: Integer,
}

/// The routes of Pub/Sub v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::PubSub)?;
    let (pubsub, name) = (&services.pubsub, call.resource.as_str());
    let kind = name.split('/').nth(2).unwrap_or_default();
    match (call.method.as_str(), kind, call.verb.as_str()) {
        ("PUT", "topics", "") => {
            pubsub.create_topic(context, name)?;
            Ok(json!({"name": name}))
        }
        ("PUT", "subscriptions", "") => {
            let made = pubsub.create_subscription(context, &subscription(call)?)?;
            Ok(described(Resource::Subscription(made)))
        }
        ("GET", "topics" | "subscriptions", "") => Ok(described(pubsub.get(context, name)?)),
        ("GET", "topics" | "subscriptions", "getIamPolicy") => {
            policy::answer(&pubsub.policy(context, name, policy::version(call)?)?)
        }
        ("POST", "topics" | "subscriptions", "setIamPolicy") => {
            policy::answer(&pubsub.set_policy(context, name, policy::change(call)?)?)
        }
        ("POST", "topics", "publish") => {
            let ids = pubsub.publish(context, name, messages(call)?)?;
            Ok(json!({"messageIds": ids}))
        }
        ("POST", "subscriptions", _) => deliver(pubsub, context, call),
        _ => Err(call.unknown()),
    }
}

fn deliver(pubsub: &PubSub, context: &Context, call: &Call) -> Result<Value, Status> {
    let name = call.resource.as_str();
    let asked = || call.body_or_empty::<Numbers>();
    match call.verb.as_str() {
        "pull" => {
            let received = pubsub.pull(context, name, asked()?.max_messages.0)?;
            let received: Vec<_> = received.into_iter().map(delivery).collect();
            Ok(match received.is_empty() {
                true => json!({}),
                false => json!({"receivedMessages": received}),
            })
        }
        "acknowledge" => {
            pubsub.acknowledge(context, name, &asked()?.ack_ids)?;
            Ok(json!({}))
        }
        "modifyAckDeadline" => {
            let asked = asked()?;
            let seconds = asked.ack_deadline_seconds.0;
            pubsub.modify_ack_deadline(context, name, &asked.ack_ids, seconds)?;
            Ok(json!({}))
        }
        _ => Err(call.unknown()),
    }
}

fn subscription(call: &Call) -> Result<Subscription, Status> {
    let mut asked: NewSubscription = call.body_or_empty()?;
    asked.rest.remove("name");
    refuse_rest(&asked.rest)?;
    Ok(Subscription {
        name: call.resource.clone(),
        topic: asked.topic,
        ack_deadline: asked.ack_deadline_seconds.0,
    })
}

fn described(resource: Resource) -> Value {
    match resource {
        Resource::Topic(name) => json!({"name": name}),
        Resource::Subscription(subscription) => json!({
            "name": subscription.name,
            "topic": subscription.topic,
            "ackDeadlineSeconds": subscription.ack_deadline,
        }),
    }
}

fn messages(call: &Call) -> Result<Vec<Message>, Status> {
    let Publish { messages } = call.body_or_empty()?;
    messages.into_iter().map(Published::message).collect()
}

impl Published {
    fn message(self) -> Result<Message, Status> {
        refuse_rest(&self.rest)?;
        let data = protojson::bytes(&self.data);
        Ok(Message {
            data: data.ok_or_else(|| Status::invalid("Invalid base64 in data."))?,
            attributes: self.attributes,
        })
    }
}

fn delivery(received: Received) -> Value {
    let Delivered {
        message,
        id,
        published,
    } = received.delivered;
    let mut written = json!({"messageId": id, "publishTime": clock::rfc3339(published)});
    if !message.data.is_empty() {
        written["data"] = STANDARD.encode(&message.data).into();
    }
    if !message.attributes.is_empty() {
        written["attributes"] = json!(message.attributes);
    }
    json!({
        "ackId": received.ack_id,
        "deliveryAttempt": received.attempt,
        "message": written,
    })
}

/// Refuses fields that this service does not emulate.
fn refuse_rest(rest: &BTreeMap<String, Value>) -> Result<(), Status> {
    match rest.iter().find(|(_, value)| !protojson::is_default(value)) {
        Some((name, _)) => Err(Status::unimplemented(format!(
            "The field {name} is not emulated."
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: Value) -> Call {
        let body = body.to_string();
        let path = "projects/project/topics/topic";
        let headers = axum::http::HeaderMap::new();
        Call::read("POST", path, BTreeMap::new(), &headers, body.as_bytes()).unwrap()
    }

    fn read(body: Value) -> Result<Vec<Message>, u16> {
        messages(&call(body)).map_err(|status| status.code)
    }

    #[test]
    fn reads_messages() {
        let read = |message: Value| read(json!({"messages": [message]}));
        let expected = Message {
            data: b"x".to_vec(),
            attributes: [("a".to_owned(), "b".to_owned())].into(),
        };
        let message = json!({"data": "eA==", "attributes": {"a": "b"}, "orderingKey": ""});
        assert_eq!(read(message), Ok(vec![expected]));
        for bad in [
            json!("x"),
            json!({"data": "no base64"}),
            json!({"attributes": {"n": 1}}),
        ] {
            assert_eq!(read(bad.clone()), Err(400), "{bad}");
        }
        let ordered = json!({"data": "eA==", "orderingKey": "k"});
        assert_eq!(read(ordered), Err(501));
    }

    #[test]
    fn reads_subscriptions() {
        let read = |body: Value| subscription(&call(body)).map_err(|status| status.code);
        for seconds in [json!(20), json!("20")] {
            let read = read(json!({"name": "n", "topic": "t", "ackDeadlineSeconds": seconds}));
            assert_eq!(read.unwrap().ack_deadline, 20);
        }
        for seconds in [json!(u64::MAX), json!("x")] {
            let read = read(json!({"topic": "t", "ackDeadlineSeconds": seconds}));
            assert_eq!(read, Err(400));
        }
        assert_eq!(
            read(json!({"topic": "t", "filter": "attributes:a"})),
            Err(501)
        );
    }
}
