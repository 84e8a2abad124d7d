//! What all parties agreed on before the image was built: whose data, under whose keys, if signed by
//! whom. It is part of the image, hence of its digest; nothing outside can change it.

mod address;

use std::collections::BTreeSet;
use std::time::Duration;

use confidential::claims::DEFAULT_AUDIENCE;
use content::json::JsonError;
use content::{Digest, InvalidDigest};
use serde::Deserialize;
use serde_json::Value;

pub use address::{Endpoint, Resource};

/// Bytes that the terms may have.
const LIMIT: u64 = 1 << 20;
/// Bytes that a name, an audience or a resource may have (Google: an audience has 512 at the most).
const TEXT_LIMIT: usize = 512;
/// Seconds that the workload may wait: a message is held that long, with some left for decrypting,
/// and Pub/Sub holds none for more than 600 seconds.
const LONGEST_WAIT: u64 = 540;

/// The terms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// The job's own part, which is for the job to read.
    pub job: Value,
    /// Who sends data; in the order that tokens are exchanged.
    pub collaborators: Vec<Collaborator>,
    /// Who must have signed the image.
    pub signers: Vec<Signer>,
    /// The issuer of attestation tokens.
    pub issuer: String,
    /// Where the issuer says where its keys are.
    pub discovery: Endpoint,
    /// Where services are.
    pub endpoints: Endpoints,
    /// The Pub/Sub subscription that data arrives by.
    pub subscription: Resource,
    /// The collaborator whose federated token pulls the subscription, by its place.
    pub subscriber: usize,
    /// How long to wait for all the data.
    pub deadline: Duration,
}

/// One who sends data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collaborator {
    /// The name, also in messages.
    pub name: String,
    /// The audience of attestation tokens for this collaborator, and for no other.
    pub audience: String,
    /// The full name of this collaborator's identity provider.
    pub sts_audience: String,
    /// The key that this collaborator encrypts with.
    pub kms_key: Resource,
    /// Messages that this collaborator sends.
    pub messages: u32,
}

/// One who must have signed the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    /// The name.
    pub name: String,
    /// The SHA-256 of the public key (DER, SubjectPublicKeyInfo).
    pub key: Digest,
}

/// Where services are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoints {
    /// Security Token Service.
    pub sts: Endpoint,
    /// Cloud KMS.
    pub kms: Endpoint,
    /// Pub/Sub.
    pub pubsub: Endpoint,
}

/// Terms that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTerms {
    /// Not the JSON that terms are.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A job that does not know its part.
    #[error(transparent)]
    Job(Box<dyn std::error::Error + Send + Sync>),
    /// Text that is empty, too long, or has characters that are not printed.
    #[error("{0:?} is not a name")]
    Text(String),
    /// No resource's name.
    #[error("{0:?} is not the name of a resource")]
    Resource(String),
    /// An address that no token may be sent to.
    #[error("{0:?} is neither https nor http on this machine")]
    Endpoint(String),
    /// A key identifier that is no digest.
    #[error("signer {name}: {source}")]
    Key {
        /// Whose.
        name: String,
        /// What is wrong.
        source: InvalidDigest,
    },
    /// Something that must be one party's own is named twice.
    #[error("{0:?} is named twice")]
    Twice(String),
    /// An audience that every token has by default, and so is nobody's own.
    #[error("{0:?} is the audience of everyone")]
    Audience(String),
    /// No collaborator, or no signer.
    #[error("there is no {0}")]
    Nobody(&'static str),
    /// A collaborator whose signature the image would start without.
    #[error("collaborator {0:?} is not among the signers")]
    NotSigner(String),
    /// A collaborator that sends nothing.
    #[error("{0} sends no messages")]
    Messages(String),
    /// A subscriber that is no collaborator.
    #[error("subscriber {0:?} is no collaborator")]
    Subscriber(String),
    /// A wait that is too long, or none.
    #[error("deadline_seconds is {0}, not between 1 and {LONGEST_WAIT}")]
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
    /// Reads the terms.
    ///
    /// # Errors
    /// Anything that is unknown, missing, double or not of its form.
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
            subscription: Resource::parse(wire.subscription)?,
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
                sts_audience: text(wire.sts_audience)?,
                kms_key: Resource::parse(wire.kms_key)?,
                messages: wire.messages,
            }),
        }
    };
    let all: Vec<_> = wire.into_iter().map(read).collect::<Result<_, _>>()?;
    some("collaborator", all)
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
    some("signer", all)
}

/// Late binding waits for the signers alone: a collaborator that is none of them would have its data
/// opened by an image that it never signed.
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

fn some<T>(what: &'static str, all: Vec<T>) -> Result<Vec<T>, InvalidTerms> {
    match all.is_empty() {
        true => Err(InvalidTerms::Nobody(what)),
        false => Ok(all),
    }
}

fn once(seen: &mut BTreeSet<String>, text: &str) -> Result<(), InvalidTerms> {
    match seen.insert(text.to_owned()) {
        true => Ok(()),
        false => Err(InvalidTerms::Twice(text.to_owned())),
    }
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
    fn refuses_what_it_does_not_know() {
        assert!(edited("\"job\": \"count\",", "").is_err());
        assert!(edited("\"job\"", "\"extra\": 1, \"job\"").is_err());
        assert!(edited("\"job\"", "\"job\": \"count\", \"job\"").is_err());
        assert!(edited("\"messages\": 1", "\"messages\": -1").is_err());
    }

    #[test]
    fn refuses_parties_that_are_not_apart() {
        let name = edited(
            "\"name\": \"collaborator-2\"",
            "\"name\": \"collaborator-1\"",
        );
        assert!(matches!(name, Err(InvalidTerms::Twice(_))));
        let audience = edited(
            "https://collaborator-2.example",
            "https://collaborator-1.example",
        );
        assert!(matches!(audience, Err(InvalidTerms::Twice(_))));
        let provider = edited("projects/1002", "projects/1001");
        assert!(matches!(provider, Err(InvalidTerms::Twice(_))));
        let key = edited(
            "projects/collaborator-2/locations",
            "projects/collaborator-1/locations",
        );
        assert!(matches!(key, Err(InvalidTerms::Twice(_))));
        let shared = edited(
            "https://collaborator-1.example/countersign",
            DEFAULT_AUDIENCE,
        );
        assert!(matches!(shared, Err(InvalidTerms::Audience(_))));
        let nobody = edited(
            "\"subscriber\": \"collaborator-1\"",
            "\"subscriber\": \"x\"",
        );
        assert!(matches!(nobody, Err(InvalidTerms::Subscriber(_))));
        let silent = edited("\"messages\": 1", "\"messages\": 0");
        assert!(matches!(silent, Err(InvalidTerms::Messages(_))));
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
        let told = "collaborator \"collaborator-2\" is not among the signers";
        assert_eq!(alone.unwrap_err().to_string(), told);
    }

    #[test]
    fn refuses_waits_that_outlast_a_hold() {
        for seconds in ["0", "541", "3600"] {
            let terms = edited(
                "\"deadline_seconds\": 300",
                &format!("\"deadline_seconds\": {seconds}"),
            );
            assert!(matches!(terms, Err(InvalidTerms::Deadline(_))), "{seconds}");
        }
    }
}
