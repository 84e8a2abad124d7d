//! What is sent.

use std::borrow::Cow;

use content::limits;
use serde::Serialize;

use crate::error::Error;
use crate::secret::Secret;

/// A request.
pub struct Request<'a> {
    pub(super) url: Cow<'a, str>,
    pub(super) content: Content<'a>,
    pub(super) bearer: Option<&'a Secret>,
    pub(super) headers: Vec<(&'static str, Cow<'a, str>)>,
    pub(super) limit: u64,
    pub(super) slow: Slow,
}

/// What happens if no answer comes in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slow {
    /// The call has failed: a request that waits for something ends like that.
    Fail,
    /// The request is sent again, as to any service that is unavailable.
    Again,
}

/// The content of a request.
pub enum Content<'a> {
    /// None: the request is a GET.
    None,
    /// JSON, sent by POST.
    Json(Vec<u8>),
    /// A form of names and values, sent by POST (`application/x-www-form-urlencoded`).
    Form(&'a [(&'a str, &'a str)]),
}

impl<'a> Request<'a> {
    /// GET `url`.
    pub fn get(url: impl Into<Cow<'a, str>>) -> Self {
        Self::new(url.into(), Content::None)
    }

    /// POST a form to `url`.
    pub fn form(url: impl Into<Cow<'a, str>>, form: &'a [(&'a str, &'a str)]) -> Self {
        Self::new(url.into(), Content::Form(form))
    }

    /// POST `value` as JSON to `url`.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn json(url: impl Into<Cow<'a, str>>, value: &impl Serialize) -> Result<Self, Error> {
        let json = content::json::canonical(value);
        let json = json.map_err(|error| Error::system("writing request", error))?;
        Ok(Self::new(url.into(), Content::Json(json)))
    }

    fn new(url: Cow<'a, str>, content: Content<'a>) -> Self {
        Self {
            url,
            content,
            bearer: None,
            headers: Vec::new(),
            limit: limits::HTTP_BODY,
            slow: Slow::Fail,
        }
    }

    /// The same request with an access token.
    #[must_use]
    pub fn bearer(self, token: &'a Secret) -> Self {
        Self {
            bearer: Some(token),
            ..self
        }
    }

    /// The same request with another header. Its value is no secret.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request, and what happens if no answer comes in time; without it, [`Slow::Fail`].
    #[must_use]
    pub fn when_slow(self, slow: Slow) -> Self {
        Self { slow, ..self }
    }

    /// The same request, for an answer of at most `bytes`; without it, of at most [`limits::HTTP_BODY`].
    #[must_use]
    pub fn limit(self, bytes: u64) -> Self {
        Self {
            limit: bytes,
            ..self
        }
    }
}
