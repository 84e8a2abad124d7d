//! Sends files, or ranges of them.

use std::io::{ErrorKind, SeekFrom};
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::RegistryError;
use super::digest::ContentDigest;

/// The number of bytes that are read from disk at a time.
const CHUNK: usize = 256 << 10;

/// A file to send, with its headers.
pub struct Sent<'a> {
    /// The path of the file.
    pub path: &'a Path,
    /// The value of `Content-Type`.
    pub media_type: &'a str,
    /// The requested digest, which the headers repeat. The file is not checked against it: clients must
    /// detect content that does not match.
    pub digest: &'a ContentDigest,
}

/// Answers GET or HEAD with a file, or the requested range of it. `None` if the file does not exist.
pub async fn send(
    sent: &Sent<'_>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Response>, RegistryError> {
    let mut file = match File::open(sent.path).await {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let size = file.metadata().await?.len();
    let range = requested(headers, size)?;
    let part = range.unwrap_or(Part { start: 0, size });
    let mut response = Response::builder()
        .status(if range.is_some() {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        })
        .header(header::CONTENT_TYPE, sent.media_type)
        .header(header::CONTENT_LENGTH, part.size)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, format!("\"{}\"", sent.digest))
        .header("Docker-Content-Digest", sent.digest.to_string());
    if range.is_some() {
        response = response.header(header::CONTENT_RANGE, part.content_range(size));
    }
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(part.start)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(part.size), CHUNK))
    };
    let response = response.body(body);
    Ok(Some(response.map_err(|error| RegistryError::body(&error))?))
}

/// A part of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Part {
    start: u64,
    size: u64,
}

impl Part {
    fn content_range(&self, whole: u64) -> String {
        format!(
            "bytes {}-{}/{whole}",
            self.start,
            self.start + self.size - 1
        )
    }
}

/// The requested range (RFC 9110 section 14.2). Several ranges, or another unit than bytes, are answered
/// with the whole file, as the RFC allows.
fn requested(headers: &HeaderMap, size: u64) -> Result<Option<Part>, RegistryError> {
    let text = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let Some(text) = text.and_then(|text| text.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    if text.contains(',') {
        return Ok(None);
    }
    match part(text, size) {
        Some(part) => Ok(Some(part)),
        None => Err(RegistryError::range(size)),
    }
}

fn part(text: &str, size: u64) -> Option<Part> {
    let (first, last) = text.trim().split_once('-')?;
    let (start, end) = match (first, last) {
        ("", suffix) => (size.saturating_sub(suffix.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => (
            first.parse().ok()?,
            last.parse::<u64>().ok()?.checked_add(1)?.min(size),
        ),
    };
    (start < end).then(|| Part {
        start,
        size: end - start,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_one_range() {
        for (text, expected) in [
            ("0-0", Some((0, 1))),
            ("2-", Some((2, 8))),
            ("-3", Some((7, 3))),
            ("-30", Some((0, 10))),
            ("8-20", Some((8, 2))),
            ("10-", None),
            ("5-4", None),
            ("-0", None),
            ("-", None),
            ("a-b", None),
            ("0-18446744073709551615", None),
        ] {
            let expected = expected.map(|(start, size)| Part { start, size });
            assert_eq!(part(text, 10), expected, "{text}");
        }
        assert_eq!(part("0-", 0), None);
    }

    proptest! {
        /// A range is not empty, and lies within the blob.
        #[test]
        fn a_range_is_a_part_of_the_blob(text in "[0-9]{0,21}-?[0-9]{0,21}", size in any::<u64>()) {
            if let Some(part) = part(&text, size) {
                prop_assert!(part.size > 0);
                prop_assert!(part.start.checked_add(part.size).is_some_and(|end| end <= size));
            }
        }
    }
}
