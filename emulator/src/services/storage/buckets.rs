//! The stored buckets.

use std::collections::BTreeMap;

use google::ProjectNumber;
use google::storage as names;
use serde::{Deserialize, Serialize};

use super::error;
use super::md5::md5;
use super::message::{Bucket, Generation, LabelChange, Object, Precondition, Upload};
use crate::legacy_error::LegacyError;
use crate::services::Labels;

/// Buckets by name.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Buckets {
    buckets: BTreeMap<names::Bucket, Kept>,
    /// The newest generation: no two contents of any objects have the same.
    generation: u64,
}

#[derive(Clone, Deserialize, Serialize)]
struct Kept {
    project: ProjectNumber,
    location: String,
    created: u64,
    #[serde(default)]
    updated: u64,
    #[serde(default)]
    labels: Labels,
    #[serde(default = "first")]
    metageneration: u64,
    objects: BTreeMap<names::ObjectName, KeptObject>,
}

#[derive(Clone, Deserialize, Serialize)]
struct KeptObject {
    generation: u64,
    content_type: String,
    created: u64,
    #[serde(with = "crate::state::base64")]
    content: Vec<u8>,
}

/// The metageneration of a bucket that was never updated.
fn first() -> u64 {
    1
}

impl Buckets {
    pub(super) fn create(
        &mut self,
        name: &names::Bucket,
        project: ProjectNumber,
        (location, labels): (&str, Labels),
        now: u64,
    ) -> Result<Bucket, LegacyError> {
        if self.buckets.contains_key(name) {
            return Err(error::exists());
        }
        let kept = Kept {
            project,
            location: location.to_owned(),
            created: now,
            updated: now,
            labels,
            metageneration: first(),
            objects: BTreeMap::new(),
        };
        let made = kept.describe(name);
        self.buckets.insert(name.clone(), kept);
        Ok(made)
    }

    /// A bucket that a request names.
    pub(super) fn find(&self, name: &str) -> Result<Bucket, LegacyError> {
        let name = name.parse().map_err(|_| error::no_bucket())?;
        let kept = self.buckets.get(&name).ok_or_else(error::no_bucket)?;
        Ok(kept.describe(&name))
    }

    pub(super) fn list(&self, project: ProjectNumber) -> Vec<Bucket> {
        let own = self
            .buckets
            .iter()
            .filter(|(_, kept)| kept.project == project);
        own.map(|(name, kept)| kept.describe(name)).collect()
    }

    /// Updates a bucket that still has the metageneration `expected`, if there is one.
    pub(super) fn update(
        &mut self,
        name: &names::Bucket,
        labels: LabelChange,
        expected: Option<u64>,
        now: u64,
    ) -> Result<Bucket, LegacyError> {
        let kept = self.buckets.get_mut(name).ok_or_else(error::no_bucket)?;
        if expected.is_some_and(|expected| expected != kept.metageneration) {
            return Err(error::precondition());
        }
        let mut all = kept.labels.get().clone();
        for (key, value) in labels {
            match value {
                Some(value) => all.insert(key, value),
                None => all.remove(&key),
            };
        }
        kept.labels = Labels::new(all)?;
        kept.metageneration += 1;
        kept.updated = now;
        Ok(kept.describe(name))
    }

    pub(super) fn delete(&mut self, name: &names::Bucket) -> Result<(), LegacyError> {
        match self.buckets.get(name) {
            None => Err(error::no_bucket()),
            Some(kept) if !kept.objects.is_empty() => Err(error::not_empty()),
            Some(_) => {
                self.buckets.remove(name);
                Ok(())
            }
        }
    }

    pub(super) fn has(&self, bucket: &names::Bucket, name: &names::ObjectName) -> bool {
        let kept = self.buckets.get(bucket);
        kept.is_some_and(|kept| kept.objects.contains_key(name))
    }

    pub(super) fn put(
        &mut self,
        bucket: &names::Bucket,
        name: &names::ObjectName,
        upload: Upload,
        now: u64,
    ) -> Result<Object, LegacyError> {
        let actual = crc32c::crc32c(&upload.content);
        if let Some(given) = upload.crc32c.filter(|given| *given != actual) {
            return Err(error::checksum(given, actual));
        }
        let kept = self.buckets.get_mut(bucket).ok_or_else(error::no_bucket)?;
        let present = kept.objects.get(name).map(|object| object.generation);
        match (upload.precondition, present) {
            (Precondition::None, _) | (Precondition::Absent, None) => {}
            (Precondition::Generation(wanted), Some(present)) if wanted == present => {}
            _ => return Err(error::precondition()),
        }
        // Google's are times in microseconds.
        self.generation = (self.generation + 1).max(now.saturating_mul(1_000_000));
        let object = KeptObject {
            generation: self.generation,
            content_type: upload.content_type,
            created: now,
            content: upload.content,
        };
        let made = object.describe(bucket, name);
        kept.objects.insert(name.clone(), object);
        Ok(made)
    }

    pub(super) fn get(
        &self,
        bucket: &names::Bucket,
        name: &names::ObjectName,
        generation: Generation,
    ) -> Result<(Object, Vec<u8>), LegacyError> {
        let object = self.object(bucket, name, generation)?;
        Ok((object.describe(bucket, name), object.content.clone()))
    }

    pub(super) fn objects(&self, bucket: &names::Bucket, prefix: &str) -> Vec<Object> {
        let kept = self.buckets.get(bucket);
        let objects = kept.into_iter().flat_map(|kept| &kept.objects);
        objects
            .filter(|(name, _)| name.to_string().starts_with(prefix))
            .map(|(name, object)| object.describe(bucket, name))
            .collect()
    }

    pub(super) fn remove(
        &mut self,
        bucket: &names::Bucket,
        name: &names::ObjectName,
        generation: Generation,
    ) -> Result<(), LegacyError> {
        self.object(bucket, name, generation)?;
        if let Some(kept) = self.buckets.get_mut(bucket) {
            kept.objects.remove(name);
        }
        Ok(())
    }

    fn object(
        &self,
        bucket: &names::Bucket,
        name: &names::ObjectName,
        generation: Generation,
    ) -> Result<&KeptObject, LegacyError> {
        let kept = self.buckets.get(bucket).ok_or_else(error::no_bucket)?;
        let found = kept.objects.get(name).filter(|object| match generation {
            Generation::Newest => true,
            Generation::Exactly(wanted) => object.generation == wanted,
        });
        found.ok_or_else(|| error::no_object(&bucket.to_string(), &name.to_string()))
    }
}

impl Kept {
    fn describe(&self, name: &names::Bucket) -> Bucket {
        Bucket {
            name: name.clone(),
            project: self.project,
            location: self.location.clone(),
            created: self.created,
            updated: self.updated.max(self.created),
            labels: self.labels.clone(),
            metageneration: self.metageneration,
        }
    }
}

impl KeptObject {
    fn describe(&self, bucket: &names::Bucket, name: &names::ObjectName) -> Object {
        Object {
            bucket: bucket.clone(),
            name: name.clone(),
            generation: self.generation,
            content_type: self.content_type.clone(),
            size: self.content.len(),
            crc32c: crc32c::crc32c(&self.content),
            md5: md5(&self.content),
            created: self.created,
        }
    }
}
