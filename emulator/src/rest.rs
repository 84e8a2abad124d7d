//! The services over HTTP, as Google's REST interfaces have them. What a request means is read here, what
//! is done about it in `services`.

mod answer;
pub mod attestation;
mod call;
pub mod iam;
pub mod kms;
pub mod oauth;
mod policy;
pub mod protojson;
pub mod pubsub;
mod routes;
