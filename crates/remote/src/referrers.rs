use std::collections::BTreeSet;
use std::fmt;

use content::Digest;
use oci::{Manifest, Tag, Target};

use crate::list::{Entry, List};
use crate::pages::{Budget, check_count};
use crate::{Error, Registry};

/// Characters that say why a referrer cannot be read.
const SHOWN: usize = 300;

/// What refers to an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Referrers {
    /// The manifests whose subject is the image, in the order of their digests.
    pub manifests: Vec<(Digest, Manifest)>,
    /// What is listed and cannot be read, in no order.
    pub passed_over: Vec<PassedOver>,
}

/// An entry of a list of referrers that cannot be read. It is reported and skipped: a registry could as
/// well leave it out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PassedOver {
    /// The registry lists it, and does not have it: some do so for hours after a deletion.
    Gone(Digest),
    /// Its manifest is not one (OCI image specification, manifest.md).
    Unreadable {
        /// The referrer.
        referrer: Digest,
        /// What is wrong, fit to print.
        reason: String,
    },
    /// Its digest is not one that we know, fit to print.
    Unknown(String),
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(referrer) => write!(f, "referrer {referrer} is listed, but not there"),
            Self::Unreadable { referrer, reason } => {
                write!(f, "referrer {referrer} cannot be read: {reason}")
            }
            Self::Unknown(digest) => write!(f, "referrer with the unknown digest \"{digest}\""),
        }
    }
}

/// Who keeps the list of an image's referrers.
pub(crate) enum Keeper {
    /// The registry.
    Registry,
    /// Its clients, as an index under a tag (OCI distribution specification, referrers tag schema).
    Clients,
}

/// What a manifest that is listed turns out to be.
enum Read {
    Referrer(Box<Manifest>),
    /// Another image's referrer.
    Another,
    PassedOver(PassedOver),
}

impl Registry {
    /// What refers to `subject`. Each manifest was fetched and checked; what the list says about it
    /// plays no part.
    ///
    /// # Errors
    /// A registry that does not answer; more than [`REFERRERS`](content::limits::REFERRERS) entries
    /// or [`REFERRERS_TOTAL`](content::limits::REFERRERS_TOTAL) bytes; a manifest with another digest than listed.
    pub async fn referrers(&self, subject: &Digest) -> Result<Referrers, Error> {
        let (_, listed) = self.list(subject).await?;
        let mut referrers = Referrers::default();
        let mut digests = BTreeSet::new();
        for entry in listed {
            match entry {
                Entry::Manifest(digest) => drop(digests.insert(digest)),
                Entry::Unreadable(text) => {
                    referrers.passed_over.push(PassedOver::Unknown(text));
                }
                Entry::Other => {}
            }
        }
        let mut budget = Budget::new();
        for digest in digests {
            match self.referrer(subject, digest, &mut budget).await? {
                Read::Referrer(manifest) => referrers.manifests.push((digest, *manifest)),
                Read::PassedOver(passed_over) => referrers.passed_over.push(passed_over),
                Read::Another => {}
            }
        }
        Ok(referrers)
    }

    async fn referrer(
        &self,
        subject: &Digest,
        digest: Digest,
        budget: &mut Budget,
    ) -> Result<Read, Error> {
        let unreadable = |reason: &dyn fmt::Display| {
            Read::PassedOver(PassedOver::Unreadable {
                referrer: digest,
                reason: content::printable(&reason.to_string(), SHOWN),
            })
        };
        let bytes = match self.manifest(&digest).await {
            Ok(bytes) => bytes,
            Err(Error::NotFound { .. }) => {
                return Ok(Read::PassedOver(PassedOver::Gone(digest)));
            }
            Err(Error::Limit { url, limit }) => {
                budget.spend(&url, limit)?;
                return Ok(unreadable(&format_args!("larger than {limit} bytes")));
            }
            Err(error) => return Err(error),
        };
        let url = self.manifest_url(&Target::Digest(digest)).await?;
        budget.spend(&url, bytes.len() as u64)?;
        Ok(match Manifest::parse(&bytes) {
            Ok(manifest) if manifest.subject.as_ref().map(|s| s.digest) == Some(*subject) => {
                Read::Referrer(Box::new(manifest))
            }
            Ok(_) => Read::Another,
            Err(error) => unreadable(&error),
        })
    }

    pub(crate) async fn list(&self, subject: &Digest) -> Result<(Keeper, Vec<Entry>), Error> {
        match self.list_by_registry(subject).await? {
            Some(listed) => Ok((Keeper::Registry, listed)),
            None => Ok((Keeper::Clients, self.list_by_tag(subject).await?)),
        }
    }

    /// A manifest of something else under the tag is no list.
    async fn list_by_tag(&self, subject: &Digest) -> Result<Vec<Entry>, Error> {
        let tag = Tag::of_digest(subject, "").map_err(|e| self.image_error(e))?;
        let Some(bytes) = self.manifest_by_tag(&tag).await? else {
            return Ok(Vec::new());
        };
        let Some(list) = self.list_in(&bytes)? else {
            return Ok(Vec::new());
        };
        let url = self.manifest_url(&Target::Tag(tag)).await?;
        check_count(&url, list.len())?;
        Ok(list.entries().collect())
    }

    pub(crate) fn list_in(&self, bytes: &[u8]) -> Result<Option<List>, Error> {
        List::parse(bytes).map_err(|source| {
            let document = oci::Document::Index;
            self.image_error(oci::Error::Json { document, source })
        })
    }
}
