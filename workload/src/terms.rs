//! What all parties agreed on before the image was built: the collaborators, their keys, and the
//! required signers. The terms are part of the image and so of its digest; nothing outside the image
//! can change them.

mod address;

use std::collections::BTreeSet;
use std::time::Duration;

use confidential::claims::DEFAULT_AUDIENCE;
use content::json::JsonError;
use content::{Digest, InvalidDigest};
use google::InvalidName;
use google::identity::Provider;
use google::kms::Key;
use google::pubsub::Subscription;
use serde::Deserialize;
use serde_json::Value;

pub use address::Endpoint;

/// The largest size of the terms, in bytes.
const LIMIT: u64 = 1 << 20;
/// The largest length of a name, or an audience, in bytes (Google limits an audience to 512).
const TEXT_LIMIT: usize = 512;
/// The longest wait for data, in seconds. A message is held that long, plus a margin for decrypting,
/// and Pub/Sub holds a message for 600 seconds at most.
const LONGEST_WAIT: u64 = 540;

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

/// A party that sends data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collaborator {
    /// The name, as messages use it too.
    pub name: String,
    /// The audience of attestation tokens for this collaborator, and for no other.
    pub audience: String,
    /// This collaborator's identity provider, which is the audience at STS.
    pub provider: Provider,
    /// The Cloud KMS key that this collaborator encrypts with.
    pub kms_key: Key,
    /// The number of messages that this collaborator sends.
    pub messages: u32,
}

/// A party that must have signed the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    /// The name of the party.
    pub name: String,
    /// The SHA-256 of the public key (DER, SubjectPublicKeyInfo).
    pub key: Digest,
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

/// Why terms are invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTerms {
    /// Not JSON, or not with the fields of terms.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The job does not accept its part of the terms.
    #[error(transparent)]
    Job(Box<dyn std::error::Error + Send + Sync>),
    /// Text that is empty, longer than 512 bytes, or contains control characters.
    #[error("invalid name {0:?}")]
    Text(String),
    /// Not the name of a key or a subscription.
    #[error("invalid resource name: {0}")]
    Resource(#[from] InvalidName),
    /// Not the full name of an identity provider.
    #[error(
        "invalid sts_audience {0:?}: expected //iam.googleapis.com/projects/NUMBER/locations/global/\
         workloadIdentityPools/POOL/providers/PROVIDER"
    )]
    Provider(String),
    /// An address that tokens must not be sent to.
    #[error("invalid address {0:?}: expected https, or http to a loopback address")]
    Endpoint(String),
    /// A key identifier that is not a SHA-256 digest in hex.
    #[error("signer {name}: {source}")]
    Key {
        /// The name of the signer.
        name: String,
        /// Why the digest is invalid.
        source: InvalidDigest,
    },
    /// A name, audience, provider or key that must be unique occurs twice.
    #[error("{0:?} occurs twice")]
    Duplicate(String),
    /// The default audience of attestation tokens, which cannot belong to one collaborator.
    #[error("{0:?} is the default audience of all tokens")]
    Audience(String),
    /// No collaborator, or no signer.
    #[error("no {0} is named")]
    Empty(&'static str),
    /// A collaborator that is not among the signers, so that its signature would not be required.
    #[error("collaborator {0:?} is not among the signers")]
    NotSigner(String),
    /// A collaborator with zero messages.
    #[error("{0} sends no messages")]
    Messages(String),
    /// A subscriber that is not a collaborator.
    #[error("subscriber {0:?} is not a collaborator")]
    Subscriber(String),
    /// A deadline that is zero or too long, in seconds.
    #[error("invalid deadline_seconds {0}: expected 1 to {LONGEST_WAIT}")]
    Deadline(u64),
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
struct WireCollaborator {
    name: String,
    audience: String,
    sts_audience: String,
    kms_key: String,
    messages: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSigner {
    name: String,
    key_id: String,
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
        let wire: WireTerms = content::json::parse(bytes, LIMIT)?;
        let collaborators = read_collaborators(wire.collaborators)?;
        let found = collaborators.iter().position(|c| c.name == wire.subscriber);
        let subscriber = found.ok_or(InvalidTerms::Subscriber(wire.subscriber))?;
        if !(1..=LONGEST_WAIT).contains(&wire.deadline_seconds) {
            return Err(InvalidTerms::Deadline(wire.deadline_seconds));
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
            subscription: wire.subscription.parse()?,
            subscriber,
            deadline: Duration::from_secs(wire.deadline_seconds),
        })
    }
}

fn read_collaborators(wire: Vec<WireCollaborator>) -> Result<Vec<Collaborator>, InvalidTerms> {
    let mut own = BTreeSet::new();
    let read = |wire: WireCollaborator| {
        once(&mut own, &wire.name)?;
        once(&mut own, &wire.audience)?;
        once(&mut own, &wire.sts_audience)?;
        once(&mut own, &wire.kms_key)?;
        match wire {
            WireCollaborator {
                name, messages: 0, ..
            } => Err(InvalidTerms::Messages(name)),
            WireCollaborator { audience, .. } if audience == DEFAULT_AUDIENCE => {
                Err(InvalidTerms::Audience(audience))
            }
            wire => Ok(Collaborator {
                name: text(wire.name)?,
                audience: text(wire.audience)?,
                provider: provider(&wire.sts_audience)?,
                kms_key: wire.kms_key.parse()?,
                messages: wire.messages,
            }),
        }
    };
    let all: Vec<_> = wire.into_iter().map(read).collect::<Result<_, _>>()?;
    not_empty("collaborator", all)
}

