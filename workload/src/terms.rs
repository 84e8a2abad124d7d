//! What all parties agreed on before the image was built: the collaborators, their keys, and the
//! required signers. The terms are part of the image and so of its digest; nothing outside the image
//! can change them.

mod address;
mod error;
mod parties;

use std::time::Duration;

use google::pubsub::Subscription;
use serde::Deserialize;
use serde_json::Value;

use error::LONGEST_WAIT;
use parties::{WireCollaborator, WireSigner, all_sign, read_collaborators, read_signers, text};

pub use address::Endpoint;
pub use error::InvalidTerms;
pub use parties::{Collaborator, Signer};

/// The largest size of the terms, in bytes.
const LIMIT: u64 = 1 << 20;
/// The agreement of all parties, as `terms.json` in the image states it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// The job's own part; only the job interprets it.
    pub job: Value,
    /// The parties that send data, in the order in which tokens are exchanged.
    pub collaborators: Vec<Collaborator>,
    /// The parties that must have signed the image.
    pub signers: Vec<Signer>,
    /// The issuer of attestation tokens.
    pub issuer: String,
    /// The address of the issuer's OpenID Connect discovery document.
    pub discovery: Endpoint,
    /// The addresses of the Google Cloud services.
    pub endpoints: Endpoints,
    /// The Pub/Sub subscription that delivers the data.
    pub subscription: Subscription,
    /// The index, in `collaborators`, of the collaborator whose federated token pulls the subscription.
    pub subscriber: usize,
    /// How long to wait for all the data.
    pub deadline: Duration,
}

/// The addresses of the Google Cloud services.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoints {
    /// Security Token Service.
    pub sts: Endpoint,
    /// Cloud KMS.
    pub kms: Endpoint,
    /// Pub/Sub.
    pub pubsub: Endpoint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTerms {
    job: Value,
    collaborators: Vec<WireCollaborator>,
    signers: Vec<WireSigner>,
    attestation: WireAttestation,
    endpoints: WireEndpoints,
    subscription: String,
    subscriber: String,
    deadline_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAttestation {
    issuer: String,
    discovery: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEndpoints {
    sts: String,
    kms: String,
    pubsub: String,
}

impl Terms {
    /// Parses the terms from JSON.
    ///
    /// # Errors
    /// A field is unknown, missing, duplicated or invalid.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidTerms> {
        let wire: WireTerms = content::json::parse(bytes, LIMIT).map_err(InvalidTerms::of)?;
        let collaborators = read_collaborators(wire.collaborators)?;
        let found = collaborators.iter().position(|c| c.name == wire.subscriber);
        let subscriber = found.ok_or_else(|| {
            InvalidTerms(format!(
                "subscriber {:?} is not a collaborator",
                wire.subscriber
            ))
        })?;
        if !(1..=LONGEST_WAIT).contains(&wire.deadline_seconds) {
            return Err(InvalidTerms(format!(
                "invalid deadline_seconds {}: expected 1 to {LONGEST_WAIT}",
                wire.deadline_seconds
            )));
        }
        let signers = read_signers(wire.signers)?;
        all_sign(&collaborators, &signers)?;
        Ok(Self {
            job: wire.job,
            collaborators,
            signers,
            issuer: text(wire.attestation.issuer)?,
            discovery: Endpoint::parse(&wire.attestation.discovery)?,
            endpoints: Endpoints {
                sts: Endpoint::parse(&wire.endpoints.sts)?,
                kms: Endpoint::parse(&wire.endpoints.kms)?,
                pubsub: Endpoint::parse(&wire.endpoints.pubsub)?,
            },
            subscription: wire.subscription.parse().map_err(InvalidTerms::resource)?,
            subscriber,
            deadline: Duration::from_secs(wire.deadline_seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use confidential::claims::DEFAULT_AUDIENCE;

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
        assert_eq!(terms.signers.len(), 3);
        assert_eq!(terms.subscriber, 0);
        assert_eq!(
            terms.endpoints.kms.as_str(),
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
                twice(&first.name),
            ),
            (
                "https://collaborator-2.example",
                "https://collaborator-1.example",
                twice(&first.audience),
            ),
            (
                "projects/1002",
                "projects/1001",
                twice(&first.provider.audience()),
            ),
            (
                "projects/collaborator-2/locations",
                "projects/collaborator-1/locations",
                twice(&first.kms_key),
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
