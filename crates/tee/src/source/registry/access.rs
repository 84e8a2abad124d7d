//! Requests to a registry. Without a password; and if it is one of Google's, as the machine's service account, which
//! is the operator's.

use std::cell::OnceCell;

use content::limits;

use super::super::metadata::account_token;
use crate::deadline::Deadline;
use crate::encode::printable;
use crate::endpoint::{Endpoint, is_loopback};
use crate::error::Error;
use crate::http::{Answer, Client, Request};
use crate::repository::Repository;
use crate::secret::Secret;
use crate::tee::Tee;

/// What all requests are for.
pub(super) const DOING: &str = "reading signatures from the registry";
/// The most redirects of one request: blobs are often elsewhere.
const REDIRECTS: usize = 3;
/// The largest length of an address, in bytes; signed addresses are long.
const ADDRESS: usize = 8192;

/// A repository in its registry.
pub(crate) struct Registry<'a> {
    tee: &'a Tee<'a>,
    /// The network, until the deadline.
    network: Client<'a>,
    repository: &'a Repository,
    /// The token that the registry asked for.
    token: OnceCell<Secret>,
}

#[derive(serde::Deserialize)]
struct Granted {
    token: Option<Secret>,
    access_token: Option<Secret>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(
        tee: &'a Tee<'a>,
        repository: &'a Repository,
        deadline: Deadline<'a>,
    ) -> Self {
        Self {
            tee,
            network: tee.network().until(deadline),
            repository,
            token: OnceCell::new(),
        }
    }

    /// What is at `path`; `None` if the registry says that there is nothing.
    pub(super) fn get(
        &self,
        path: &str,
        accept: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let url = format!("{}/{path}", self.repository.api());
        let mut answer = self.ask(&url, accept, limit)?;
        if self.is_closed(&answer) && self.token.get().is_none() {
            let token = self.authorize(&answer)?;
            self.token.get_or_init(|| token);
            answer = self.ask(&url, accept, limit)?;
        }
        let answer = self.follow(answer, accept, limit)?;
        match answer.status() {
            404 => Ok(None),
            _ => Ok(Some(answer.ok(DOING)?.into_body().bytes().to_vec())),
        }
    }

    /// Whether a token may open it. Google's registries answer 403 to requests without one.
    fn is_closed(&self, answer: &Answer) -> bool {
        let status = answer.status();
        status == 401 || (status == 403 && is_google(self.repository.host()))
    }

    fn ask(&self, url: &str, accept: &str, limit: u64) -> Result<Answer, Error> {
        let request = Request::get(url).header("accept", accept).limit(limit);
        let request = match self.token.get() {
            Some(token) => request.bearer(token),
            None => request,
        };
        self.network.call(DOING, &request)
    }

    /// Follows redirects, without the token: they lead to other hosts.
    fn follow(&self, mut answer: Answer, accept: &str, limit: u64) -> Result<Answer, Error> {
        for _ in 0..REDIRECTS {
            if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
                break;
            }
            let address = answer.header("location").unwrap_or_default().to_owned();
            if !is_address(&address, self.repository) {
                return Err(Error::incomplete(DOING, "location"));
            }
            let request = Request::get(address).header("accept", accept).limit(limit);
            answer = self.network.call(DOING, &request)?;
        }
        Ok(answer)
    }

    /// The token that opens the repository.
    fn authorize(&self, refused: &Answer) -> Result<Secret, Error> {
        if is_google(self.repository.host()) {
            return account_token(self.tee);
        }
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        let url = self.token_address(challenge);
        let url = url.ok_or_else(|| refused.error(DOING))?;
        let request = Request::get(url).limit(limits::TOKEN);
        let granted = self.network.call(DOING, &request)?;
        let granted: Granted = granted.json(DOING)?;
        let token = granted.token.or(granted.access_token);
        token.ok_or_else(|| Error::incomplete(DOING, "token"))
    }

    /// The address of a token to pull without a password (distribution, "Token Authentication Specification").
    fn token_address(&self, challenge: &str) -> Option<String> {
        let (scheme, rest) = challenge.split_once(' ')?;
        let realm = parameter(rest, "realm")?;
        let is_right = scheme.eq_ignore_ascii_case("bearer")
            && Endpoint::parse(realm).is_ok()
            && is_protected(realm, self.repository);
        let service = parameter(rest, "service").unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let scope = format!("scope=repository:{}:pull", self.repository.path());
        (is_right && service.chars().all(is_plain))
            .then(|| format!("{realm}?service={service}&{scope}"))
    }
}

/// The value of `name="value"` in a challenge (RFC 7235, section 2.1).
fn parameter<'t>(challenge: &'t str, name: &str) -> Option<&'t str> {
    let parameters = challenge.split(',').map(str::trim);
    let named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.into_iter().find(|(found, _)| *found == name)?;
    value.strip_prefix('"')?.strip_suffix('"')
}

/// Whether a registry is one of Google's, which takes access tokens of Google Cloud.
fn is_google(host: &str) -> bool {
    host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev")
}

/// Whether an address may be followed: https, or this machine if the repository is there; its path and query are the registry's own.
fn is_address(address: &str, repository: &Repository) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    address.len() <= ADDRESS
        && printable(address, ADDRESS) == address
        && !address.contains('\\')
        && Endpoint::parse(&format!("{scheme}://{authority}")).is_ok()
        && is_protected(address, repository)
}

/// Whether an address is https. A registry on the network leads to nothing on this machine.
fn is_protected(address: &str, repository: &Repository) -> bool {
    address.starts_with("https://") || is_loopback(repository.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_challenges() {
        let challenge =
            r#"realm="https://auth.example/token",service="registry.example",scope="x""#;
        let found = parameter(challenge, "realm");
        assert_eq!(found, Some("https://auth.example/token"));
        assert_eq!(parameter(challenge, "service"), Some("registry.example"));
        assert_eq!(parameter(challenge, "error"), None);
        assert_eq!(parameter("realm=x", "realm"), None);
    }

    #[test]
    fn the_operators_token_goes_to_googles_registries_only() {
        for (host, google) in [
            ("europe-docker.pkg.dev", true),
            ("eu.gcr.io", true),
            ("pkg.dev.example", false),
            ("notpkg.dev", false),
            ("xgcr.io", false),
        ] {
            assert_eq!(is_google(host), google, "{host}");
        }
    }

    #[test]
    fn follows_safe_addresses_only() {
        let repository = |text| Repository::parse(text).unwrap();
        let (here, elsewhere) = (
            repository("127.0.0.1:1/a"),
            repository("registry.example/a"),
        );
        let zeros = "0".repeat(600);
        let user = format!("http://localhost:{zeros}@10.0.0.5/x");
        let long = format!("https://storage.example/{}", "a".repeat(600));
        for (address, is_safe) in [
            ("https://storage.example/blob?X-Signature=a%2Fb", true),
            (&long, true),
            ("http://127.0.0.1:80/blob", true),
            ("http://storage.example/blob", false),
            (&user, false),
            ("http://localhost\\@10.0.0.5/x", false),
            ("https://me@storage.example/x", false),
            ("/blob", false),
            ("https://storage.example/a\nb", false),
            ("", false),
        ] {
            assert_eq!(is_address(address, &here), is_safe, "{address}");
            let is_safe = is_safe && address.starts_with("https:");
            assert_eq!(is_address(address, &elsewhere), is_safe, "{address}");
        }
    }
}
