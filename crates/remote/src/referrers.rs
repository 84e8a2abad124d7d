//! Fetches the referrers of an image, by the API or the tag that replaces it.

use std::collections::BTreeSet;
use std::fmt;

use content::Digest;
use oci::{Document, Manifest, Tag, Target};

use crate::list::{Entry, List};
use crate::pages::{Budget, check_count};
use crate::{Error, Registry};

/// The longest text shown of the reason why a referrer cannot be parsed, in characters.
const SHOWN: usize = 300;

/// The referrers of an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Referrers {
    /// The manifests whose subject is the image, ordered by digest.
    pub manifests: Vec<(Digest, Manifest)>,
    /// The listed entries that were skipped, in no particular order.
    pub passed_over: Vec<PassedOver>,
}

/// An entry of a list of referrers that cannot be read. It is reported and skipped: the effect is the
/// same as if the registry did not list it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PassedOver {
    /// The registry lists the referrer but does not have it. Some registries list referrers for hours
    /// after their deletion.
    Gone(Digest),
    /// The referrer is not a valid manifest (OCI image specification, manifest.md).
    Unreadable {
        /// The referrer's digest.
        referrer: Digest,
        /// The parser's message, escaped for printing.
        reason: String,
    },
    /// The referrer is a manifest with another subject, or none.
    OtherSubject(Digest),
    /// The entry has no valid SHA-256 digest. The value is the text in its place, escaped for printing.
    Unknown(String),
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(referrer) => write!(f, "referrer {referrer} is listed but does not exist"),
            Self::Unreadable { referrer, reason } => {
                write!(f, "referrer {referrer} cannot be read: {reason}")
            }
            Self::OtherSubject(referrer) => {
                write!(
                    f,
                    "referrer {referrer} is listed but does not refer to the image"
                )
            }
            Self::Unknown(digest) => write!(f, "referrer has the invalid digest \"{digest}\""),
        }
    }
}

/// Which side maintains the list of an image's referrers.
pub(crate) enum Keeper {
    /// The registry.
    Registry,
    /// The clients, as an index under a tag (OCI distribution specification, referrers tag schema).
    Clients,
}

/// A listed manifest, after it was read.
enum Read {
    Referrer(Box<Manifest>),
    PassedOver(PassedOver),
}

impl Registry {
    /// The referrers of `subject`. Each manifest is fetched and its digest checked; of the list only the
    /// digests are used.
    ///
    /// # Errors
    /// [`Error::Entries`] for more than [`REFERRERS`](content::limits::REFERRERS) entries,
    /// [`Error::Limit`] for more than [`REFERRERS_TOTAL`](content::limits::REFERRERS_TOTAL) bytes,
    /// [`Error::DigestMismatch`] for a manifest with another digest than listed, or the error of a
    /// request that fails.
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
            }
        }
        let mut budget = Budget::new();
        for digest in digests {
            match self.referrer(subject, digest, &mut budget).await? {
                Read::Referrer(manifest) => referrers.manifests.push((digest, *manifest)),
                Read::PassedOver(passed_over) => referrers.passed_over.push(passed_over),
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
            Ok(_) => Read::PassedOver(PassedOver::OtherSubject(digest)),
            Err(error) => unreadable(&error),
        })
    }

    pub(crate) async fn list(&self, subject: &Digest) -> Result<(Keeper, Vec<Entry>), Error> {
        match self.list_by_registry(subject).await? {
            Some(listed) => Ok((Keeper::Registry, listed)),
            None => Ok((Keeper::Clients, self.list_by_tag(subject).await?)),
        }
    }

    /// The list that clients keep; empty if the tag holds another manifest.
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
        List::parse(bytes)
            .map_err(|fault| self.image_error(oci::Error::document(Document::Index, fault)))
    }
}
