//! Attaches a referrer to an image.

use content::Digest;
use oci::{Descriptor, Manifest, Tag, Target, media};

use crate::list::{Entry, List};
use crate::pages::check_count;
use crate::referrers::Keeper;
use crate::tag::Changed;
use crate::{Error, Registry, hint};

/// A referrer that was stored, with its digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attached {
    /// Clients find it in the subject's list of referrers.
    Listed(Digest),
    /// Clients find it only by its digest: the registry keeps no list of referrers, and the tag under
    /// which clients would keep one holds something else.
    Unlisted(Digest),
}

impl Registry {
    /// Stores a manifest that has a subject. If the registry keeps no list of referrers, adds the manifest
    /// to the list under the subject's tag. The layers must have been pushed before; the empty
    /// configuration is pushed if the manifest names it.
    ///
    /// # Errors
    /// [`Error::Refused`] for a manifest without a subject, [`Error::Entries`] if the list is full, or
    /// the error of a request that fails.
    pub async fn attach_referrer(&self, manifest: Manifest) -> Result<Attached, Error> {
        let Some(subject) = manifest.subject.as_ref().map(|s| s.digest) else {
            let doing = "attaching referrer".to_owned();
            return Err(Error::refused(
                doing,
                "manifest has no subject",
                hint::UNUSABLE,
            ));
        };
        let bytes = manifest.to_bytes().map_err(|e| self.image_error(e))?;
        if manifest.config.digest == Descriptor::empty().digest {
            self.push_blob(media::EMPTY, b"{}").await?;
        }
        let digest = Digest::of(&bytes);
        self.check_capacity(&subject, &digest).await?;
        self.push_manifest(&Target::Digest(digest), &bytes, media::MANIFEST)
            .await?;
        self.keep_listed(&subject, entry(&manifest, &bytes)).await
    }

    /// Refuses a referrer beyond the limit: readers refuse a list that is longer than the limit.
    async fn check_capacity(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        let (_, listed) = self.list(subject).await?;
        let mut known = listed.iter();
        match known.any(|entry| matches!(entry, Entry::Manifest(found) if found == referrer)) {
            true => Ok(()),
            false => {
                let url = self.url(&format!("referrers/{subject}")).await?;
                check_count(&url, listed.len() + 1)
            }
        }
    }

    /// Adds `entry` to the list if the clients keep it. Some registries answer that they list a referrer
    /// and do not, so the list itself is read.
    async fn keep_listed(&self, subject: &Digest, entry: Descriptor) -> Result<Attached, Error> {
        let attached = Attached::Listed(entry.digest);
        if let (Keeper::Registry, _) = self.list(subject).await? {
            return Ok(attached);
        }
        let tag = Tag::of_digest(subject, "").map_err(|e| self.image_error(e))?;
        if !self.can_keep_list(&tag, subject, &entry).await? {
            return Ok(Attached::Unlisted(entry.digest));
        }
        let url = self.manifest_url(&Target::Tag(tag.clone())).await?;
        self.change_tag(&tag, |current| self.with_entry(current, &entry, &url))
            .await?;
        Ok(attached)
    }

    /// Whether a list can be stored under `tag`. Other content under the tag is not overwritten (OCI
    /// distribution specification, pushing manifests with subject), unless it is the subject itself:
    /// some registries resolve such a tag as a digest, and may still accept a push to it.
    async fn can_keep_list(
        &self,
        tag: &Tag,
        subject: &Digest,
        entry: &Descriptor,
    ) -> Result<bool, Error> {
        let Some(bytes) = self.manifest_by_tag(tag).await? else {
            return Ok(true);
        };
        if self.list_in(&bytes)?.is_some() {
            return Ok(true);
        }
        if Digest::of(&bytes) != *subject {
            return Ok(false);
        }
        let list = List::empty().with(entry)?;
        let target = Target::Tag(tag.clone());
        match self.push_manifest(&target, &list, media::INDEX).await {
            Ok(_) => {}
            Err(Error::Status { status, .. }) if is_refusal_of_content(status) => return Ok(false),
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let stored = self.manifest_by_tag(tag).await?.unwrap_or_default();
        Ok(stored == list)
    }

    /// The index with the entry added; `None` if it already has the entry.
    fn with_entry(
        &self,
        current: Option<&[u8]>,
        entry: &Descriptor,
        url: &str,
    ) -> Result<Option<Changed>, Error> {
        let list = match current {
            // `can_keep_list` found the tag unused or holding a list.
            Some(bytes) => self.list_in(bytes)?.unwrap_or_else(List::empty),
            None => List::empty(),
        };
        if list.names(&entry.digest) {
            return Ok(None);
        }
        check_count(url, list.len() + 1)?;
        Ok(Some(Changed {
            bytes: list.with(entry)?,
            media_type: media::INDEX,
            config: None,
        }))
    }
}

/// Whether a status refuses the content of a request, rather than its credentials or its rate.
fn is_refusal_of_content(status: u16) -> bool {
    matches!(status, 400 | 405 | 409 | 412 | 415 | 422)
}

/// The list entry of a referrer (OCI distribution specification, listing referrers).
fn entry(manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let config_type = || Some(manifest.config.media_type.clone());
    Descriptor {
        annotations: manifest.annotations.clone(),
        artifact_type: manifest.artifact_type.clone().or_else(config_type),
        ..Descriptor::of(media::MANIFEST, bytes)
    }
}
