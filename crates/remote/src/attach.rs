use content::Digest;
use oci::{Descriptor, Manifest, Tag, Target, media};

use crate::list::{Entry, List};
use crate::pages::check_count;
use crate::referrers::Keeper;
use crate::tag::Changed;
use crate::{Error, Registry};

/// A referrer that was stored, by its digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attached {
    /// Readers find it.
    Listed(Digest),
    /// Readers do not find it unless they know its digest: the registry keeps no list, and the tag under
    /// which clients would keep one is taken.
    Unlisted(Digest),
}

impl Registry {
    /// Stores a manifest that has a subject, and lists it among the subject's referrers where the
    /// registry keeps no list itself. Its layers must be there; the empty configuration is stored if
    /// it is needed.
    ///
    /// # Errors
    /// A manifest without a subject, [`Error::Entries`] if there is no room for another, or a registry
    /// that refuses.
    pub async fn attach_referrer(&self, manifest: Manifest) -> Result<Attached, Error> {
        let Some(subject) = manifest.subject.as_ref().map(|s| s.digest) else {
            return Err(Error::NoSubject);
        };
        let bytes = manifest.to_bytes().map_err(|e| self.image_error(e))?;
        if manifest.config.digest == Descriptor::empty().digest {
            self.push_blob(media::EMPTY, b"{}").await?;
        }
        let digest = Digest::of(&bytes);
        self.check_room(&subject, &digest).await?;
        self.push_manifest(&Target::Digest(digest), &bytes, media::MANIFEST)
            .await?;
        self.keep_listed(&subject, entry(&manifest, &bytes)).await
    }

    /// One referrer more than is read would make all of them unreadable.
    async fn check_room(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
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

    /// Adds `entry` to the list if it is ours to keep. Some registries say that they keep it and do
    /// not, so the list decides and not their answer.
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

    /// Whether a list can stand under `tag`. Where something else does, it is not written over (OCI
    /// distribution specification, pushing manifests with subject), unless it is the subject
    /// itself: registries that take such a tag for the digest answer so, and may let the tag be made.
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

    /// The index with the entry; `None` if it has it.
    fn with_entry(
        &self,
        current: Option<&[u8]>,
        entry: &Descriptor,
        url: &str,
    ) -> Result<Option<Changed>, Error> {
        let list = match current {
            // The tag was free or held a list a moment ago.
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

/// Whether a registry refuses what was sent, and not who sent it or how often.
fn is_refusal_of_content(status: u16) -> bool {
    matches!(status, 400 | 405 | 409 | 412 | 415 | 422)
}

/// What the list says about a referrer (OCI distribution specification, listing referrers).
fn entry(manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let config_type = || Some(manifest.config.media_type.clone());
    Descriptor {
        annotations: manifest.annotations.clone(),
        artifact_type: manifest.artifact_type.clone().or_else(config_type),
        ..Descriptor::of(media::MANIFEST, bytes)
    }
}
