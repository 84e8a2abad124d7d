//! Bodies of requests (google/pubsub/v1/pubsub.proto).

use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::Deserialize;
use serde_json::Value;

use crate::protojson::{Bytes, Enumeration, Ignored, NotEmulated, Object, integer};
use crate::services::pubsub::Message;

type Labels = BTreeMap<String, String>;

/// `Topic`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Topic {
    name: Ignored<String>,
    labels: Ignored<Labels>,
    #[serde(alias = "message_storage_policy")]
    message_storage_policy: NotEmulated<Object>,
    #[serde(alias = "kms_key_name")]
    kms_key_name: NotEmulated<String>,
    #[serde(alias = "schema_settings")]
    schema_settings: NotEmulated<Object>,
    #[serde(alias = "satisfies_pzs")]
    satisfies_pzs: Ignored<bool>,
    #[serde(alias = "message_retention_duration")]
    message_retention_duration: NotEmulated<String>,
    state: Ignored<Enumeration>,
    #[serde(alias = "ingestion_data_source_settings")]
    ingestion_data_source_settings: NotEmulated<Object>,
    #[serde(alias = "message_transforms")]
    message_transforms: NotEmulated<Vec<Value>>,
    tags: NotEmulated<Labels>,
}

/// `UpdateSubscriptionRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct UpdateSubscription {
    #[serde(deserialize_with = "null_is_default")]
    pub(super) subscription: Subscription,
    #[serde(alias = "update_mask", deserialize_with = "null_is_default")]
    pub(super) update_mask: String,
}

/// `Subscription`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Subscription {
    name: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) topic: String,
    #[serde(alias = "push_config")]
    push_config: NotEmulated<Object>,
    #[serde(alias = "bigquery_config")]
    bigquery_config: NotEmulated<Object>,
    #[serde(alias = "cloud_storage_config")]
    cloud_storage_config: NotEmulated<Object>,
    #[serde(alias = "bigtable_config")]
    bigtable_config: NotEmulated<Object>,
    #[serde(alias = "ack_deadline_seconds", deserialize_with = "integer")]
    pub(super) ack_deadline_seconds: i32,
    #[serde(alias = "retain_acked_messages")]
    retain_acked_messages: NotEmulated<bool>,
    #[serde(alias = "message_retention_duration")]
    message_retention_duration: NotEmulated<String>,
    labels: Ignored<Labels>,
    #[serde(alias = "enable_message_ordering")]
    enable_message_ordering: NotEmulated<bool>,
    #[serde(alias = "expiration_policy")]
    expiration_policy: NotEmulated<Object>,
    filter: NotEmulated<String>,
    #[serde(alias = "dead_letter_policy")]
    dead_letter_policy: NotEmulated<Object>,
    #[serde(alias = "retry_policy")]
    retry_policy: NotEmulated<Object>,
    detached: NotEmulated<bool>,
    #[serde(alias = "enable_exactly_once_delivery")]
    enable_exactly_once_delivery: NotEmulated<bool>,
    #[serde(alias = "topic_message_retention_duration")]
    topic_message_retention_duration: Ignored<String>,
    state: Ignored<Enumeration>,
    #[serde(alias = "analytics_hub_subscription_info")]
    analytics_hub_subscription_info: Ignored<Object>,
    #[serde(alias = "message_transforms")]
    message_transforms: NotEmulated<Vec<Value>>,
    tags: NotEmulated<Labels>,
}

/// `PublishRequest`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Publish {
    topic: Ignored<String>,
    pub(super) messages: Vec<Published>,
}

/// `PubsubMessage` in a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Published {
    data: Bytes,
    attributes: BTreeMap<String, String>,
    #[serde(alias = "message_id")]
    message_id: NotEmulated<String>,
    #[serde(alias = "publish_time")]
    publish_time: NotEmulated<String>,
    #[serde(alias = "ordering_key")]
    ordering_key: NotEmulated<String>,
}

impl Published {
    pub(super) fn message(self) -> Message {
        Message {
            data: self.data.0,
            attributes: self.attributes,
        }
    }
}

/// `PullRequest`. The emulator always answers immediately.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Pull {
    subscription: Ignored<String>,
    #[serde(alias = "return_immediately")]
    return_immediately: Ignored<bool>,
    #[serde(alias = "max_messages", deserialize_with = "integer")]
    pub(super) max_messages: i32,
}

/// `AcknowledgeRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Acknowledge {
    subscription: Ignored<String>,
    #[serde(alias = "ack_ids")]
    pub(super) ack_ids: Vec<String>,
}

/// `ModifyAckDeadlineRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct ModifyAckDeadline {
    subscription: Ignored<String>,
    #[serde(alias = "ack_ids")]
    pub(super) ack_ids: Vec<String>,
    #[serde(alias = "ack_deadline_seconds", deserialize_with = "integer")]
    pub(super) ack_deadline_seconds: i32,
}