fn read_signers(wire: Vec<WireSigner>) -> Result<Vec<Signer>, InvalidTerms> {
    let mut own = BTreeSet::new();
    let read = |WireSigner { name, key_id }: WireSigner| {
        once(&mut own, &name)?;
        once(&mut own, &key_id)?;
        match Digest::from_hex(&key_id) {
            Ok(key) => Ok(Signer {
                name: text(name)?,
                key,
            }),
            Err(source) => Err(InvalidTerms::Key { name, source }),
        }
    };
    let all: Vec<_> = wire.into_iter().map(read).collect::<Result<_, _>>()?;
    not_empty("signer", all)
}

/// Checks that every collaborator is a signer. Late binding requires the signatures of the signers only:
/// the data of any other collaborator would be decrypted by an image that it never signed.
fn all_sign(collaborators: &[Collaborator], signers: &[Signer]) -> Result<(), InvalidTerms> {
    let signs = |c: &&Collaborator| signers.iter().any(|signer| signer.name == c.name);
    match collaborators
        .iter()
        .find(|collaborator| !signs(collaborator))
    {
        Some(left_out) => Err(InvalidTerms::NotSigner(left_out.name.clone())),
        None => Ok(()),
    }
}

fn not_empty<T>(what: &'static str, all: Vec<T>) -> Result<Vec<T>, InvalidTerms> {
    match all.is_empty() {
        true => Err(InvalidTerms::Empty(what)),
        false => Ok(all),
    }
}

fn once(seen: &mut BTreeSet<String>, text: &str) -> Result<(), InvalidTerms> {
    match seen.insert(text.to_owned()) {
        true => Ok(()),
        false => Err(InvalidTerms::Duplicate(text.to_owned())),
    }
}

fn provider(audience: &str) -> Result<Provider, InvalidTerms> {
    let invalid = || InvalidTerms::Provider(audience.chars().take(200).collect());
    Provider::from_audience(audience).ok_or_else(invalid)
}

fn text(text: String) -> Result<String, InvalidTerms> {
    match !text.is_empty() && text.len() <= TEXT_LIMIT && !text.contains(char::is_control) {
        true => Ok(text),
        false => Err(InvalidTerms::Text(text.chars().take(80).collect())),
    }
}

#[cfg(test)]
mod tests {
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
        let name = edited(
            "\"name\": \"collaborator-2\"",
            "\"name\": \"collaborator-1\"",
        );
        assert!(matches!(name, Err(InvalidTerms::Duplicate(_))));
        let audience = edited(
            "https://collaborator-2.example",
            "https://collaborator-1.example",
        );
        assert!(matches!(audience, Err(InvalidTerms::Duplicate(_))));
        let provider = edited("projects/1002", "projects/1001");
        assert!(matches!(provider, Err(InvalidTerms::Duplicate(_))));
        let key = edited(
            "projects/collaborator-2/locations",
            "projects/collaborator-1/locations",
        );
        assert!(matches!(key, Err(InvalidTerms::Duplicate(_))));
        let shared = edited(
            "https://collaborator-1.example/countersign",
            DEFAULT_AUDIENCE,
        );
        assert!(matches!(shared, Err(InvalidTerms::Audience(_))));
        let unknown = edited(
            "\"subscriber\": \"collaborator-1\"",
            "\"subscriber\": \"x\"",
        );
        assert!(matches!(unknown, Err(InvalidTerms::Subscriber(_))));
        let silent = edited("\"messages\": 1", "\"messages\": 0");
        assert!(matches!(silent, Err(InvalidTerms::Messages(_))));
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
            let terms = edited(from, to);
            let is_refused = matches!(terms, Err(InvalidTerms::Resource(_)));
            assert!(is_refused, "{to}: {terms:?}");
        }
        for (from, to) in [
            ("//iam.googleapis.com", "//iam.example"),
            ("providers/attestation", "providers"),
            ("projects/1001", "projects/collaborator-1"),
        ] {
            let terms = edited(from, to);
            let is_refused = matches!(terms, Err(InvalidTerms::Provider(_)));
            assert!(is_refused, "{to}: {terms:?}");
        }
    }

    #[test]
    fn refuses_signers_that_leave_out_a_collaborator() {
        for (from, to) in [
            (
                "\"name\": \"collaborator-2\",\n      \"key_id\"",
                "\"name\": \"other\",\n      \"key_id\"",
            ),
            (
                "\"name\": \"collaborator-2\",\n      \"audience\"",
                "\"name\": \"other\",\n      \"audience\"",
            ),
        ] {
            let terms = edited(from, to);
            assert!(
                matches!(terms, Err(InvalidTerms::NotSigner(_))),
                "{to}: {terms:?}"
            );
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
            assert!(matches!(terms, Err(InvalidTerms::Deadline(_))), "{seconds}");
        }
    }
}
