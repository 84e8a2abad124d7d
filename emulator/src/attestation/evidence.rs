//! Evidence (Confidential Computing v1, `VerifyConfidentialSpaceRequest`), as far as it is emulated.

use confidential::claims::DEFAULT_AUDIENCE;
use confidential::event_log::{self, Register};

use crate::status::Status;

/// The largest length of an audience, in bytes (Confidential Space, token options).
const AUDIENCE: usize = 512;
/// The allowed length of a nonce, in bytes (the same).
const NONCE: std::ops::RangeInclusive<usize> = 8..=88;
/// The largest number of nonces (the same).
const NONCES: usize = 6;

/// Evidence, with Google's fields and `instance`, which replaces what hardware and metadata prove.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The register that the events were measured into.
    pub register: Register,
    /// The canonical event log.
    pub event_log: Vec<u8>,
    /// All signatures that the launcher found.
    pub signatures: Vec<Signature>,
    /// The requested options of the token.
    pub options: Options,
    /// The virtual machine.
    pub instance: Instance,
}

/// A signature on the container's image, as stored in a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The payload in base64.
    pub payload: String,
    /// The signature in base64.
    pub signature: String,
}

/// The requested options of a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// The audience; if it is empty, the token has the default audience.
    pub audience: String,
    /// The nonces.
    pub nonces: Vec<String>,
}

/// The virtual machine. The fields are those of the claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// The ID of the operator's project.
    pub project_id: String,
    /// The number of the operator's project.
    pub project_number: String,
    /// The zone.
    pub zone: String,
    /// The name of the machine.
    pub name: String,
    /// The ID of the machine.
    pub id: String,
    /// The hardware model, `hwmodel`.
    pub hardware_model: String,
    /// The family of the machine image.
    pub image_family: Family,
    /// The addresses of the service accounts that the machine runs as.
    pub service_accounts: Vec<String>,
}

/// The family of the machine image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// The production image.
    Production,
    /// The debug image, which the operator can log in to.
    Debug,
}

impl Evidence {
    /// The launch that the measured events describe.
    pub(super) fn launch(&self) -> Result<event_log::Launch, Status> {
        let invalid = |error: confidential::Error| Status::invalid(error.to_string());
        let events = event_log::decode(&self.event_log, self.register).map_err(invalid)?;
        event_log::replay(&events).map_err(invalid)
    }
}

impl Options {
    /// Checks that a token can have these options.
    pub(super) fn check(&self) -> Result<(), Status> {
        if self.audience.len() > AUDIENCE || self.audience == DEFAULT_AUDIENCE {
            return Err(Status::invalid(format!(
                "A custom audience must have at most {AUDIENCE} bytes and must not be \
                 {DEFAULT_AUDIENCE}."
            )));
        }
        let is_wrong = |nonce: &String| !NONCE.contains(&nonce.len());
        if self.nonces.len() > NONCES || self.nonces.iter().any(is_wrong) {
            return Err(Status::invalid(
                "At most 6 nonces of 8 to 88 bytes are allowed.",
            ));
        }
        Ok(())
    }
}
