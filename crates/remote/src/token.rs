//! Access tokens for a registry. The OCI distribution specification does not define how a client
//! obtains them; nearly all registries follow Docker's "Token authentication specification".

use content::{json, limits};
use http_auth::parser::ChallengeParser;
use reqwest::header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Body, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use url::form_urlencoded;

use crate::access::{Access, Authorization};
use crate::http::{self, Answer};
use crate::login::Login;
use crate::realm::Realm;
use crate::transport::Endpoint;
use crate::{Error, Registry, hint};

const FORM: &str = "application/x-www-form-urlencoded";
const CLIENT_ID: &str = "countersign";

/// A registry's challenge for a bearer token.
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

/// The answer of a token service. Both names for the token are in use.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

impl Registry {
    /// The credentials to send with a request for `access`. They are determined once, by a request for
    /// the API's root.
    ///
    /// # Errors
    /// [`Error::Authenticate`] if that request or the request for a token fails; [`Error::Credentials`]
    /// if it is refused because the user's credentials could not be read.
    pub(crate) async fn authorization(&self, access: Access) -> Result<Authorization, Error> {
        let mut known = self.known.lock().await;
        if let Some(authorization) = known.get(&access) {
            return Ok(authorization.clone());
        }
        let found = self.ask(access).await?;
        known.insert(access, found.clone());
        Ok(found)
    }

    /// The credentials to send in place of `sent`, which were refused with 401; `None` if there are no
    /// others. The challenge in that answer takes precedence: some registries send one for the
    /// repository and none at the API's root.
    ///
    /// # Errors
    /// As [`Registry::authorization`].
    pub(crate) async fn renewed(
        &self,
        access: Access,
        sent: &Authorization,
        refused: &HeaderMap,
    ) -> Result<Option<Authorization>, Error> {
        if self.login.registry_token().is_some() {
            return Ok(None);
        }
        let found = match (Challenge::find(refused), sent) {
            (Some(challenge), _) => Authorization::Bearer(self.token(&challenge, access).await?),
            (None, Authorization::Bearer(_)) => self.ask(access).await?,
            (None, Authorization::Anonymous | Authorization::Basic) => return Ok(None),
        };
        self.known.lock().await.insert(access, found.clone());
        Ok(Some(found))
    }

    async fn ask(&self, access: Access) -> Result<Authorization, Error> {
        if let Some(token) = self.login.registry_token() {
            return Ok(Authorization::Bearer(token.to_owned()));
        }
        let Endpoint { root, http } = self.endpoint().await?;
        let asked = brief(http.get(root)).send().await;
        let answer = asked.map_err(|error| self.unauthenticated(http::broken(root, error)))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let refused = http::refused(root, status, answer).await;
            return Err(self.unauthenticated(refused));
        }
        Ok(
            match (Challenge::find(answer.headers()), self.login.basic()) {
                (Some(challenge), _) => {
                    Authorization::Bearer(self.token(&challenge, access).await?)
                }
                (None, Some(_)) => Authorization::Basic,
                (None, None) => Authorization::Anonymous,
            },
        )
    }

    async fn token(&self, challenge: &Challenge, access: Access) -> Result<String, Error> {
        let given = self.exchange(challenge, access).await;
        given.map_err(|error| self.unauthenticated(self.blame_login(error)))
    }

    /// # Errors
    /// The token service must not receive the credentials, the request fails, its answer is larger than
    /// [`limits::TOKEN`], or it contains no token.
    async fn exchange(&self, challenge: &Challenge, access: Access) -> Result<String, Error> {
        let Endpoint { root, http } = self.endpoint().await?;
        let realm = Realm::of(&challenge.realm, root)?;
        if self.login.identity_token().is_some() || self.login.basic().is_some() {
            realm.check_trusted()?;
        }
        let url = realm.url;
        let scope = self.scope(challenge, access);
        // The query is long and does not help a reader.
        let shown = without_query(&url);
        if let Some(token) = self.login.identity_token() {
            let request = http.post(url.clone()).header(CONTENT_TYPE, FORM);
            let request = request.body(once(challenge.form(&scope, token)));
            // A token service that does not implement OAuth 2 answers 404. Then the token is requested by GET, as in crane.
            if let Answer::Found(answer) = answered(&shown, request).await? {
                return received(&shown, answer).await;
            }
        }
        let request = self.with_login(http.get(challenge.query(url, &scope)));
        match answered(&shown, request).await? {
            Answer::Found(answer) => received(&shown, answer).await,
            Answer::Absent => Err(Error::NotFound { url: shown }),
        }
    }

    /// The scope of the challenge; if it names none, the scope for this repository.
    fn scope(&self, challenge: &Challenge, access: Access) -> String {
        let action = match access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let own = || format!("repository:{}:{action}", self.repository().path());
        challenge.scope.clone().unwrap_or_else(own)
    }

    pub(crate) fn authorize(
        &self,
        request: RequestBuilder,
        authorization: &Authorization,
    ) -> RequestBuilder {
        match authorization {
            Authorization::Bearer(token) => request.bearer_auth(token),
            Authorization::Basic => self.with_login(request),
            Authorization::Anonymous => request,
        }
    }

    fn with_login(&self, request: RequestBuilder) -> RequestBuilder {
        match self.login.basic() {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    /// If a request was refused because the credentials could not be read, returns the reason why they
    /// could not.
    pub(crate) fn blame_login(&self, error: Error) -> Error {
        match (&self.login, &error) {
            (Login::Unreadable(fault), Error::Status { status, .. }) if is_refusal(*status) => {
                Error::Credentials {
                    registry: self.repository().registry().to_owned(),
                    fault: fault.clone(),
                }
            }
            _ => error,
        }
    }

    fn unauthenticated(&self, source: Error) -> Error {
        match source {
            Error::Credentials { .. } => source,
            source => Error::Authenticate {
                registry: self.repository().registry().to_owned(),
                source: Box::new(source),
            },
        }
    }
}

fn is_refusal(status: u16) -> bool {
    matches!(status, 401 | 403)
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
            scope: parameter("scope").filter(|scope| !scope.is_empty()),
        })
    }

    /// The URL of a token request by GET (Docker, token authentication specification).
    fn query(&self, mut realm: Url, scope: &str) -> Url {
        realm
            .query_pairs_mut()
            .append_pair("scope", scope)
            .extend_pairs(self.service_pair());
        realm
    }

    /// The body of a token request by POST with a refresh token (Docker, OAuth 2 token specification).
    fn form(&self, scope: &str, refresh_token: &str) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("scope", scope)
            .append_pair("refresh_token", refresh_token)
            .extend_pairs(self.service_pair())
            .finish()
    }

    fn service_pair(&self) -> Option<(&str, &str)> {
        self.service.as_deref().map(|service| ("service", service))
    }
}

