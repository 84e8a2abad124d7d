//! Verification of Sigstore bundles: signatures with certificates that name a person or a workload by
//! issuer and subject, and signatures with keys, each with the evidence of transparency logs and timestamp
//! authorities. The cryptography is that of `sigstore-verify`; this crate parses strictly, sets limits,
//! says which check refused, and adds the checks that are missing there. It uses no network and no clock of
//! its own: the time and the trusted root are arguments.
#![forbid(unsafe_code)]

mod algorithm;
mod artifact;
mod bundle;
mod certificate;
mod identity;
mod legacy;
mod logs;
mod period;
mod refusal;
mod root;
pub mod signing;
mod statement;
pub mod update;
mod verify;

pub use artifact::{Artifact, InvalidDigest};
pub use bundle::{Bundle, is_certified};
pub use identity::{InvalidPattern, Pattern, Signer, Subject, Trusted};
pub use legacy::{Annotations, attestation, signature};
pub use refusal::{Reason, Refusal};
pub use root::{PRODUCTION, STAGING, TrustRoot};
pub use verify::{Verified, verify_key, verify_keyless};
