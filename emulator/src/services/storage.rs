//! Cloud Storage: buckets and objects. An object has one generation, the newest: there is no object versioning.

mod buckets;
pub mod error;
mod md5;
mod message;

use std::sync::Arc;

use google::storage as names;

pub use self::buckets::Buckets;
pub use self::message::{Bucket, Generation, LabelChange, Object, Precondition, Upload};
use super::iam::{Change, Iam, Policy};
use super::{Context, Labels};
use crate::legacy_error::LegacyError;
use crate::state::Stored;

/// Cloud Storage.
pub struct Storage {
    buckets: Stored<Buckets>,
    iam: Arc<Iam>,
}

impl Storage {
    /// A service with these buckets.
    pub fn new(buckets: Stored<Buckets>, iam: Arc<Iam>) -> Self {
        Self { buckets, iam }
    }

    /// `buckets.insert`.
    ///
    /// # Errors
    /// The caller lacks the permission, the name is invalid, or a bucket of any project has it.
    pub fn create_bucket(
        &self,
        context: &Context,
        project: &str,
        name: &str,
        (location, labels): (&str, Labels),
    ) -> Result<Bucket, LegacyError> {
        let resource = format!("projects/{project}");
        self.iam
            .demand(context, "storage.buckets.create", &[&resource])?;
        let number = self.iam.project(project)?;
        let name: names::Bucket = name.parse().map_err(|_| error::bucket_name(name))?;
        self.buckets
            .change(|buckets| buckets.create(&name, number, (location, labels), context.now))
    }

    /// `buckets.get`.
    ///
    /// # Errors
    /// The bucket does not exist, or the caller lacks the permission.
    pub fn get_bucket(&self, context: &Context, name: &str) -> Result<Bucket, LegacyError> {
        self.demand(context, "storage.buckets.get", name)
    }

