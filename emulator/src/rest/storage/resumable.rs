//! Uploads in several requests ("Resumable uploads"): the first one names the object, the others bring its content in order. Those
//! that are not finished end with the emulator.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::answer::Links;
use super::message::Request;
use crate::legacy_error::LegacyError;
use crate::random;
use crate::services::Services;
use crate::services::storage::Upload;
use crate::services::storage::error;

/// The largest content, in bytes: the emulator keeps all objects in memory.
pub(super) const LARGEST: usize = 64 << 20;
/// All parts but the last are a multiple of this size, in bytes.
const QUANTUM: usize = 256 << 10;
/// The largest number of unfinished uploads.
const UNFINISHED: usize = 100;

/// Unfinished uploads.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Unfinished>);

/// By ID, and in the order in which they began.
#[derive(Default)]
struct Unfinished {
    sessions: BTreeMap<String, Session>,
    begun: u64,
}

/// An unfinished upload.
struct Session {
    /// The number of uploads that began before.
    number: u64,
    bucket: String,
    /// The object, with the content so far.
    upload: Upload,
}

/// What a request brings (RFC 9110 section 14.4, `Content-Range`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Range {
    /// The first and the last position; `None` asks for the state only.
    part: Option<(usize, usize)>,
    /// The size of the whole; `None` if it is not known yet.
    total: Option<usize>,
}

impl Sessions {
    /// Begins an upload, and answers with its address.
    pub(super) fn begin(
        &self,
        services: &Services,
        links: &Links,
        request: &Request,
        (bucket, upload): (&str, Upload),
    ) -> Result<Response, LegacyError> {
        services.storage.check_upload(&request.context, bucket)?;
        let id = random::text().map_err(|_| crate::status::Status::internal())?;
        let location = links.resumable(bucket, &id);
        self.lock().begin(id, bucket.to_owned(), upload);
        Ok((StatusCode::OK, [(header::LOCATION, location)]).into_response())
    }

    /// Takes a part; answers with the object once it is complete.
    pub(super) fn take(
        &self,
        services: &Services,
        links: &Links,
        request: &Request,
        (headers, body): (&HeaderMap, &[u8]),
    ) -> Result<Response, LegacyError> {
        let id = request.required("upload_id")?;
        self.check(services, request, id)?;
        let range = range(headers, body)?;
        let mut unfinished = self.lock();
        let session = unfinished.sessions.get_mut(id).ok_or_else(no_upload)?;
        let content = &mut session.upload.content;
        if let Some((first, last)) = range.part {
            check(range, (first, last), content.len(), body.len())?;
            content.extend_from_slice(body);
        }
        if range.total != Some(content.len()) {
            return Ok(incomplete(content.len()));
        }
        let Some(Session { bucket, upload, .. }) = unfinished.sessions.remove(id) else {
            return Err(no_upload());
        };
        drop(unfinished);
        let made = services.storage.upload(&request.context, &bucket, upload)?;
        Ok(links.object(&made).into_response())
    }

    /// Ends an upload (`499 Client Closed Request`, as Google answers).
    pub(super) fn cancel(
        &self,
        services: &Services,
        request: &Request,
    ) -> Result<Response, LegacyError> {
        let id = request.required("upload_id")?;
        self.check(services, request, id)?;
        let removed = self.lock().sessions.remove(id);
        removed.ok_or_else(no_upload)?;
        let closed = StatusCode::from_u16(499).unwrap_or(StatusCode::NO_CONTENT);
        Ok(closed.into_response())
    }

    /// Checks that the caller may upload to the bucket of an upload, before anything else about the request is.
    fn check(&self, services: &Services, request: &Request, id: &str) -> Result<(), LegacyError> {
        let bucket = self.lock().sessions.get(id).map(|one| one.bucket.clone());
        let bucket = bucket.ok_or_else(no_upload)?;
        services.storage.check_upload(&request.context, &bucket)
    }

    fn lock(&self) -> MutexGuard<'_, Unfinished> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unfinished {
    /// Begins an upload. If there are too many, the oldest one ends.
    fn begin(&mut self, id: String, bucket: String, upload: Upload) {
        if self.sessions.len() >= UNFINISHED {
            let oldest = self.sessions.iter().min_by_key(|(_, one)| one.number);
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| self.sessions.remove(&id));
        }
        let number = self.begun;
        self.begun += 1;
        let session = Session {
            number,
            bucket,
            upload,
        };
        self.sessions.insert(id, session);
    }
}

