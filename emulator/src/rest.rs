//! The services over HTTP, as Google's REST APIs. This module parses requests and writes answers;
//! `services` acts on them.

mod answer;
pub mod artifact_registry;
pub mod attestation;
mod call;
pub mod compute;
pub mod iam;
pub mod kms;
pub mod logging;
pub mod oauth;
mod page;
mod policy;
pub mod pubsub;
pub mod resource_manager;
mod routes;
pub mod secret_manager;
pub mod storage;
