//! What all parties agreed on before the image was built: the collaborators, their keys, and the
//! required signers. The terms are part of the image and so of its digest; nothing outside the image
//! can change them.

mod error;
mod late_binding;
mod messages;
mod parties;
mod services;

use serde::Deserialize;
use serde_json::Value;
use tee::Services;

use late_binding::{WireLateBinding, WireSigner};
use messages::WireMessages;
use parties::WireCollaborator;
use services::{WireAttestation, WireEndpoints};

pub use error::InvalidTerms;
pub use late_binding::{Given, LateBinding, Origin};
pub use messages::{Contributor, Messages};
pub use parties::Collaborator;

/// The largest size of the terms, in bytes.
const LIMIT: u64 = 1 << 20;

/// The agreement of all parties, as `terms.json` in the image states it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// The job's own part; only the job interprets it.
    pub job: Value,
    /// The parties whose keys and data are used, in the order in which tokens are exchanged.
    pub collaborators: Vec<Collaborator>,
    /// Whose signatures the image needs.
    pub late_binding: LateBinding,
    /// The addresses of the services.
    pub services: Services,
    /// The messages that the collaborators send, if they send any.
    pub messages: Option<Messages>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTerms {
    job: Value,
    #[serde(default, deserialize_with = "content::json::null_is_default")]
    collaborators: Vec<WireCollaborator>,
    signers: Vec<WireSigner>,
    late_binding: Option<WireLateBinding>,
    attestation: Option<WireAttestation>,
    endpoints: Option<WireEndpoints>,
    subscription: Option<String>,
    subscriber: Option<String>,
    deadline_seconds: Option<u64>,
}

