//! The lists of referrers that registries keep, read page by page (OCI distribution specification,
//! listing referrers).

use content::{Digest, limits};
use oci::media;
use reqwest::header::{ACCEPT, HeaderMap, LINK};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use crate::access::Access;
use crate::http::{self, Answer};
use crate::list::{Entry, List};
use crate::retry::retry;
use crate::{Error, Registry};

const A_LIST: &str = "a list of referrers";
/// Maximum number of pages of one list. A registry that sends one entry per page is still read completely.
const PAGES: usize = limits::REFERRERS;

impl Registry {
    /// The entries of the registry's list; `None` if the registry keeps no lists.
    pub(crate) async fn list_by_registry(
        &self,
        subject: &Digest,
    ) -> Result<Option<Vec<Entry>>, Error> {
        let mut url = self.url(&format!("referrers/{subject}")).await?;
        let mut listed = Vec::new();
        let mut budget = Budget::new();
        for number in 0..PAGES {
            let time = self.patience(limits::MANIFEST);
            let Some((bytes, next)) = retry(time, || self.page(&url)).await? else {
                return match number {
                    0 => Ok(None),
                    _ => Err(Error::NotFound { url }),
                };
            };
            budget.spend(&url, bytes.len() as u64)?;
            listed.extend(list_of_registry(&url, &bytes)?.entries());
            check_count(&url, listed.len())?;
            match next {
                Some(next) => url = next,
                None => return Ok(Some(listed)),
            }
        }
        let limit = PAGES;
        Err(Error::Entries { url, limit })
    }

    /// One page and the URL of the next.
    async fn page(&self, url: &str) -> Result<Option<(Vec<u8>, Option<String>)>, Error> {
        let time = self.patience(limits::MANIFEST);
        let accept = |request: RequestBuilder| request.header(ACCEPT, media::INDEX).timeout(time);
        let response = self.send(Access::Pull, Method::GET, url, accept).await?;
        if keeps_no_list(response.status()) {
            return Ok(None);
        }
        let Answer::Found(response) = self.sort(url, response).await? else {
            return Ok(None);
        };
        http::expect_document(url, A_LIST, &response)?;
        let next = next_page(url, response.headers())?;
        let bytes = http::read(url, response, limits::MANIFEST).await?;
        Ok(Some((bytes, next)))
    }
}

/// Lists are not content-addressed, so a list that cannot be parsed is an error of the registry, and
/// never an empty list.
fn list_of_registry(url: &str, bytes: &[u8]) -> Result<List, Error> {
    match List::parse(bytes) {
        Ok(Some(list)) => Ok(list),
        Ok(None) => Err(http::foreign(url, A_LIST, &String::from_utf8_lossy(bytes))),
        Err(error) => Err(http::foreign(url, A_LIST, &error.to_string())),
    }
}

pub(crate) fn check_count(url: &str, count: usize) -> Result<(), Error> {
    let limit = limits::REFERRERS;
    match count > limit {
        true => Err(Error::Entries {
            url: url.to_owned(),
            limit,
        }),
        false => Ok(()),
    }
}

/// Registries without the API answer 404, some 400, 405 or 406 (OCI distribution specification,
/// listing referrers).
fn keeps_no_list(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND
            | StatusCode::BAD_REQUEST
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_ACCEPTABLE
    )
}

/// The number of bytes that may still be read of a list's pages, or of the manifests that it names.
pub(crate) struct Budget {
    left: u64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            left: limits::REFERRERS_TOTAL,
        }
    }

    pub(crate) fn spend(&mut self, url: &str, bytes: u64) -> Result<(), Error> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| Error::Limit {
            url: url.to_owned(),
            limit: limits::REFERRERS_TOTAL,
        })?;
        Ok(())
    }
}

/// The URL with `rel="next"` (RFC 8288). It must have the origin of `url`, because the request carries
/// the user's credentials.
fn next_page(url: &str, headers: &HeaderMap) -> Result<Option<String>, Error> {
    let header = || Error::header(url, "Link");
    let texts = headers.get_all(LINK).iter().map(|value| value.to_str());
    let texts: Vec<_> = texts.collect::<Result<_, _>>().map_err(|_| header())?;
    let Some(next) = texts.into_iter().find_map(parse_link) else {
        return Ok(None);
    };
    let base = Url::parse(url).map_err(|_| header())?;
    let next = base.join(next).map_err(|_| header())?;
    match next.origin() == base.origin() {
        true => Ok(Some(next.into())),
        false => Err(header()),
    }
}

/// The URL of the next page among the links of one header (RFC 8288, section 3).
fn parse_link(text: &str) -> Option<&str> {
    let links = text.split('<').skip(1);
    let mut links = links.filter_map(|link| link.split_once('>'));
    let (address, _) = links.find(|(_, rest)| rest.split([';', ',']).any(is_next))?;
    Some(address)
}

/// Whether a parameter names the next page, alone or among other relations (RFC 8288, section 3.3).
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel")
        && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next(link: &str) -> Result<Option<String>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, link.parse().unwrap());
        next_page("https://r.example/v2/a/referrers/sha256:0", &headers)
    }

    #[test]
    fn follows_the_next_page_of_the_same_registry() {
        let expected = Some("https://r.example/v2/a/referrers/sha256:0?n=2".to_owned());
        let relative = "</v2/a/referrers/sha256:0?n=2>; rel=\"next\"";
        assert_eq!(next(relative).unwrap(), expected);
        for rel in [
            "rel=next",
            "REL = Next",
            "rel=\"last next\"",
            "x; rel=\"next\"",
        ] {
            let absolute = format!("<https://r.example/v2/a/referrers/sha256:0?n=2>;{rel}");
            assert_eq!(next(&absolute).unwrap(), expected, "{rel}");
        }
        let among = "</x>; rel=\"prev\", </v2/a/referrers/sha256:0?n=2>; rel=\"next\"";
        assert_eq!(next(among).unwrap(), expected);
        let mut headers = HeaderMap::new();
        for link in ["</x>; rel=\"prev\"", relative] {
            headers.append(LINK, link.parse().unwrap());
        }
        let url = "https://r.example/v2/a/referrers/sha256:0";
        assert_eq!(next_page(url, &headers).unwrap(), expected);
        assert_eq!(next("</x>; rel=\"prev\"").unwrap(), None);
        for elsewhere in ["https://evil.example/", "http://r.example/"] {
            let error = next(&format!("<{elsewhere}>; rel=\"next\"")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "requesting https://r.example/v2/a/referrers/sha256:0: header Link is missing or malformed"
            );
        }
    }

    proptest! {
        /// No header makes the client send the user's credentials to another server.
        #[test]
        fn a_next_page_has_the_origin_of_the_registry(
            link in "(<|>|;|,| |=|\"|rel=\"?next|https?:|//|r\\.example|:443|@|\\\\|[ -~]){0,16}"
        ) {
            if let Ok(Some(page)) = next(&link) {
                prop_assert!(page.starts_with("https://r.example/"), "{page}");
            }
        }
    }
}
