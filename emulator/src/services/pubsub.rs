//! Pub/Sub v1: publish, pull, acknowledge. A message that is not acknowledged in time is delivered
//! again.

mod check;
mod lifecycle;
mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use google::pubsub as names;
use serde::{Deserialize, Serialize};

pub use self::message::{Delivered, Message, Received, Resource, Subscription};
use super::Context;
use super::iam::{Change, Iam, Policy};
use crate::random;
use crate::state::Stored;
use crate::status::Status;

/// Pub/Sub.
pub struct PubSub {
    queues: Stored<Queues>,
    iam: Arc<Iam>,
}

/// Topics and subscriptions by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Queues {
    topics: BTreeSet<String>,
    subscriptions: BTreeMap<String, Queue>,
    published: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Queue {
    topic: String,
    ack_deadline: u64,
    messages: Vec<Queued>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Queued {
    delivered: Delivered,
    attempts: u64,
    ack_id: Option<String>,
    visible_from: u64,
}

impl PubSub {
    /// A service with these topics and subscriptions.
    pub fn new(queues: Stored<Queues>, iam: Arc<Iam>) -> Self {
        Self { queues, iam }
    }

    /// `CreateTopic`.
    ///
    /// # Errors
    /// The caller lacks the permission, the topic exists already, or its name is invalid.
    pub fn create_topic(&self, context: &Context, name: &str) -> Result<(), Status> {
        self.demand(context, "topics.create", name)?;
        check::name::<names::Topic>(name)?;
        let is_new = |queues: &mut Queues| match queues.topics.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(exists(name)),
        };
        self.queues.change(is_new)
    }

    /// `CreateSubscription`; the subscription receives messages that are published afterwards.
    ///
    /// # Errors
    /// The caller lacks the permission, the subscription exists already, the topic does not exist, or the
    /// request is invalid.
    pub fn create_subscription(
        &self,
        context: &Context,
        request: &Subscription,
    ) -> Result<Subscription, Status> {
        let Subscription {
            name,
            topic,
            ack_deadline,
        } = request;
        self.demand(context, "subscriptions.create", name)?;
        // The owner of a subscription reads what others publish to the topic.
        self.demand(context, "topics.attachSubscription", topic)?;
        check::name::<names::Subscription>(name)?;
        check::name::<names::Topic>(topic)?;
        let ack_deadline = check::ack_deadline(*ack_deadline)?;
        let queue = Queue {
            topic: topic.clone(),
            ack_deadline,
            messages: Vec::new(),
        };
        let made = queue.describe(name);
        self.queues.change(|queues| {
            if !queues.topics.contains(topic) {
                return Err(not_found(topic));
            }
            if queues.subscriptions.contains_key(name) {
                return Err(exists(name));
            }
            queues.subscriptions.insert(name.clone(), queue);
            Ok(made)
        })
    }

    /// `GetTopic` and `GetSubscription`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the resource does not exist.
    pub fn get(&self, context: &Context, name: &str) -> Result<Resource, Status> {
        self.demand(context, &format!("{}.get", kind(name)), name)?;
        self.find(name)
    }

    /// `Publish`; returns the IDs of the messages.
    ///
    /// # Errors
    /// The caller lacks the permission, the topic does not exist, there is no message, or a message is
    /// invalid. Then no message is published.
    pub fn publish(
        &self,
        context: &Context,
        topic: &str,
        messages: Vec<Message>,
    ) -> Result<Vec<String>, Status> {
        self.demand(context, "topics.publish", topic)?;
        self.queues.change(|queues| {
            if !queues.topics.contains(topic) {
                return Err(not_found(topic));
            }
            check::messages(&messages)?;
            let publish = |message| queues.publish(topic, message, context.now);
            Ok(messages.into_iter().map(publish).collect())
        })
    }

    /// `Pull`, which does not wait for messages.
    ///
    /// # Errors
    /// The caller lacks the permission, the subscription does not exist, or the number is not positive.
    pub fn pull(&self, context: &Context, name: &str, most: i64) -> Result<Vec<Received>, Status> {
        self.demand(context, "subscriptions.consume", name)?;
        self.queues.change(|queues| {
            let queue = queues.queue(name)?;
            queue.pull(check::most(most)?, context.now)
        })
    }

    /// `Acknowledge`; expired IDs are ignored.
    ///
    /// # Errors
    /// The caller lacks the permission, the subscription does not exist, or there is no ID.
    pub fn acknowledge(
        &self,
        context: &Context,
        name: &str,
        ack_ids: &[String],
    ) -> Result<(), Status> {
        self.demand(context, "subscriptions.consume", name)?;
        check::ack_ids(ack_ids)?;
        self.queues.change(|queues| {
            let messages = &mut queues.queue(name)?.messages;
            messages.retain(|message| !message.is_named(ack_ids));
            Ok(())
        })
    }

    /// `ModifyAckDeadline`; a message with 0 seconds can be delivered again immediately.
    ///
    /// # Errors
    /// The caller lacks the permission, the subscription does not exist, there is no ID, or the deadline
    /// is negative or longer than 600 seconds.
    pub fn modify_ack_deadline(
        &self,
        context: &Context,
        name: &str,
        ack_ids: &[String],
        seconds: i64,
    ) -> Result<(), Status> {
        self.demand(context, "subscriptions.consume", name)?;
        check::ack_ids(ack_ids)?;
        let seconds = check::deadline(seconds)?;
        self.queues.change(|queues| {
            let messages = queues.queue(name)?.messages.iter_mut();
            for message in messages.filter(|message| message.is_named(ack_ids)) {
                message.visible_from = context.now + seconds;
            }
            Ok(())
        })
    }

    /// `GetIamPolicy` of a topic or subscription.
    ///
    /// # Errors
    /// The caller lacks the permission, or the resource or the policy version does not exist.
    pub fn policy(&self, context: &Context, name: &str, version: u32) -> Result<Policy, Status> {
        self.demand(context, &format!("{}.getIamPolicy", kind(name)), name)?;
        self.find(name)?;
        self.iam.policy(name, version)
    }

    /// `SetIamPolicy` of a topic or subscription.
    ///
    /// # Errors
    /// The caller lacks the permission, the resource does not exist, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        name: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        self.demand(context, &format!("{}.setIamPolicy", kind(name)), name)?;
        self.find(name)?;
        self.iam.set_policy(name, change)
    }

    fn demand(&self, context: &Context, permission: &str, name: &str) -> Result<(), Status> {
        let permission = format!("pubsub.{permission}");
        self.iam.demand(context, &permission, &[name])
    }

    fn find(&self, name: &str) -> Result<Resource, Status> {
        let found = self
            .queues
            .look(|queues| match queues.subscriptions.get(name) {
                Some(queue) => Some(Resource::Subscription(queue.describe(name))),
                None => queues.topics.get(name).cloned().map(Resource::Topic),
            });
        found.ok_or_else(|| not_found(name))
    }
}

