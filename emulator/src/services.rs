//! Google's services without HTTP.

pub mod accounts;
pub mod iam;
pub mod kms;
pub mod pubsub;
pub mod sts;
