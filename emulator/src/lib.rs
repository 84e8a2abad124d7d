//! Confidential Space and the parts of Google Cloud around it, on loopback, for rehearsal and tests.

pub mod accounts;
pub mod attestation;
pub mod cel;
pub mod clock;
pub mod cloud;
pub mod iam;
pub mod kms;
pub mod launch;
pub mod location;
pub mod oauth;
pub mod project;
pub mod protojson;
pub mod pubsub;
pub mod random;
pub mod registry;
pub mod serve;
pub mod status;
pub mod sts;