/// The part that a request brings; all of the content without a range.
fn range(headers: &HeaderMap, body: &[u8]) -> Result<Range, LegacyError> {
    let Some(value) = headers.get(header::CONTENT_RANGE) else {
        let part = (!body.is_empty()).then(|| (0, body.len() - 1));
        let total = Some(body.len());
        return Ok(Range { part, total });
    };
    let parsed = value.to_str().ok().and_then(parse);
    parsed.ok_or_else(|| LegacyError::bad_request("Failed to parse Content-Range header."))
}

/// `bytes FIRST-LAST/TOTAL`, where `*` stands for what is unknown.
fn parse(text: &str) -> Option<Range> {
    let (part, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let part = match part {
        "*" => None,
        part => {
            let (first, last) = part.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        }
    };
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some(Range { part, total })
}

/// Checks that a part follows what is there, and that it may be as large as it is.
fn check(
    range: Range,
    (first, last): (usize, usize),
    there: usize,
    size: usize,
) -> Result<(), LegacyError> {
    let more = last.checked_sub(first);
    let is_whole = more.and_then(|more| more.checked_add(1)) == Some(size);
    if first != there || !is_whole || range.total.is_some_and(|total| last >= total) {
        let message = format!(
            "Invalid request. The number of bytes uploaded is required to be equal or greater than {there}, except for the \
             final request, and to follow the bytes before."
        );
        return Err(LegacyError::bad_request(message));
    }
    let is_last = range.total == Some(last + 1);
    if !is_last && !size.is_multiple_of(QUANTUM) {
        let message = format!("The size of a part must be a multiple of {QUANTUM} bytes.");
        return Err(LegacyError::bad_request(message));
    }
    match range.total.unwrap_or(last + 1) > LARGEST {
        true => Err(LegacyError::unimplemented(format!(
            "Objects of more than {LARGEST} bytes are not emulated."
        ))),
        false => Ok(()),
    }
}

/// More is expected (`308 Resume Incomplete`); what is there is named.
fn incomplete(there: usize) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    let last = there.checked_sub(1).map(|last| format!("bytes=0-{last}"));
    let last = last.and_then(|range| header::HeaderValue::from_str(&range).ok());
    if let Some(range) = last {
        response.headers_mut().insert(header::RANGE, range);
    }
    response
}

fn no_upload() -> LegacyError {
    error::gone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let read = |part, total| Some(Range { part, total });
        assert_eq!(parse("bytes 0-9/10"), read(Some((0, 9)), Some(10)));
        assert_eq!(parse("bytes 0-9/*"), read(Some((0, 9)), None));
        assert_eq!(parse("bytes */10"), read(None, Some(10)));
        for text in ["", "bytes", "bytes 1/2", "bytes a-b/c", "octets 0-1/2"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn parts_follow_each_other() {
        let accepts = |first: usize, last: usize, total, there, size| {
            let part = Some((first, last));
            check(Range { part, total }, (first, last), there, size).is_ok()
        };
        assert!(accepts(0, QUANTUM - 1, None, 0, QUANTUM));
        assert!(accepts(QUANTUM, QUANTUM + 4, Some(QUANTUM + 5), QUANTUM, 5));
        assert!(
            !accepts(0, 4, None, 0, 5),
            "too small for a part that is not the last"
        );
        assert!(!accepts(0, QUANTUM - 1, None, QUANTUM, QUANTUM), "again");
        assert!(!accepts(5, 9, Some(10), 0, 5), "a gap");
        assert!(!accepts(0, 9, Some(10), 0, 5), "another size than said");
        assert!(!accepts(0, 9, Some(5), 0, 10), "beyond the end");
        assert!(!accepts(0, usize::MAX, None, 0, 0), "no such size");
        let most = LARGEST - QUANTUM;
        assert!(accepts(most, LARGEST - 1, None, most, QUANTUM));
        assert!(
            !accepts(0, QUANTUM - 1, Some(LARGEST + 1), 0, QUANTUM),
            "too large"
        );
    }

    #[test]
    fn the_oldest_upload_makes_room() {
        let mut unfinished = Unfinished::default();
        let upload = || Upload {
            name: "o".into(),
            content_type: "t".into(),
            content: Vec::new(),
            crc32c: None,
            precondition: crate::services::storage::Precondition::None,
        };
        // The first ID is the last one in the order of text.
        for number in (0..=UNFINISHED).rev() {
            unfinished.begin(format!("{number:03}"), "b".into(), upload());
        }
        assert_eq!(unfinished.sessions.len(), UNFINISHED);
        assert!(!unfinished.sessions.contains_key("100"));
        assert!(unfinished.sessions.contains_key("000"));
    }
}