impl Terms {
    /// Parses the terms from JSON.
    ///
    /// # Errors
    /// A field is unknown, missing, duplicated or invalid.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidTerms> {
        let wire: WireTerms = content::json::parse(bytes, LIMIT).map_err(InvalidTerms::of)?;
        let messages = WireMessages {
            subscription: wire.subscription,
            subscriber: wire.subscriber,
            deadline_seconds: wire.deadline_seconds,
        };
        let collaborators = parties::read(&wire.collaborators)?;
        let late_binding = wire.late_binding.unwrap_or_default();
        let late_binding = late_binding::read(wire.signers, late_binding)?;
        parties::all_sign(&collaborators, &late_binding.quorum)?;
        Ok(Self {
            messages: messages::read(messages, &wire.collaborators)?,
            services: services::read(wire.attestation, wire.endpoints.unwrap_or_default())?,
            job: wire.job,
            collaborators,
            late_binding,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use confidential::claims::DEFAULT_AUDIENCE;

    use super::error::LONGEST_WAIT;
    use super::*;

    const EXAMPLE: &str = include_str!("../terms.json");

    fn edited(from: &str, to: &str) -> Result<Terms, InvalidTerms> {
        assert!(EXAMPLE.contains(from), "{from}");
        Terms::parse(EXAMPLE.replacen(from, to, 1).as_bytes())
    }

    #[test]
    fn reads_the_example() {
        let terms = Terms::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(terms.collaborators.len(), 2);
        assert_eq!(terms.late_binding.quorum.threshold(), 3);
        assert_eq!(terms.late_binding.from, [Origin::Token]);
        assert_eq!(terms.messages.unwrap().subscriber, 0);
        assert_eq!(
            terms.services.kms.as_str(),
            "https://cloudkms.googleapis.com"
        );
    }

    #[test]
    fn refuses_unknown_missing_and_duplicate_fields() {
        for (from, to, reason) in [
            ("\"job\": \"count\",", "", "missing field `job`"),
            ("\"job\"", "\"extra\": 1, \"job\"", "unknown field `extra`"),
            (
                "\"job\"",
                "\"job\": \"count\", \"job\"",
                "key \"job\" appears twice",
            ),
            (
                "\"messages\": 1",
                "\"messages\": -1",
                "invalid value: integer `-1`",
            ),
        ] {
            let error = edited(from, to).err().unwrap().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn refuses_parties_that_share_an_identity() {
        let example = Terms::parse(EXAMPLE.as_bytes()).unwrap();
        let first = &example.collaborators[0];
        let twice = |text: &dyn Display| format!("\"{text}\" occurs twice");
        for (from, to, reason) in [
            (
                "\"name\": \"collaborator-2\"",
                "\"name\": \"collaborator-1\"",
                twice(&first.federation.party),
            ),
            (
                "https://collaborator-2.example",
                "https://collaborator-1.example",
                twice(&first.federation.audience),
            ),
            (
                "projects/1002",
                "projects/1001",
                twice(&first.federation.provider.audience()),
            ),
            (
                "projects/collaborator-2/locations",
                "projects/collaborator-1/locations",
                twice(first.kms_key.as_ref().unwrap()),
            ),
            (
                "https://collaborator-1.example/countersign",
                DEFAULT_AUDIENCE,
                format!("{DEFAULT_AUDIENCE:?} is the default audience of all tokens"),
            ),
            (
                "\"subscriber\": \"collaborator-1\"",
                "\"subscriber\": \"x\"",
                "subscriber \"x\" is not a collaborator".to_owned(),
            ),
            (
                "\"messages\": 1",
                "\"messages\": 0",
                "collaborator-1 sends no messages".to_owned(),
            ),
        ] {
            assert_eq!(edited(from, to).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn refuses_invalid_names_of_resources() {
        for (from, to) in [
            ("collaborator-1/locations", "../locations"),
            ("keyRings/ring", "keyRings//"),
            ("cryptoKeys/data", "cryptoKeys/data?x"),
            ("cryptoKeys/data", "cryptoKeys/data:encrypt"),
            ("cryptoKeys/data", "cryptoKeys/data/cryptoKeyVersions/1"),
            ("subscriptions/data", "subscriptions/data:pull"),
            ("subscriptions/data", "topics/data"),
        ] {
            let error = edited(from, to).unwrap_err().to_string();
            let is_refused = error.starts_with("invalid resource name: ");
            assert!(is_refused, "{to}: {error}");
        }
        for (from, to) in [
            ("//iam.googleapis.com", "//iam.example"),
            ("providers/attestation", "providers"),
            ("projects/1001", "projects/collaborator-1"),
        ] {
            let error = edited(from, to).unwrap_err().to_string();
            let is_refused = error.starts_with("invalid sts_audience \"//iam")
                && error.ends_with(
                    ": expected //iam.googleapis.com/projects/NUMBER/locations/global/\
                     workloadIdentityPools/POOL/providers/PROVIDER",
                );
            assert!(is_refused, "{to}: {error}");
        }
    }

    #[test]
    fn refuses_signers_that_leave_out_a_collaborator() {
        for (from, to, left_out) in [
            (
                "\"name\": \"collaborator-2\",\n      \"key_id\"",
                "\"name\": \"other\",\n      \"key_id\"",
                "collaborator-2",
            ),
            (
                "\"name\": \"collaborator-2\",\n      \"audience\"",
                "\"name\": \"other\",\n      \"audience\"",
                "other",
            ),
        ] {
            let expected = format!("collaborator {left_out:?} is not among the signers");
            assert_eq!(edited(from, to).unwrap_err().to_string(), expected);
        }
        let alone = edited(
            ",\n    {\n      \"name\": \"collaborator-2\",\n      \"key_id\": \"25f74d9def342ab7179d75010a5c68da770e3be6f6a4a44b8f06f9026fce4342\"\n    }",
            "",
        );
        let expected = "collaborator \"collaborator-2\" is not among the signers";
        assert_eq!(alone.unwrap_err().to_string(), expected);
    }

    #[test]
    fn refuses_deadlines_beyond_the_hold_of_a_message() {
        for seconds in ["0", "541", "3600"] {
            let terms = edited(
                "\"deadline_seconds\": 300",
                &format!("\"deadline_seconds\": {seconds}"),
            );
            assert_eq!(
                terms.unwrap_err().to_string(),
                format!("invalid deadline_seconds {seconds}: expected 1 to {LONGEST_WAIT}")
            );
        }
    }
}
