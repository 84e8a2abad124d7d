//! Tokens of a registry: where they are asked for, and what answers. The distribution specification
//! leaves this to registries; nearly all do as Docker's does ("Token authentication specification").

use content::{json, limits};
use http_auth::parser::ChallengeParser;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;

use crate::credentials::Login;
use crate::http::{self, Answer};
use crate::registry::Access;
use crate::{Error, Registry};

/// What a registry that wants a token says about it.
struct Challenge {
    realm: String,
    service: Option<String>,
}

/// What a token service answers. Both names are in use.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

impl Registry {
    /// A new token; `None` if the registry wants none.
    ///
    /// # Errors
    /// [`Error::Authenticate`] if there is no answer, none within [`limits::TOKEN`], or no token in
    /// it.
    pub(crate) async fn new_token(&self, access: Access) -> Result<Option<String>, Error> {
        let given = self.exchange(access).await;
        given.map_err(|source| Error::Authenticate {
            registry: self.repository().registry().to_owned(),
            source: Box::new(source),
        })
    }

    async fn exchange(&self, access: Access) -> Result<Option<String>, Error> {
        let asked = brief(self.http.get(&self.root)).send().await;
        let answer = asked.map_err(|error| http::broken(&self.root, error))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(http::refused(&self.root, status, answer).await);
        }
        let Some(challenge) = Challenge::find(answer.headers()) else {
            return Ok(None);
        };
        let action = match access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{}:{action}", self.repository().path());
        let url = challenge.url(&self.root, &scope)?;
        // Without the query: it is long, and says nothing to a reader.
        let shown = without_query(&url);
        let request = self.with_login(brief(self.http.get(url)));
        let answered = request.send().await;
        let answer = answered.map_err(|error| http::broken(&shown, error))?;
        let Answer::Found(answer) = http::sort(&shown, answer).await? else {
            return Err(Error::NotFound { url: shown });
        };
        let body = http::read(&shown, answer, limits::TOKEN).await?;
        token_in(&body)
            .map(Some)
            .ok_or(Error::NoToken { url: shown })
    }

    pub(crate) fn with_login(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.login {
            Login::Basic(user, password) => request.basic_auth(user, Some(password)),
            Login::Anonymous => request,
        }
    }
}

impl Challenge {
    /// The first challenge for a bearer token (RFC 9110, section 11.6.1; RFC 6750, section 3).
    fn find(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let mut challenges = texts.flat_map(|text| ChallengeParser::new(text).flatten());
        let bearer =
            challenges.find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))?;
        let parameter = |name: &str| {
            let mut all = bearer.params.iter();
            let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        Some(Self {
            realm: parameter("realm")?,
            service: parameter("service"),
        })
    }

    fn url(&self, root: &str, scope: &str) -> Result<Url, Error> {
        let expected = "the address of a token service";
        let mut url =
            Url::parse(&self.realm).map_err(|_| http::foreign(root, expected, &self.realm))?;
        let service = self.service.as_deref().map(|service| ("service", service));
        url.query_pairs_mut()
            .append_pair("scope", scope)
            .extend_pairs(service);
        Ok(url)
    }
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

fn brief(request: RequestBuilder) -> RequestBuilder {
    request.timeout(http::patience(0))
}

/// Why there is none is not said: the reason could hold the token. What no header can hold is none.
fn token_in(body: &[u8]) -> Option<String> {
    let given: Given = json::parse(body, limits::TOKEN).ok()?;
    let mut names = [given.token, given.access_token].into_iter().flatten();
    let token = names.find(|token| !token.is_empty())?;
    let fits = token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&'static str]) -> Option<String> {
        let values = texts.iter().map(|text| text.parse().unwrap());
        let headers = values.map(|value| (WWW_AUTHENTICATE, value)).collect();
        let challenge = Challenge::find(&headers)?;
        Some(challenge.url("", "x").unwrap().to_string())
    }

    #[test]
    fn finds_the_challenge_among_others() {
        let bearer = r#"Basic realm="x", bearer Realm="http://t.example/a?b=c",service="s 1""#;
        let url = "http://t.example/a?b=c&scope=x&service=s+1";
        assert_eq!(found(&[bearer]).as_deref(), Some(url));
        let alone = r#"Bearer realm="http://t.example""#;
        let url = "http://t.example/?scope=x";
        assert_eq!(found(&["Basic realm=x", alone]).as_deref(), Some(url));
        for none in ["", "Basic realm=x", "Bearer service=x", "Bearer"] {
            assert_eq!(found(&[none]), None, "{none}");
        }
    }

    #[test]
    fn a_token_has_two_names() {
        let token = |body: &str| token_in(body.as_bytes());
        assert_eq!(
            token(r#"{"token":"a","expires_in":1}"#).as_deref(),
            Some("a")
        );
        assert_eq!(token(r#"{"access_token":"b"}"#).as_deref(), Some("b"));
        assert_eq!(
            token(r#"{"token":"a","access_token":"a"}"#).as_deref(),
            Some("a")
        );
        assert_eq!(
            token(r#"{"token":"","access_token":"b"}"#).as_deref(),
            Some("b")
        );
        for none in [
            "{}",
            r#"{"token":""}"#,
            r#""a""#,
            "<html>",
            r#"{"token":1}"#,
            r#"{"token":"a\nb"}"#,
        ] {
            assert_eq!(token(none), None, "{none}");
        }
    }
}
