//! The parties whose keys and data are used.

use std::collections::BTreeSet;

use confidential::claims::DEFAULT_AUDIENCE;
use google::identity::Provider;
use google::kms::Key;
use serde::Deserialize;
use tee::{Federation, Quorum};

use super::error::{InvalidTerms, TEXT_LIMIT};

/// A party that lends the program its keys and data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collaborator {
    /// The name, the audience and the identity provider.
    pub federation: Federation,
    /// The Cloud KMS key that this collaborator encrypts with.
    pub kms_key: Option<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCollaborator {
    pub(super) name: String,
    audience: String,
    sts_audience: String,
    pub(super) kms_key: Option<String>,
    pub(super) messages: Option<u32>,
}

pub(super) fn read(wire: &[WireCollaborator]) -> Result<Vec<Collaborator>, InvalidTerms> {
    let mut own = BTreeSet::new();
    wire.iter()
        .map(|wire| {
            let texts = [&wire.name, &wire.audience, &wire.sts_audience];
            let mut texts = texts.into_iter().chain(&wire.kms_key);
            texts.try_for_each(|text| once(&mut own, text))?;
            collaborator(wire)
        })
        .collect()
}

fn collaborator(wire: &WireCollaborator) -> Result<Collaborator, InvalidTerms> {
    if wire.audience == DEFAULT_AUDIENCE {
        return Err(InvalidTerms::of(format_args!(
            "{DEFAULT_AUDIENCE:?} is the default audience of all tokens"
        )));
    }
    let key = wire.kms_key.as_ref().map(|key| key.parse());
    Ok(Collaborator {
        federation: Federation {
            party: text(&wire.name)?,
            audience: text(&wire.audience)?,
            provider: provider(&wire.sts_audience)?,
        },
        kms_key: key.transpose().map_err(InvalidTerms::resource)?,
    })
}

/// Checks that every collaborator is a signer. Late binding requires the signatures of the signers only:
/// the data of any other collaborator would be decrypted by an image that it never signed.
pub(super) fn all_sign(
    collaborators: &[Collaborator],
    quorum: &Quorum,
) -> Result<(), InvalidTerms> {
    let signs = |name: &str| quorum.parties().iter().any(|party| party.name() == name);
    let mut names = collaborators.iter().map(|c| &c.federation.party);
    match names.find(|name| !signs(name)) {
        Some(name) => Err(InvalidTerms::of(format_args!(
            "collaborator {name:?} is not among the signers"
        ))),
        None => Ok(()),
    }
}

fn once(seen: &mut BTreeSet<String>, text: &str) -> Result<(), InvalidTerms> {
    match seen.insert(text.to_owned()) {
        true => Ok(()),
        false => Err(InvalidTerms::of(format_args!("{text:?} occurs twice"))),
    }
}

fn provider(audience: &str) -> Result<Provider, InvalidTerms> {
    let invalid = || {
        let found: String = audience.chars().take(200).collect();
        InvalidTerms::of(format_args!(
            "invalid sts_audience {found:?}: expected //iam.googleapis.com/projects/NUMBER/locations/global/\
             workloadIdentityPools/POOL/providers/PROVIDER"
        ))
    };
    Provider::from_audience(audience).ok_or_else(invalid)
}

pub(super) fn text(text: &str) -> Result<String, InvalidTerms> {
    match !text.is_empty() && text.len() <= TEXT_LIMIT && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => {
            let found: String = text.chars().take(80).collect();
            Err(InvalidTerms::of(format_args!("invalid name {found:?}")))
        }
    }
}