/// A body that is not sent again after a redirect, which could take the refresh token in it to another host. Of a header,
/// the client takes care itself.
fn once(form: String) -> Body {
    Body::wrap(Body::from(form))
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

async fn answered(url: &str, request: RequestBuilder) -> Result<Answer, Error> {
    let answered = brief(request).send().await;
    let answer = answered.map_err(|error| http::broken(url, error))?;
    http::sort(url, answer).await
}

async fn received(url: &str, answer: Response) -> Result<String, Error> {
    let body = http::read(url, answer, limits::TOKEN).await?;
    token_in(&body).ok_or_else(|| {
        let doing = format!("requesting {url}");
        Error::refused(doing, "the answer contains no token", hint::LATER)
    })
}

fn brief(request: RequestBuilder) -> RequestBuilder {
    request.timeout(http::PATIENCE)
}

/// The token in an answer; `None` if there is no token that fits in a header. The reason is not
/// reported, because the text could contain the token.
fn token_in(body: &[u8]) -> Option<String> {
    let given: Given = json::parse(body, limits::TOKEN).ok()?;
    let mut names = [given.token, given.access_token].into_iter().flatten();
    let token = names.find(|token| !token.is_empty())?;
    let fits = token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT: &str = "http://r.example/v2/";

    fn found(texts: &[&'static str]) -> Option<String> {
        let values = texts.iter().map(|text| text.parse().unwrap());
        let headers = values.map(|value| (WWW_AUTHENTICATE, value)).collect();
        let challenge = Challenge::find(&headers)?;
        let realm = Realm::of(&challenge.realm, ROOT).unwrap();
        Some(challenge.query(realm.url, "x").to_string())
    }

    #[test]
    fn a_refresh_token_is_sent_in_a_form() {
        let challenge = Challenge {
            realm: String::new(),
            service: Some("s 1".to_owned()),
            scope: None,
        };
        assert_eq!(
            challenge.form("repository:a/b:pull", "t&t"),
            "grant_type=refresh_token&client_id=countersign&scope=repository%3Aa%2Fb%3Apull\
             &refresh_token=t%26t&service=s+1"
        );
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

    proptest! {
        /// Any text is either parsed as a challenge or ignored; a token is requested for this scope only.
        #[test]
        fn any_challenge_is_read(
            text in "(Bearer |Basic |,|=|\"|realm=\"?|https?://[a-z]{1,5}|scope=|service=|\\\\|[ -~]){0,12}"
        ) {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, text.parse().unwrap())]);
            if let Some(challenge) = Challenge::find(&headers)
                && let Ok(Realm { url: realm, .. }) = Realm::of(&challenge.realm, ROOT)
            {
                let url = challenge.query(realm.clone(), "x y&z");
                let added = url.query_pairs().skip(realm.query_pairs().count());
                let added: Vec<_> = added.collect();
                prop_assert_eq!(&added[0], &("scope".into(), "x y&z".into()));
                prop_assert_eq!(added.len(), 1 + usize::from(challenge.service.is_some()));
            }
        }
    }
}