impl Queues {
    fn publish(&mut self, topic: &str, message: Message, now: u64) -> String {
        self.published += 1;
        let id = self.published.to_string();
        let delivered = Delivered {
            message,
            id: id.clone(),
            published: now,
        };
        for queue in self.subscriptions.values_mut().filter(|q| q.topic == topic) {
            queue.messages.push(Queued {
                delivered: delivered.clone(),
                attempts: 0,
                ack_id: None,
                visible_from: 0,
            });
        }
        id
    }

    fn queue(&mut self, name: &str) -> Result<&mut Queue, Status> {
        let queue = self.subscriptions.get_mut(name);
        queue.ok_or_else(|| not_found(name))
    }
}

impl Queue {
    fn describe(&self, name: &str) -> Subscription {
        Subscription {
            name: name.to_owned(),
            topic: self.topic.clone(),
            ack_deadline: self.ack_deadline.try_into().unwrap_or(i64::MAX),
        }
    }

    fn pull(&mut self, most: usize, now: u64) -> Result<Vec<Received>, Status> {
        let deadline = now + self.ack_deadline;
        let visible = self.messages.iter_mut().filter(|m| m.visible_from <= now);
        let deliver = |message: &mut Queued| {
            let ack_id = random::text().map_err(|_| Status::internal())?;
            message.attempts += 1;
            message.visible_from = deadline;
            message.ack_id = Some(ack_id.clone());
            Ok(Received {
                ack_id,
                attempt: message.attempts,
                delivered: message.delivered.clone(),
            })
        };
        visible.take(most).map(deliver).collect()
    }
}

impl Queued {
    fn is_named(&self, ack_ids: &[String]) -> bool {
        self.ack_id.as_ref().is_some_and(|id| ack_ids.contains(id))
    }
}

fn kind(name: &str) -> &str {
    name.split('/').nth(2).unwrap_or_default()
}

fn not_found(name: &str) -> Status {
    Status::not_found(format!("Resource not found (resource={name})."))
}

fn exists(name: &str) -> Status {
    Status::exists(format!(
        "Resource already exists in the project (resource={name})."
    ))
}

#[cfg(test)]
mod tests;
