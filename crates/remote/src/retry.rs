//! Retries of transient failures: a busy registry, a broken connection.
//!
//! Only requests that can be repeated are retried: requests that change nothing, and uploads, which
//! store content under its own digest or begin a new session each time (OCI distribution
//! specification, pushing blobs and manifests).

use std::collections::hash_map::RandomState;
use std::error::Error as StdError;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::Instant;

use crate::Error;

/// Maximum number of tries of one request.
const TRIES: u32 = 4;
/// The pause before the second try. It doubles before each further try.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// Calls `attempt` until it succeeds, fails permanently, or has failed [`TRIES`] times. No try begins
/// later than `limit` after the first; if the registry asks for a longer pause, there is no other try.
///
/// # Errors
/// The last error, in [`Error::GaveUp`] if there were several tries.
pub(crate) async fn retry<T, F: Future<Output = Result<T, Error>>>(
    limit: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Error> {
    let end = Instant::now() + limit;
    let mut tries = 1;
    loop {
        let error = match attempt().await {
            Err(error) if error.is_transient() => error,
            outcome => return outcome,
        };
        let pause = pause(tries, error.retry_after());
        if tries == TRIES || Instant::now() + pause > end {
            return Err(gave_up(tries, error));
        }
        tokio::time::sleep(pause).await;
        tries += 1;
    }
}

fn gave_up(tries: u32, source: Error) -> Error {
    match tries {
        1 => source,
        tries => Error::GaveUp {
            tries,
            source: Box::new(source),
        },
    }
}

fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let own = with_jitter(FIRST_PAUSE * 2_u32.pow(tries - 1));
    asked.map_or(own, |asked| asked.max(own))
}

/// A random duration between `time` and twice `time`, so that clients that collided once do not
/// collide again.
pub(crate) fn with_jitter(time: Duration) -> Duration {
    // The hasher is the standard library's source of randomness.
    let random = RandomState::new().build_hasher().finish();
    let part = u32::try_from(random % 1024).unwrap_or_default();
    time + time * part / 1024
}

/// The pause that an answer asks for (RFC 9110, section 10.2.3). A date is compared with the `Date`
/// of the answer itself, since the registry's clock may differ from the local one.
pub(crate) fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let answered = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(until.duration_since(answered).unwrap_or_default())
}

/// Whether a request that was answered with this status may succeed if repeated.
fn is_busy(status: u16) -> bool {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether an established connection broke. A connection that was refused, or whose certificate was
/// refused, would be refused again; a timeout has used up the time limit.
fn broke(error: &reqwest::Error) -> bool {
    let after = !error.is_connect() && !error.is_builder() && !error.is_redirect();
    !error.is_timeout() && (after || was_reset(error))
}

fn was_reset(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    let mut kinds = causes.filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    kinds.any(|kind| {
        matches!(
            kind,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
        )
    })
}

impl Error {
    fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => is_busy(*status),
            Self::Transport { source, .. } => broke(source),
            Self::Authenticate { source, .. } | Self::Upload { source, .. } => {
                source.is_transient()
            }
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Authenticate { source, .. } | Self::Upload { source, .. } => source.retry_after(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs.map(|(n, v)| (n, v.parse().unwrap())).collect()
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_date() {
        let seconds = |pairs: &[_]| asked_pause(&headers(pairs)).map(|pause| pause.as_secs());
        assert_eq!(seconds(&[(RETRY_AFTER, "7")]), Some(7));
        let date = (DATE, "Sat, 28 Nov 2026 23:59:58 GMT");
        let until = (RETRY_AFTER, "Sun, 29 Nov 2026 00:00:03 GMT");
        assert_eq!(seconds(&[date.clone(), until.clone()]), Some(5));
        assert_eq!(seconds(&[until]), None);
        let past = (RETRY_AFTER, "Sat, 28 Nov 2026 00:00:00 GMT");
        assert_eq!(seconds(&[date, past]), Some(0));
        assert_eq!(seconds(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn pauses_grow_and_are_never_shorter_than_asked() {
        assert!(pause(1, None) >= FIRST_PAUSE && pause(1, None) <= 2 * FIRST_PAUSE);
        assert!(pause(3, None) >= 4 * FIRST_PAUSE);
        let asked = Duration::from_secs(9);
        assert_eq!(pause(1, Some(asked)), asked);
        assert!(pause(1, Some(Duration::ZERO)) >= FIRST_PAUSE);
    }

    fn status(status: u16, retry_after: Option<Duration>) -> Error {
        Error::Status {
            url: String::new(),
            status,
            message: String::new(),
            retry_after,
        }
    }

    async fn tries(error: impl Fn() -> Error, limit: Duration) -> (u32, Error) {
        let mut count = 0;
        let outcome: Result<(), Error> = retry(limit, || {
            count += 1;
            std::future::ready(Err(error()))
        })
        .await;
        (count, outcome.unwrap_err())
    }

    #[tokio::test]
    async fn tries_end() {
        let minute = Duration::from_secs(60);
        let (count, error) = tries(|| status(503, None), minute).await;
        assert_eq!(count, TRIES);
        assert!(error.to_string().ends_with("(tried 4 times)"), "{error}");
        let (count, error) = tries(|| status(404, None), minute).await;
        assert_eq!(count, 1);
        assert!(matches!(error, Error::Status { .. }), "{error}");
        let hour = Some(Duration::from_secs(3600));
        let (count, error) = tries(|| status(429, hour), minute).await;
        assert_eq!(count, 1);
        assert!(error.to_string().contains("3600 s"), "{error}");
        let second = Some(Duration::from_secs(1));
        let started = Instant::now();
        assert_eq!(tries(|| status(429, second), minute).await.0, 4);
        assert!(started.elapsed() >= Duration::from_secs(3));
    }
}
