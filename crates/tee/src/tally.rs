//! The parties that have signed, as far as was found.

use std::collections::BTreeSet;

use content::Digest;

use crate::error::{Error, Refusal};
use crate::identity::Identity;
use crate::quorum::Quorum;
use crate::signed::{Objection, Signed};

/// The most objections that a refusal lists.
const LISTED: usize = 5;

/// The proof that enough parties have signed this container's image. Nothing but [`Quorum::bind`] makes one, and without it no access
/// token, key or secret can be used.
///
/// ```compile_fail
/// let bound = tee::Bound {
///     image_digest: tee::Digest::of(b"image"),
///     signers: Vec::new(),
///     parties: 0,
/// };
/// ```
#[derive(Debug)]
pub struct Bound {
    image_digest: Digest,
    signers: Vec<String>,
    parties: usize,
}

impl Bound {
    /// The digest of the image that they have signed.
    pub fn image_digest(&self) -> Digest {
        self.image_digest
    }

    /// The names of the parties that have signed.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }

    /// The number of parties, those included that have not signed.
    pub fn parties(&self) -> usize {
        self.parties
    }
}

/// What was found so far. What one source had still counts if it has it no longer: it was verified.
pub(crate) struct Tally<'a> {
    quorum: &'a Quorum,
    image: Digest,
    signers: BTreeSet<usize>,
    objections: BTreeSet<String>,
    /// Whether tokens were read, and none of them had a signature.
    is_unsigned: bool,
    /// The first source that could not be read in the latest round.
    failure: Option<Error>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(quorum: &'a Quorum, image: Digest) -> Self {
        Self {
            quorum,
            image,
            signers: BTreeSet::new(),
            objections: BTreeSet::new(),
            is_unsigned: false,
            failure: None,
        }
    }

    /// Forgets why sources could not be read: they are read again.
    pub(crate) fn begin(&mut self) {
        self.failure = None;
        self.objections.clear();
    }

    /// Counts the signatures in the claims of a token.
    pub(crate) fn claims(&mut self, identity: &Identity) {
        self.is_unsigned = identity.signers().is_empty();
        self.signers.extend(self.quorum.claimed(identity));
    }

    /// Counts signatures that prove themselves.
    pub(crate) fn signed(&mut self, origin: &str, found: &[Signed]) {
        for signed in found {
            match self.quorum.signer(signed, self.image) {
                Ok(place) => drop(self.signers.insert(place)),
                Err(objection) => self.object(origin, &objection),
            }
        }
    }

    /// Notes why something does not count.
    pub(crate) fn object(&mut self, origin: &str, objection: &Objection) {
        // Another statement about the image is no attempt to sign it.
        if !matches!(objection, Objection::Statement(_)) {
            self.objections.insert(format!("{origin}: {objection}"));
        }
    }

    /// Notes that a source could not be read.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.signers.len() >= self.quorum.threshold()
    }

    /// The proof, or who is missing. If a source could not be read, no one knows who is missing.
    pub(crate) fn outcome(self) -> Result<Bound, Error> {
        match (self.is_enough(), self.failure) {
            (true, _) => Ok(Bound {
                image_digest: self.image,
                signers: names(self.quorum, |place| self.signers.contains(&place)),
                parties: self.quorum.parties().len(),
            }),
            (false, Some(failure)) => Err(failure),
            (false, None) => Err(Refusal::new(
                format!("checking signatures on {}", self.image),
                Self {
                    failure: None,
                    ..self
                }
                .missing(),
            )
            .into()),
        }
    }

    /// Who has not signed as far as is known, and why that may be.
    pub(crate) fn missing(&self) -> String {
        let missing = names(self.quorum, |place| !self.signers.contains(&place)).join(", ");
        let (threshold, parties) = (self.quorum.threshold(), self.quorum.parties().len());
        let mut text = match threshold == parties {
            true => format!("not signed by {missing}"),
            false => {
                let signed = self.signers.len();
                format!("signed by {signed} of the {threshold} that are required, not by {missing}")
            }
        };
        if self.is_unsigned {
            text += "; the launcher found no signature at all: was the instance created with tee-signed-image-repos, \
                     the repository of the signatures?";
        }
        for objection in self.objections.iter().take(LISTED) {
            text += &format!("; not counted: {objection}");
        }
        if let Some(failure) = &self.failure {
            text += &format!("; {failure}");
        }
        text
    }
}

fn names(quorum: &Quorum, is_named: impl Fn(usize) -> bool) -> Vec<String> {
    let parties = quorum.parties().iter().enumerate();
    let named = parties.filter(|(place, _)| is_named(*place));
    named.map(|(_, party)| party.name().to_owned()).collect()
}
