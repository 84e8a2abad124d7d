//! The parties of terms: collaborators, and the signers that include them.

use std::collections::BTreeSet;

use confidential::claims::DEFAULT_AUDIENCE;
use content::Digest;
use google::identity::Provider;
use google::kms::Key;
use serde::Deserialize;

use super::error::{InvalidTerms, TEXT_LIMIT};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCollaborator {
    name: String,
    audience: String,
    sts_audience: String,
    kms_key: String,
    messages: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSigner {
    name: String,
    key_id: String,
}

pub(super) fn read_collaborators(
    wire: Vec<WireCollaborator>,
) -> Result<Vec<Collaborator>, InvalidTerms> {
    let mut own = BTreeSet::new();
    let read = |wire: WireCollaborator| {
        once(&mut own, &wire.name)?;
        once(&mut own, &wire.audience)?;
        once(&mut own, &wire.sts_audience)?;
        once(&mut own, &wire.kms_key)?;
        match wire {
            WireCollaborator {
                name, messages: 0, ..
            } => Err(InvalidTerms(format!("{name} sends no messages"))),
            WireCollaborator { audience, .. } if audience == DEFAULT_AUDIENCE => Err(InvalidTerms(
                format!("{audience:?} is the default audience of all tokens"),
            )),
            wire => Ok(Collaborator {
                name: text(wire.name)?,
                audience: text(wire.audience)?,
                provider: provider(&wire.sts_audience)?,
                kms_key: wire.kms_key.parse().map_err(InvalidTerms::resource)?,
                messages: wire.messages,
            }),
        }
    };
    let all: Vec<_> = wire.into_iter().map(read).collect::<Result<_, _>>()?;
    not_empty("collaborator", all)
}

pub(super) fn read_signers(wire: Vec<WireSigner>) -> Result<Vec<Signer>, InvalidTerms> {
    let mut own = BTreeSet::new();
    let read = |WireSigner { name, key_id }: WireSigner| {
        once(&mut own, &name)?;
        once(&mut own, &key_id)?;
        match Digest::from_hex(&key_id) {
            Ok(key) => Ok(Signer {
                name: text(name)?,
                key,
            }),
            Err(error) => Err(InvalidTerms(format!("signer {name}: {error}"))),
        }
    };
    let all: Vec<_> = wire.into_iter().map(read).collect::<Result<_, _>>()?;
    not_empty("signer", all)
}

/// Checks that every collaborator is a signer. Late binding requires the signatures of the signers only:
/// the data of any other collaborator would be decrypted by an image that it never signed.
pub(super) fn all_sign(
    collaborators: &[Collaborator],
    signers: &[Signer],
) -> Result<(), InvalidTerms> {
    let signs = |c: &&Collaborator| signers.iter().any(|signer| signer.name == c.name);
    match collaborators
        .iter()
        .find(|collaborator| !signs(collaborator))
    {
        Some(Collaborator { name, .. }) => Err(InvalidTerms(format!(
            "collaborator {name:?} is not among the signers"
        ))),
        None => Ok(()),
    }
}

fn not_empty<T>(what: &'static str, all: Vec<T>) -> Result<Vec<T>, InvalidTerms> {
    match all.is_empty() {
        true => Err(InvalidTerms(format!("no {what} is named"))),
        false => Ok(all),
    }
}

fn once(seen: &mut BTreeSet<String>, text: &str) -> Result<(), InvalidTerms> {
    match seen.insert(text.to_owned()) {
        true => Ok(()),
        false => Err(InvalidTerms(format!("{text:?} occurs twice"))),
    }
}

fn provider(audience: &str) -> Result<Provider, InvalidTerms> {
    let invalid = || {
        let found: String = audience.chars().take(200).collect();
        InvalidTerms(format!(
            "invalid sts_audience {found:?}: expected //iam.googleapis.com/projects/NUMBER/locations/global/\
             workloadIdentityPools/POOL/providers/PROVIDER"
        ))
    };
    Provider::from_audience(audience).ok_or_else(invalid)
}

pub(super) fn text(text: String) -> Result<String, InvalidTerms> {
    match !text.is_empty() && text.len() <= TEXT_LIMIT && !text.contains(char::is_control) {
        true => Ok(text),
        false => {
            let found: String = text.chars().take(80).collect();
            Err(InvalidTerms(format!("invalid name {found:?}")))
        }
    }
}
