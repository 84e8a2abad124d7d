//! Confidential Space and the parts of Google Cloud around it, on loopback, for rehearsal and tests.

pub mod attestation;
pub mod clock;
pub mod error;
pub mod launch;
pub mod legacy_error;
pub mod location;
pub mod machine;
pub mod oauth;
pub mod project;
pub mod protojson;
pub mod random;
pub mod registry;
pub mod rest;
pub mod serve;
pub mod services;
pub mod state;
pub mod status;
