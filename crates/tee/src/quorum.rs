//! Who must have signed an image: parties, each with its keys, and how many of them.

use std::collections::{BTreeMap, BTreeSet};

use content::Digest;

use crate::identity::Identity;
use crate::key::PublicKey;
use crate::repository::Repository;
use crate::signed::{Objection, Signed};

/// The most keys of all parties. A signature is verified with each.
const KEYS: usize = 64;

/// A party. It counts once, whichever of its keys it has signed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Party {
    name: String,
    keys: Keys,
}

/// The keys of a party.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Keys {
    /// The digest of its only key. It is enough for signatures that the attestation service has verified.
    Id(Digest),
    /// Its keys.
    Public(Vec<PublicKey>),
}

impl Party {
    /// A party with one key, by its digest: it is only counted by the claims of a token.
    pub fn by_id(name: &str, id: Digest) -> Self {
        Self::new(name, Keys::Id(id))
    }

    /// A party with these keys.
    pub fn by_keys(name: &str, keys: Vec<PublicKey>) -> Self {
        Self::new(name, Keys::Public(keys))
    }

    fn new(name: &str, keys: Keys) -> Self {
        Self {
            name: name.to_owned(),
            keys,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digests of its keys.
    pub fn ids(&self) -> Vec<Digest> {
        match &self.keys {
            Keys::Id(id) => vec![*id],
            Keys::Public(keys) => keys.iter().map(PublicKey::id).collect(),
        }
    }

    /// Its keys; none if only a digest is known.
    pub fn keys(&self) -> &[PublicKey] {
        match &self.keys {
            Keys::Id(_) => &[],
            Keys::Public(keys) => keys,
        }
    }
}

/// The parties, and how many of them must have signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quorum {
    parties: Vec<Party>,
    threshold: usize,
    repository: Option<Repository>,
    expires_at: Option<u64>,
}

/// Parties that are no quorum.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidQuorum {
    /// There is no party.
    #[error("no signer is named")]
    Empty,
    /// Two parties have the same name.
    #[error("signer {0:?} occurs twice")]
    Name(String),
    /// A party has no key.
    #[error("signer {0:?} has no key")]
    NoKey(String),
    /// A key occurs twice. If two parties had it, one signature would count for both.
    #[error("key {id} occurs twice: it is a key of {} and of {}", .parties.0, .parties.1)]
    SharedKey {
        /// The digest of the key, in hex.
        id: String,
        /// The parties that have it; one party, if it has the key twice.
        parties: (String, String),
    },
    /// There are too many keys.
    #[error("expected at most {KEYS} keys of all signers, found {0}")]
    Keys(usize),
    /// The threshold cannot be reached, or is none.
    #[error("invalid threshold {found}: expected 1 to {parties}, the number of signers")]
    Threshold {
        /// The threshold.
        found: usize,
        /// The number of parties.
        parties: usize,
    },
}

impl Quorum {
    /// All of `parties` must have signed.
    ///
    /// # Errors
    /// There is no party, a name or a key occurs twice, or a party has no key.
    pub fn all(parties: Vec<Party>) -> Result<Self, InvalidQuorum> {
        let mut names = BTreeSet::new();
        let mut owners: BTreeMap<Digest, &str> = BTreeMap::new();
        for party in &parties {
            if !names.insert(party.name()) {
                return Err(InvalidQuorum::Name(party.name.clone()));
            }
            if party.ids().is_empty() {
                return Err(InvalidQuorum::NoKey(party.name.clone()));
            }
            for id in party.ids() {
                if let Some(other) = owners.insert(id, party.name()) {
                    let parties = (other.to_owned(), party.name.clone());
                    let id = id.hex();
                    return Err(InvalidQuorum::SharedKey { id, parties });
                }
            }
        }
        match (parties.len(), owners.len()) {
            (0, _) => Err(InvalidQuorum::Empty),
            (_, keys) if keys > KEYS => Err(InvalidQuorum::Keys(keys)),
            (threshold, _) => Ok(Self {
                threshold,
                parties,
                repository: None,
                expires_at: None,
            }),
        }
    }

    /// Only so many of them must have signed.
    ///
    /// # Errors
    /// `threshold` is 0, or more than there are parties.
    pub fn at_least(self, threshold: usize) -> Result<Self, InvalidQuorum> {
        let parties = self.parties.len();
        match (1..=parties).contains(&threshold) {
            true => Ok(Self { threshold, ..self }),
            false => Err(InvalidQuorum::Threshold {
                found: threshold,
                parties,
            }),
        }
    }

    /// They must have signed for this repository. Without one, only the signatures in the claims of a token count: the attestation
    /// service does not compare the repository.
    #[must_use]
    pub fn in_repository(self, repository: Repository) -> Self {
        Self {
            repository: Some(repository),
            ..self
        }
    }

    /// Nothing is bound from this time on, in Unix seconds, by the time at which the token was issued.
    #[must_use]
    pub fn until(self, expires_at: u64) -> Self {
        Self {
            expires_at: Some(expires_at),
            ..self
        }
    }

    /// The parties.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// How many of them must have signed.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// The repository that they must have signed for.
    pub fn repository(&self) -> Option<&Repository> {
        self.repository.as_ref()
    }

    /// Whether it expires at all.
    pub(crate) fn expires(&self) -> bool {
        self.expires_at.is_some()
    }

    /// The time from which nothing is bound, if the token was issued then or later.
    pub(crate) fn expired(&self, identity: &Identity) -> Option<u64> {
        let expires_at = self.expires_at;
        expires_at.filter(|expires_at| identity.issued_at() >= *expires_at)
    }

    /// The parties that have signed according to the claims of a token, by their places.
    pub(crate) fn claimed(&self, identity: &Identity) -> BTreeSet<usize> {
        let signers = identity.signers();
        let has_signed = |party: &Party| {
            let mut ids = party.ids().into_iter();
            ids.any(|id| signers.contains(id.hex().as_str()))
        };
        let parties = self.parties.iter().enumerate();
        let signed = parties.filter(|(_, party)| has_signed(party));
        signed.map(|(place, _)| place).collect()
    }

    /// The place of the party that has signed the image.
    ///
    /// # Errors
    /// No party has, or not this image for this repository.
    pub(crate) fn signer(&self, signed: &Signed, image: Digest) -> Result<usize, Objection> {
        let repository = self.repository.as_ref().ok_or(Objection::UnknownKey)?;
        for (place, party) in self.parties.iter().enumerate() {
            for key in party.keys() {
                if signed.check(&party.name, key, image, repository)? {
                    return Ok(place);
                }
            }
        }
        Err(Objection::UnknownKey)
    }
}
