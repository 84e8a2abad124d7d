//! Requests and answers: statuses, media types, limits, and errors without secrets.

use std::time::Duration;

use content::{Digest, Hasher, json, limits, printable};
use oci::Descriptor;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::{Error, hint, retry};

/// The time limit for a request and its answer, without the time for its bytes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The slowest rate accepted for content, in bytes per second.
const SLOWEST: u64 = 64 << 10;
/// The longest body read from an error's answer, in bytes.
const ERROR_BODY: u64 = 64 << 10;
/// The longest text shown of a registry's message, in characters.
const MESSAGE: usize = 300;
/// The longest text shown of an answer that is not a registry's, in characters.
const SHOWN: usize = 80;

/// The time limit for `bytes` of content. Without it, a registry that sends a few bytes at a time could block a
/// program forever.
pub(crate) fn time_for(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST)
}

/// An answer of success, or of 404.
pub(crate) enum Answer {
    Found(Response),
    Absent,
}

/// Sorts an answer by its status: success, 404, or an error.
pub(crate) async fn sort(url: &str, response: Response) -> Result<Answer, Error> {
    match response.status() {
        status if status.is_success() => Ok(Answer::Found(response)),
        StatusCode::NOT_FOUND => Ok(Answer::Absent),
        status => Err(refused(url, status, response).await),
    }
}

/// The error for an answer with this status.
pub(crate) async fn refused(url: &str, status: StatusCode, response: Response) -> Error {
    let retry_after = retry::asked_pause(response.headers());
    let body = read(url, response, ERROR_BODY).await.unwrap_or_default();
    Error::Status {
        url: url.to_owned(),
        status: status.as_u16(),
        message: message(&body),
        retry_after,
    }
}

/// The media type of an answer, without parameters and in lower case; empty if the answer names none.
pub(crate) fn content_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE);
    let text = value.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let text = text.split(';').next().unwrap_or_default().trim();
    text.to_ascii_lowercase()
}

/// Refuses an answer whose media type is not JSON, for example a proxy's page. Registries should
/// answer with the media type that was pushed (OCI distribution specification, pulling manifests);
/// some send no media type, or `application/octet-stream`.
pub(crate) fn expect_document(url: &str, expected: &str, response: &Response) -> Result<(), Error> {
    let found = content_type(response);
    match found.is_empty() || found.ends_with("json") || found == "application/octet-stream" {
        true => Ok(()),
        false => Err(foreign(url, expected, &found)),
    }
}

/// Refuses a body that is not a JSON object. It comes from a proxy or a login page, and says nothing
/// about the registry's content.
pub(crate) fn expect_object(url: &str, expected: &str, body: &[u8]) -> Result<(), Error> {
    let body = body.trim_ascii_start();
    match body.starts_with(b"{") {
        true => Ok(()),
        false => {
            let start = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
            Err(foreign(url, expected, &start))
        }
    }
}

/// Refuses an HTML page, unless the blob is one: it comes from a proxy and says nothing about the blob.
pub(crate) fn refuse_page(
    url: &str,
    wanted: &Descriptor,
    response: &Response,
) -> Result<(), Error> {
    let found = content_type(response);
    match found == "text/html" && wanted.media_type != found {
        true => Err(foreign(url, "a blob", &found)),
        false => Ok(()),
    }
}

/// The error for an answer that does not come from a registry, for example the login page of a proxy. `found` is
/// its media type, or its beginning.
pub(crate) fn foreign(url: &str, expected: &str, found: &str) -> Error {
    let fault = format!("expected {expected}, found \"{}\"", printable(found, SHOWN));
    Error::refused(format!("requesting {url}"), fault, hint::FOREIGN)
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(url: &str, response: Response, limit: u64) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    stream(url, response, |piece| {
        body.extend_from_slice(piece);
        match body.len() as u64 > limit {
            true => Err(Error::Limit {
                url: url.to_owned(),
                limit,
            }),
            false => Ok(()),
        }
    })
    .await?;
    Ok(body)
}

/// Passes a body to `take`, piece by piece.
pub(crate) async fn stream(
    url: &str,
    mut response: Response,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    while let Some(piece) = response.chunk().await.map_err(|e| broken(url, e))? {
        take(&piece)?;
    }
    Ok(())
}

pub(crate) fn broken(url: &str, source: reqwest::Error) -> Error {
    Error::Transport {
        doing: format!("requesting {url}"),
        source: source.without_url(),
    }
}

/// Computes the size and the digest of a body.
pub(crate) struct Meter<'a> {
    url: &'a str,
    size: u64,
    hasher: Hasher,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(url: &'a str) -> Self {
        Self {
            url,
            size: 0,
            hasher: Hasher::new(),
        }
    }

    pub(crate) fn count(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.hasher.update(piece);
    }

    /// Refuses a body as soon as it exceeds the descriptor's size.
    pub(crate) fn check_length(&self, descriptor: &Descriptor) -> Result<(), Error> {
        match self.size > descriptor.size {
            true => Err(self.wrong_size(descriptor)),
            false => Ok(()),
        }
    }

    /// Compares the size and digest with the descriptor.
    pub(crate) fn check(self, descriptor: &Descriptor) -> Result<(), Error> {
        if self.size != descriptor.size {
            return Err(self.wrong_size(descriptor));
        }
        check_digest(self.url, descriptor.digest, self.hasher.finish())
    }

    fn wrong_size(&self, descriptor: &Descriptor) -> Error {
        Error::SizeMismatch {
            url: self.url.to_owned(),
            expected: descriptor.size,
            actual: self.size,
        }
    }
}

pub(crate) fn check_digest(url: &str, expected: Digest, actual: Digest) -> Result<(), Error> {
    match expected == actual {
        true => Ok(()),
        false => Err(Error::DigestMismatch {
            url: url.to_owned(),
            expected,
            actual,
        }),
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The codes and messages of a registry's error (OCI distribution specification, error codes),
/// escaped for printing.
fn message(body: &[u8]) -> String {
    let errors = json::parse::<Errors>(body, limits::HTTP_BODY).map(|answer| answer.errors);
    let texts = errors.unwrap_or_default().into_iter().map(|error| {
        let text = format!("{} {}", error.code, error.message);
        text.trim().to_owned()
    });
    let text: String = texts.collect::<Vec<_>>().join(", ");
    printable(&text, MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_the_size() {
        assert_eq!(time_for(0), Duration::ZERO);
        assert_eq!(time_for(limits::MANIFEST), Duration::from_secs(64));
    }

    #[test]
    fn a_registrys_message_is_escaped() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m\u202e"},{"code":"X"}]}"#;
        assert_eq!(message(body), "DENIED no\\u{1b}[31m\\u{202e}, X");
        assert_eq!(message(b"<html>"), "");
    }
}
