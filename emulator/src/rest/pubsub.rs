//! Pub/Sub v1.

mod message;

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::message::{
    Acknowledge, ModifyAckDeadline, Publish, Published, Pull, Topic, UpdateSubscription,
};
use super::call::Call;
use super::page::{Page, Sizes};
use super::policy;
use super::routes::routes;
use crate::clock;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::pubsub::{Delivered, Message, PubSub, Received, Resource, Subscription};
use crate::status::Status;

/// Resources per page (Pub/Sub v1, `ListTopicsRequest.page_size`).
const PAGE: Sizes = Sizes {
    default: 100,
    most: 1000,
};

/// The routes of Pub/Sub v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::PubSub)?;
    let (pubsub, name) = (&services.pubsub, call.resource.as_str());
    let parts: Vec<_> = name.split('/').collect();
    let kind = parts.get(2).copied().unwrap_or_default();
    if let ("GET", ["projects", _, "topics" | "subscriptions"] | [.., "subscriptions"]) =
        (call.method.as_str(), &parts[..])
    {
        return list(pubsub, context, call);
    }
    match (call.method.as_str(), kind, call.verb.as_str()) {
        ("PUT", "topics", "") => {
            call.message::<Topic>()?;
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
        ("DELETE", "topics" | "subscriptions", "") => {
            pubsub.delete(context, name)?;
            Ok(json!({}))
        }
        ("PATCH", "subscriptions", "") => {
            let changed = pubsub.set_ack_deadline(context, name, ack_deadline(call)?)?;
            Ok(described(Resource::Subscription(changed)))
        }
        ("POST", "topics" | "subscriptions", "testIamPermissions") => {
            let permitted = pubsub.permitted(context, name, &policy::asked(call)?);
            Ok(json!({"permissions": permitted}))
        }
        ("POST", "topics", "publish") => {
            let ids = pubsub.publish(context, name, messages(call)?)?;
            Ok(json!({"messageIds": ids}))
        }
        ("POST", "subscriptions", _) => deliver(pubsub, context, call),
        _ => Err(call.unknown()),
    }
}

/// Topics of a project, subscriptions of a project, or the names of those of a topic.
fn list(pubsub: &PubSub, context: &Context, call: &Call) -> Result<Value, Status> {
    let (parent, field) = call.resource.rsplit_once('/').unwrap_or_default();
    let page = Page::read(call, PAGE)?;
    let is_of_topic = parent.split('/').nth(2) == Some("topics");
    let all = match field {
        "topics" => {
            let found = pubsub.topics(context, parent)?.into_iter();
            let found = found.map(|name| (name.clone(), described(Resource::Topic(name))));
            found.collect()
        }
        _ if is_of_topic => {
            let found = pubsub.subscriptions_of(context, parent)?.into_iter();
            found
                .map(|one| (one.name.clone(), json!(one.name)))
                .collect()
        }
        _ => {
            let found = pubsub.subscriptions(context, parent)?.into_iter();
            let found = found.map(|one| (one.name.clone(), described(Resource::Subscription(one))));
            found.collect()
        }
    };
    let (found, next) = page.of(all);
    let found: Vec<_> = found.into_values().collect();
    Ok(json!({field: found, "nextPageToken": next}))
}

/// The only field of an update that is emulated.
fn ack_deadline(call: &Call) -> Result<i64, Status> {
    let asked: UpdateSubscription = call.message()?;
    match asked.update_mask.as_str() {
        "ackDeadlineSeconds" | "ack_deadline_seconds" => {
            Ok(asked.subscription.ack_deadline_seconds.into())
        }
        "" => Err(Status::invalid(
            "The update_mask in the UpdateSubscriptionRequest must be set.",
        )),
        other => Err(Status::unimplemented(format!(
            "An update of {other} is not emulated."
        ))),
    }
}

fn deliver(pubsub: &PubSub, context: &Context, call: &Call) -> Result<Value, Status> {
    let name = call.resource.as_str();
    match call.verb.as_str() {
        "pull" => {
            let Pull { max_messages, .. } = call.message()?;
            let received = pubsub.pull(context, name, max_messages.into())?;
            let received: Vec<_> = received.into_iter().map(delivery).collect();
            Ok(match received.is_empty() {
                true => json!({}),
                false => json!({"receivedMessages": received}),
            })
        }
        "acknowledge" => {
            let Acknowledge { ack_ids, .. } = call.message()?;
            pubsub.acknowledge(context, name, &ack_ids)?;
            Ok(json!({}))
        }
        "modifyAckDeadline" => {
            let asked: ModifyAckDeadline = call.message()?;
            let seconds = asked.ack_deadline_seconds.into();
            pubsub.modify_ack_deadline(context, name, &asked.ack_ids, seconds)?;
            Ok(json!({}))
        }
        _ => Err(call.unknown()),
    }
}

fn subscription(call: &Call) -> Result<Subscription, Status> {
    let asked: message::Subscription = call.message()?;
    Ok(Subscription {
        name: call.resource.clone(),
        topic: asked.topic,
        ack_deadline: asked.ack_deadline_seconds.into(),
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
    let Publish { messages, .. } = call.message()?;
    Ok(messages.into_iter().map(Published::message).collect())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(body: Value) -> Call {
        let body = body.to_string();
        let path = "projects/project/topics/topic";
        let headers = axum::http::HeaderMap::new();
        Call::read(
            "POST",
            ("v1", path),
            BTreeMap::new(),
            &headers,
            body.as_bytes(),
        )
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
            json!(["eA==", {}]),
            json!({"data": "eA==", "foo": 1}),
        ] {
            assert_eq!(read(bad.clone()), Err(400), "{bad}");
        }
        for name in ["orderingKey", "ordering_key"] {
            assert_eq!(read(json!({"data": "eA==", name: "k"})), Err(501));
        }
        assert_eq!(messages(&call(json!([[]]))).unwrap_err().code, 400);
    }

    #[test]
    fn reads_subscriptions() {
        let read = |body: Value| subscription(&call(body)).map_err(|status| status.code);
        for seconds in [json!(20), json!("20")] {
            let read = read(json!({"name": "n", "topic": "t", "ackDeadlineSeconds": seconds}));
            assert_eq!(read.unwrap().ack_deadline, 20);
        }
        for seconds in [json!(u64::MAX), json!(1_u64 << 40), json!("x")] {
            let read = read(json!({"topic": "t", "ackDeadlineSeconds": seconds}));
            assert_eq!(read, Err(400));
        }
        assert_eq!(
            read(json!({"topic": "t", "filter": "attributes:a"})),
            Err(501)
        );
        for other in [json!({"topic": "t", "foo": 1}), json!(["t", 10])] {
            assert_eq!(read(other.clone()), Err(400), "{other}");
        }
    }
}
