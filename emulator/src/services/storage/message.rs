//! Requests and answers of the JSON API, as far as they are emulated.

use std::collections::BTreeMap;

use google::ProjectNumber;
use google::storage as names;

use crate::services::Labels;

/// A bucket without its objects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// The name.
    pub name: names::Bucket,
    /// The project.
    pub project: ProjectNumber,
    /// The location, in upper case.
    pub location: String,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// When it was updated, in Unix seconds.
    pub updated: u64,
    /// The labels.
    pub labels: Labels,
    /// How often it was updated, beginning with 1.
    pub metageneration: u64,
}

/// A change of labels by key: `None` removes a label.
pub type LabelChange = BTreeMap<String, Option<String>>;

/// An object without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// The bucket.
    pub bucket: names::Bucket,
    /// The name.
    pub name: names::ObjectName,
    /// The generation of its content.
    pub generation: u64,
    /// The media type of its content.
    pub content_type: String,
    /// The size of its content, in bytes.
    pub size: usize,
    /// The CRC32C of its content.
    pub crc32c: u32,
    /// The MD5 of its content.
    pub md5: [u8; 16],
    /// When it was uploaded, in Unix seconds.
    pub created: u64,
}

/// A new object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upload {
    /// The name.
    pub name: String,
    /// The media type of the content.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
    /// The CRC32C of the content by the sender.
    pub crc32c: Option<u32>,
    /// What must hold of the object before.
    pub precondition: Precondition,
}

/// What must hold of an object before it is replaced (`ifGenerationMatch`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// It does not exist.
    Absent,
    /// It has this generation.
    Generation(u64),
}

/// The generation of an object in a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Generation {
    /// The newest.
    #[default]
    Newest,
    /// This one.
    Exactly(u64),
}
