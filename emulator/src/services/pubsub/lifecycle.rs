//! Topics and subscriptions: listed, changed and deleted.

use super::{Context, PubSub, Queue, Resource, Subscription, check, kind, not_found};
use crate::status::Status;

/// What a subscription names as its topic once that was deleted (Pub/Sub v1, `Subscription.topic`).
const DELETED: &str = "_deleted-topic_";

impl PubSub {
    /// `ListTopics` of a project, `projects/P`.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn topics(&self, context: &Context, project: &str) -> Result<Vec<String>, Status> {
        self.demand(context, "topics.list", project)?;
        let prefix = format!("{project}/topics/");
        Ok(self.queues.look(|queues| {
            let all = queues.topics.iter();
            all.filter(|name| name.starts_with(&prefix))
                .cloned()
                .collect()
        }))
    }

    /// `ListSubscriptions` of a project, `projects/P`.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn subscriptions(
        &self,
        context: &Context,
        project: &str,
    ) -> Result<Vec<Subscription>, Status> {
        self.demand(context, "subscriptions.list", project)?;
        let prefix = format!("{project}/subscriptions/");
        Ok(self.found(|name, _| name.starts_with(&prefix)))
    }

    /// `ListTopicSubscriptions`.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such topic.
    pub fn subscriptions_of(
        &self,
        context: &Context,
        topic: &str,
    ) -> Result<Vec<Subscription>, Status> {
        self.demand(context, "topics.get", topic)?;
        self.find(topic)?;
        Ok(self.found(|_, queue| queue.topic == topic))
    }

    fn found(&self, is_asked: impl Fn(&str, &Queue) -> bool) -> Vec<Subscription> {
        self.queues.look(|queues| {
            let all = queues.subscriptions.iter();
            let asked = all.filter(|(name, queue)| is_asked(name, queue));
            asked.map(|(name, queue)| queue.describe(name)).collect()
        })
    }

    /// `UpdateSubscription`, of which the acknowledgement deadline is emulated.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such subscription, or the deadline is invalid.
    pub fn set_ack_deadline(
        &self,
        context: &Context,
        name: &str,
        seconds: i64,
    ) -> Result<Subscription, Status> {
        self.demand(context, "subscriptions.update", name)?;
        let seconds = check::ack_deadline(seconds)?;
        self.queues.change(|queues| {
            let queue = queues.queue(name)?;
            queue.ack_deadline = seconds;
            Ok(queue.describe(name))
        })
    }

    /// `DeleteTopic` and `DeleteSubscription`. The subscriptions of a deleted topic stay, with their messages.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such resource.
    pub fn delete(&self, context: &Context, name: &str) -> Result<(), Status> {
        self.demand(context, &format!("{}.delete", kind(name)), name)?;
        self.queues.change(|queues| {
            if queues.subscriptions.remove(name).is_some() {
                return Ok(());
            }
            if !queues.topics.remove(name) {
                return Err(not_found(name));
            }
            let subscriptions = queues.subscriptions.values_mut();
            for queue in subscriptions.filter(|queue| queue.topic == name) {
                DELETED.clone_into(&mut queue.topic);
            }
            Ok(())
        })?;
        // A new resource of this name has no policy.
        self.iam.forget_policy(name)
    }

    /// `TestIamPermissions`: those that the caller has. There are none on a resource that does not exist.
    pub fn permitted(&self, context: &Context, name: &str, asked: &[String]) -> Vec<String> {
        match self.find(name) {
            Ok(Resource::Topic(_) | Resource::Subscription(_)) => {
                self.iam.permitted(context, asked, &[name])
            }
            Err(_) => Vec::new(),
        }
    }
}