    /// `buckets.list` of a project.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn list_buckets(
        &self,
        context: &Context,
        project: &str,
    ) -> Result<Vec<Bucket>, LegacyError> {
        let resource = format!("projects/{project}");
        self.iam
            .demand(context, "storage.buckets.list", &[&resource])?;
        let number = self.iam.project(project)?;
        Ok(self.buckets.look(|buckets| buckets.list(number)))
    }

    /// A bucket that the caller may update.
    ///
    /// # Errors
    /// The bucket does not exist, or the caller lacks the permission.
    pub fn bucket_to_update(&self, context: &Context, name: &str) -> Result<Bucket, LegacyError> {
        self.demand(context, "storage.buckets.update", name)
    }

    /// `buckets.patch`. With `metageneration`, only if the bucket still has this one.
    ///
    /// # Errors
    /// The bucket does not exist or has another metageneration, the caller lacks the permission, or the labels are invalid.
    pub fn update_bucket(
        &self,
        context: &Context,
        name: &str,
        labels: LabelChange,
        metageneration: Option<u64>,
    ) -> Result<Bucket, LegacyError> {
        let bucket = self.bucket_to_update(context, name)?;
        self.buckets
            .change(|buckets| buckets.update(&bucket.name, labels, metageneration, context.now))
    }

    /// `buckets.delete`.
    ///
    /// # Errors
    /// The bucket does not exist or has objects, or the caller lacks the permission.
    pub fn delete_bucket(&self, context: &Context, name: &str) -> Result<(), LegacyError> {
        let bucket = self.demand(context, "storage.buckets.delete", name)?;
        self.buckets
            .change(|buckets| buckets.delete(&bucket.name))?;
        Ok(self.iam.forget_policy(&resource(&bucket.name))?)
    }

    /// Whether a caller may upload to a bucket; what is uploaded is checked later.
    ///
    /// # Errors
    /// The bucket does not exist, or the caller lacks the permission.
    pub fn check_upload(&self, context: &Context, bucket: &str) -> Result<(), LegacyError> {
        self.demand(context, "storage.objects.create", bucket)
            .map(drop)
    }

    /// `objects.insert`: replaces the object if there is one.
    ///
    /// # Errors
    /// The bucket does not exist, the caller lacks the permission, the name is invalid, the precondition does not hold, or the
    /// content does not have the checksum of the sender.
    pub fn upload(
        &self,
        context: &Context,
        bucket: &str,
        upload: Upload,
    ) -> Result<Object, LegacyError> {
        let bucket = self.demand(context, "storage.objects.create", bucket)?;
        let name: names::ObjectName = upload.name.parse().map_err(|_| error::object_name())?;
        let is_there = self
            .buckets
            .look(|buckets| buckets.has(&bucket.name, &name));
        if is_there {
            // Replacing an object deletes the one before.
            self.demand_object(context, "storage.objects.delete", &bucket, &name)?;
        }
        self.buckets
            .change(|buckets| buckets.put(&bucket.name, &name, upload, context.now))
    }

    /// `objects.get`, with the content.
    ///
    /// # Errors
    /// The bucket, the object or the generation does not exist, or the caller lacks the permission.
    pub fn get(
        &self,
        context: &Context,
        bucket: &str,
        name: &str,
        generation: Generation,
    ) -> Result<(Object, Vec<u8>), LegacyError> {
        let (bucket, name) = self.find(context, "storage.objects.get", bucket, name)?;
        self.buckets
            .look(|buckets| buckets.get(&bucket.name, &name, generation))
    }

    /// `objects.list`: those whose names begin with `prefix`.
    ///
    /// # Errors
    /// The bucket does not exist, or the caller lacks the permission.
    pub fn list(
        &self,
        context: &Context,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<Object>, LegacyError> {
        let bucket = self.demand(context, "storage.objects.list", bucket)?;
        Ok(self
            .buckets
            .look(|buckets| buckets.objects(&bucket.name, prefix)))
    }

    /// `objects.delete`.
    ///
    /// # Errors
    /// The bucket, the object or the generation does not exist, or the caller lacks the permission.
    pub fn delete(
        &self,
        context: &Context,
        bucket: &str,
        name: &str,
        generation: Generation,
    ) -> Result<(), LegacyError> {
        let (bucket, name) = self.find(context, "storage.objects.delete", bucket, name)?;
        self.buckets
            .change(|buckets| buckets.remove(&bucket.name, &name, generation))
    }

    /// `buckets.getIamPolicy`.
    ///
    /// # Errors
    /// The bucket or the policy version does not exist, or the caller lacks the permission.
    pub fn policy(
        &self,
        context: &Context,
        bucket: &str,
        version: u32,
    ) -> Result<Policy, LegacyError> {
        let bucket = self.demand(context, "storage.buckets.getIamPolicy", bucket)?;
        Ok(self.iam.policy(&resource(&bucket.name), version)?)
    }

    /// `buckets.setIamPolicy`.
    ///
    /// # Errors
    /// The bucket does not exist, the caller lacks the permission, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        bucket: &str,
        change: Change,
    ) -> Result<Policy, LegacyError> {
        let bucket = self.demand(context, "storage.buckets.setIamPolicy", bucket)?;
        let project = bucket.project.get().to_string();
        Ok(self
            .iam
            .set_policy_of(&project, &resource(&bucket.name), change)?)
    }

    /// A bucket on which the caller has the permission. That a bucket does not exist is no secret.
    fn demand(
        &self,
        context: &Context,
        permission: &str,
        bucket: &str,
    ) -> Result<Bucket, LegacyError> {
        let bucket = self.buckets.look(|buckets| buckets.find(bucket))?;
        let name = resource(&bucket.name);
        self.iam
            .demand_of(
                context,
                permission,
                &bucket.project.get().to_string(),
                &[&name],
            )
            .map_err(|_| error::denied(permission, "bucket"))?;
        Ok(bucket)
    }

    fn find(
        &self,
        context: &Context,
        permission: &str,
        bucket: &str,
        name: &str,
    ) -> Result<(Bucket, names::ObjectName), LegacyError> {
        let bucket = self.buckets.look(|buckets| buckets.find(bucket))?;
        let name: names::ObjectName = name.parse().map_err(|_| error::object_name())?;
        self.demand_object(context, permission, &bucket, &name)?;
        Ok((bucket, name))
    }

    fn demand_object(
        &self,
        context: &Context,
        permission: &str,
        bucket: &Bucket,
        name: &names::ObjectName,
    ) -> Result<(), LegacyError> {
        let parent = resource(&bucket.name);
        let object = format!("{parent}/objects/{name}");
        let project = bucket.project.get().to_string();
        self.iam
            .demand_of(context, permission, &project, &[&object, &parent])
            .map_err(|_| error::denied(permission, "object"))
    }
}

/// The name of a bucket as a resource of IAM: buckets are in no project.
fn resource(bucket: &names::Bucket) -> String {
    format!("projects/_/buckets/{bucket}")
}

#[cfg(test)]
mod tests;
