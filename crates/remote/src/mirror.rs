//! Files that a server publishes below a URL, such as a repository of The Update Framework. They are verified by others.

use content::at;
use reqwest::{Client, StatusCode, Url};

use crate::{Authorities, Error, http, is_loopback_host, retry, transport};

/// What to do about an address that cannot be used.
const ADDRESS: &str =
    "give the URL below which the files are: https://…, or http://… on this machine";

/// A URL below which files are.
#[derive(Debug)]
pub struct Mirror {
    base: Url,
    client: Client,
}

impl Mirror {
    /// The files below a URL: HTTPS, or HTTP on loopback. `extra_ca` is trusted in addition to the system's authorities.
    ///
    /// # Errors
    /// The URL is of another kind, or the HTTP client cannot be built.
    pub fn new(base: &str, extra_ca: Option<&Authorities>) -> Result<Self, Error> {
        let usable = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => url.host().is_some_and(|host| is_loopback_host(&host)),
            _ => false,
        };
        let plain = |url: &Url| {
            let has_user = !url.username().is_empty() || url.password().is_some();
            !has_user && url.query().is_none() && url.fragment().is_none()
        };
        let text = format!("{}/", base.trim_end_matches('/'));
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| usable(url) && plain(url));
        let base = url.ok_or_else(|| {
            let shown = at::shown(base.as_ref());
            let fault =
                "expected https://…, or http://… on this machine, without user, query and fragment";
            Error::refused(format!("reading address {shown}"), fault, ADDRESS)
        })?;
        let mut builder = transport::client().https_only(base.scheme() == "https");
        if let Some(authorities) = extra_ca {
            builder = builder.tls_certs_merge(authorities.certificates()?);
        }
        let client = transport::build(base.as_str(), builder)?;
        Ok(Self { base, client })
    }

    /// Fetches the file at `path` below the URL, of at most `limit` bytes; `None` if the server has no such file. A server that
    /// lists no files answers 403 for one that it does not have.
    ///
    /// # Errors
    /// The server does not answer, the file is larger, or `path` is not plain: it would be another after normalisation.
    pub async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let url = self.base.join(path).ok();
        let whole = format!("{}{path}", self.base);
        let url = url.filter(|url| url.as_str() == whole && !path.contains(['?', '#']));
        let Some(url) = url else {
            let doing = format!("requesting {}", at::shown(whole.as_ref()));
            return Err(Error::refused(doing, "expected a plain path", ADDRESS));
        };
        retry::retry(http::PATIENCE, || self.try_get(url.clone(), limit)).await
    }

    async fn try_get(&self, url: Url, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let text = url.to_string();
        let time = http::PATIENCE + http::time_for(limit);
        let answer = self.client.get(url).timeout(time).send().await;
        let answer = answer.map_err(|error| http::broken(&text, error))?;
        if answer.status() == StatusCode::FORBIDDEN {
            return Ok(None);
        }
        match http::sort(&text, answer).await? {
            http::Answer::Found(answer) => Ok(Some(http::read(&text, answer, limit).await?)),
            http::Answer::Absent => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_loopback() {
        for base in [
            "https://m.example",
            "https://m.example/a/",
            "http://127.0.0.1:1/x",
        ] {
            let mirror = Mirror::new(base, None).unwrap();
            assert_eq!(
                mirror.base.as_str(),
                format!("{}/", base.trim_end_matches('/'))
            );
        }
        for base in [
            "",
            "m.example",
            "http://m.example",
            "ftp://m.example",
            "https://u@m.example",
            "https://m.example?a",
        ] {
            let error = Mirror::new(base, None).unwrap_err().to_string();
            assert!(error.starts_with("reading address"), "{base}: {error}");
        }
    }

    #[tokio::test]
    async fn a_path_stays_below_the_address() {
        let mirror = Mirror::new("http://127.0.0.1:1/a", None).unwrap();
        for path in [
            "../x",
            "a/../../x",
            "%2e%2e/x",
            "/x",
            "//h.example/x",
            "https://h.example/x",
            "x?y",
            "x#y",
            "a\\..\\x",
        ] {
            let error = mirror.get(path, 1).await.unwrap_err().to_string();
            assert!(error.ends_with("expected a plain path"), "{path}: {error}");
        }
    }
}
