//! Confidential Space and the parts of Google Cloud around it, on loopback, for rehearsal and tests.

pub mod registry;
