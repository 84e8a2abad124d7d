//! The services over HTTP, as Google's REST APIs. This module parses requests and writes answers;
//! `services` acts on them.

mod answer;
pub mod attestation;
mod call;
pub mod iam;
pub mod kms;
pub mod oauth;
mod page;
mod policy;
pub mod pubsub;
mod routes;
pub mod secret_manager;
pub mod storage;
pub mod writers;
