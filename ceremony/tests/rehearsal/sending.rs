//! What `client publish` needs: a provider, policies of key and ring, a topic, and a subscription to look into.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{EARLIER, PROJECT, Rehearsal, Release, must, program, ring};
use crate::cloud;

/// Topic and subscription.
pub const TOPIC: &str = "projects/collaborator/topics/data";
const SUBSCRIPTION: &str = "projects/collaborator/subscriptions/data";

impl Rehearsal {
    /// The URL of IAM.
    pub fn iam(&self) -> &str {
        &self.endpoints.iam
    }

    /// The URL of Resource Manager.
    pub fn resource_manager(&self) -> &str {
        &self.endpoints.resource_manager
    }

    /// The URL of Pub/Sub.
    pub fn pubsub(&self) -> &str {
        &self.endpoints.pubsub
    }
}

impl Release<'_> {
    fn send(&self, service: &str, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{service}/v1/{path}");
        cloud::call(method, &url, &self.rehearsal.project().access_token, body).unwrap()
    }

    /// The name of a pool of the collaborator.
    pub fn pool_named(&self, id: &str) -> String {
        let pool = self.pool();
        let (parent, _) = pool.rsplit_once('/').unwrap();
        format!("{parent}/{id}")
    }

    /// The member that includes the workloads of a pool that run an image.
    pub fn member_of(&self, pool: &str, digest: &content::Digest) -> String {
        format!("principalSet://iam.googleapis.com/{pool}/attribute.image_digest/{digest}")
    }

    /// A grant to a pool with a provider, for a project with one owner.
    pub fn grant_to(&self, pool: &str) -> PathBuf {
        let text = format!(
            "key = {:?}\nrole = {:?}\npool = {pool:?}\nother_members = [{EARLIER:?}]\n\n[provider]\nproject = {PROJECT:?}\nid = \"attest\"\n\
             audience = \"https://collaborator.example/countersign\"\nhardware = [\"INTEL_TDX\"]\n\
             operators = [\"operator\"]\n",
            self.data_key(),
            cloud::DECRYPTER,
        );
        let (_, id) = pool.rsplit_once('/').unwrap();
        self.write(&format!("grant-{id}"), &text)
    }

    /// The provider that a grant describes, as `verifier provider` prints it.
    pub fn provider_of(&self, grant: &PathBuf) -> Value {
        let mut provider = program("verifier");
        provider.args(["provider", "--format", "iam", "--grant"]);
        serde_json::from_str(&must(with(provider, grant))).unwrap()
    }

    /// Creates a pool.
    pub fn create_pool(&self, id: &str) {
        let parent = format!("projects/{PROJECT}/locations/global/workloadIdentityPools");
        let path = format!("{parent}?workloadIdentityPoolId={id}");
        self.send(&self.rehearsal.endpoints.iam, "POST", &path, &json!({}));
    }

    /// Creates a provider in a pool.
    pub fn create_provider(&self, pool: &str, id: &str, body: &Value) {
        let path = format!("{pool}/providers?workloadIdentityPoolProviderId={id}");
        self.send(&self.rehearsal.endpoints.iam, "POST", &path, body);
    }

    fn set_policy(&self, resource: &str, bindings: &Value) {
        let kms = &self.rehearsal.endpoints.kms;
        let policy = self.send(
            kms,
            "GET",
            &format!("{resource}:getIamPolicy"),
            &Value::Null,
        );
        let policy = json!({"version": 3, "etag": policy["etag"], "bindings": bindings});
        let path = format!("{resource}:setIamPolicy");
        self.send(kms, "POST", &path, &json!({"policy": policy}));
    }

    /// Replaces the policy of the data key.
    pub fn set_key_policy(&self, bindings: &Value) {
        self.set_policy(&self.data_key(), bindings);
    }

    /// Replaces the policy of the key ring.
    pub fn set_ring_policy(&self, bindings: &Value) {
        self.set_policy(&ring(), bindings);
    }

    /// Creates topic and subscription.
    pub fn create_topic(&self) {
        let pubsub = &self.rehearsal.endpoints.pubsub;
        self.send(pubsub, "PUT", TOPIC, &json!({}));
        self.send(pubsub, "PUT", SUBSCRIPTION, &json!({"topic": TOPIC}));
    }

    /// Takes all messages out of the subscription.
    pub fn take_messages(&self) -> Vec<Value> {
        let pubsub = &self.rehearsal.endpoints.pubsub;
        let pull = json!({"maxMessages": 100, "returnImmediately": true});
        let answer = self.send(pubsub, "POST", &format!("{SUBSCRIPTION}:pull"), &pull);
        let received = answer["receivedMessages"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let ids: Vec<_> = received.iter().map(|one| one["ackId"].clone()).collect();
        if !ids.is_empty() {
            let path = format!("{SUBSCRIPTION}:acknowledge");
            self.send(pubsub, "POST", &path, &json!({"ackIds": ids}));
        }
        received.iter().map(|one| one["message"].clone()).collect()
    }

    /// Decrypts with the data key, as its owner can.
    pub fn decrypt(&self, ciphertext: &Value, associated: &str) -> Value {
        let body = json!({"ciphertext": ciphertext, "additionalAuthenticatedData": associated});
        let path = format!("{}:decrypt", self.data_key());
        self.send(&self.rehearsal.endpoints.kms, "POST", &path, &body)
    }

    /// The collaborator's command to send a file to workloads that run the image.
    pub fn client(&self, grant: &PathBuf, file: &str) -> Command {
        self.client_to(TOPIC, grant, file)
    }

    /// The same, to another topic.
    pub fn client_to(&self, topic: &str, grant: &PathBuf, file: &str) -> Command {
        let endpoints = &self.rehearsal.endpoints;
        let mut command = program("client");
        command.args(["publish", "--digest", &self.reference(), "--topic", topic]);
        command.args(["--collaborator", "collaborator", "--json"]);
        command.args([
            "--kms-endpoint",
            &endpoints.kms,
            "--iam-endpoint",
            &endpoints.iam,
        ]);
        let above = &endpoints.resource_manager;
        command.args(["--resource-manager-endpoint", above]);
        command.args(["--pubsub-endpoint", &endpoints.pubsub, "--grant"]);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", self.credentials());
        let mut command = with(command, grant);
        command.arg(self.rehearsal.path(file));
        command
    }

    /// The image's digest.
    pub fn digest(&self) -> &content::Digest {
        &self.rehearsal.digest
    }
}

fn with(mut command: Command, argument: &PathBuf) -> Command {
    command.arg(argument);
    command
}
