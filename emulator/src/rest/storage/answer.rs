//! Answers of the JSON API.

use axum::Json;
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::clock;
use crate::legacy_error::LegacyError;
use crate::services::storage::{Bucket, Object};

/// Links to resources at this address.
pub(super) struct Links(String);

impl Links {
    pub(super) fn to(address: &str) -> Self {
        Self(address.to_owned())
    }

    /// The address of an upload in several requests.
    pub(super) fn resumable(&self, bucket: &str, id: &str) -> String {
        let address = &self.0;
        format!("{address}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={id}")
    }

    pub(super) fn bucket(&self, bucket: &Bucket) -> Json<Value> {
        Json(self.describe_bucket(bucket))
    }

    pub(super) fn buckets(&self, buckets: &[Bucket]) -> Json<Value> {
        let items: Vec<_> = buckets.iter().map(|b| self.describe_bucket(b)).collect();
        Json(json!({"kind": "storage#buckets", "items": items}))
    }

    pub(super) fn object(&self, object: &Object) -> Json<Value> {
        Json(self.describe_object(object))
    }

    pub(super) fn objects(&self, objects: &[Object]) -> Json<Value> {
        let items: Vec<_> = objects.iter().map(|o| self.describe_object(o)).collect();
        Json(json!({"kind": "storage#objects", "items": items}))
    }

    fn describe_bucket(&self, bucket: &Bucket) -> Value {
        let Bucket {
            name,
            project,
            location,
            created,
            updated,
            labels,
            metageneration,
        } = bucket;
        let mut written = json!({
            "kind": "storage#bucket",
            "id": name,
            "name": name,
            "selfLink": format!("{}/storage/v1/b/{name}", self.0),
            "projectNumber": project.get().to_string(),
            "location": location,
            "storageClass": "STANDARD",
            "metageneration": metageneration.to_string(),
            "etag": etag(*metageneration),
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}},
            "timeCreated": clock::rfc3339(*created),
            "updated": clock::rfc3339(*updated),
        });
        if !labels.get().is_empty() {
            written["labels"] = json!(labels.get());
        }
        written
    }

    fn describe_object(&self, object: &Object) -> Value {
        let (bucket, name, generation) = (&object.bucket, &object.name, object.generation);
        let link = format!("storage/v1/b/{bucket}/o/{}", name.segment());
        let created = clock::rfc3339(object.created);
        json!({
            "kind": "storage#object",
            "id": format!("{bucket}/{name}/{generation}"),
            "bucket": bucket,
            "name": name,
            "selfLink": format!("{}/{link}", self.0),
            "mediaLink": format!("{}/download/{link}?generation={generation}&alt=media", self.0),
            "generation": generation.to_string(),
            "metageneration": "1",
            "contentType": object.content_type,
            "storageClass": "STANDARD",
            "size": object.size.to_string(),
            "crc32c": checksum(object),
            "md5Hash": STANDARD.encode(object.md5),
            "etag": STANDARD.encode(generation.to_be_bytes()),
            "timeCreated": created,
            "updated": created,
        })
    }
}

/// The etag of a bucket: its metageneration as field 1 of a message (Protocol Buffers, "Encoding"), as at Google.
fn etag(metageneration: u64) -> String {
    let mut message = vec![0x08];
    let mut rest = metageneration;
    let low = |number: u64| number.to_le_bytes()[0];
    while rest > 0x7f {
        message.push(low(rest) | 0x80);
        rest >>= 7;
    }
    message.push(low(rest));
    STANDARD.encode(message)
}

/// The CRC32C of an object, in base64 of its bytes, most significant first.
fn checksum(object: &Object) -> String {
    STANDARD.encode(object.crc32c.to_be_bytes())
}

/// The content of an object, or the part of it that is asked for (RFC 9110 section 14.2).
pub(super) fn media(object: &Object, content: Vec<u8>, asked: &HeaderMap) -> Response {
    let headers = [
        ("content-type", object.content_type.clone()),
        (
            "x-goog-hash",
            format!(
                "crc32c={},md5={}",
                checksum(object),
                STANDARD.encode(object.md5)
            ),
        ),
        ("x-goog-generation", object.generation.to_string()),
        ("x-goog-metageneration", "1".to_owned()),
        ("x-goog-stored-content-encoding", "identity".to_owned()),
        ("x-goog-stored-content-length", object.size.to_string()),
        ("x-goog-storage-class", "STANDARD".to_owned()),
    ];
    let size = content.len();
    match asked
        .get(RANGE)
        .and_then(|value| part(value.to_str().ok()?, size))
    {
        None => (headers, content).into_response(),
        Some(Some((first, last))) => {
            let range = [(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"))];
            let part = content[first..=last].to_vec();
            (StatusCode::PARTIAL_CONTENT, headers, range, part).into_response()
        }
        Some(None) => {
            let range = [(CONTENT_RANGE, format!("bytes */{size}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
        }
    }
}

/// The first and the last position of a range `bytes=FIRST-LAST` or `bytes=FIRST-`; `Some(None)` if the content ends before it, and
/// `None` for what is no such range, which means all.
fn part(text: &str, size: usize) -> Option<Option<(usize, usize)>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let last = match last {
        "" => usize::MAX,
        last => last.parse().ok()?,
    };
    let last = last.min(size.saturating_sub(1));
    Some((first < size && first <= last).then_some((first, last)))
}

/// A policy as Cloud Storage returns it.
pub(super) fn policy(mut policy: Value, bucket: &str) -> Value {
    policy["kind"] = "storage#policy".into();
    policy["resourceId"] = format!("projects/_/buckets/{bucket}").into();
    policy
}

/// An error in place of the content of an object, which is not JSON either.
pub(super) fn text(error: &LegacyError) -> Response {
    let kind = [(CONTENT_TYPE, "text/html; charset=UTF-8")];
    (error.status(), kind, error.message.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metageneration_has_an_etag() {
        for (metageneration, expected) in [(1, "CAE="), (2, "CAI="), (300, "CKwC")] {
            assert_eq!(etag(metageneration), expected);
        }
    }

    #[test]
    fn a_range_is_within_the_content() {
        for (text, expected) in [
            ("bytes=0-4", Some(Some((0, 4)))),
            ("bytes=5-", Some(Some((5, 9)))),
            ("bytes=5-99", Some(Some((5, 9)))),
            ("bytes=10-", Some(None)),
            ("bytes=3-2", Some(None)),
            ("bytes=-5", None),
            ("bytes=0-1,3-4", None),
        ] {
            assert_eq!(part(text, 10), expected, "{text}");
        }
        assert_eq!(part("bytes=0-", 0), Some(None));
    }
}
