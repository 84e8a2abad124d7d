use std::collections::BTreeSet;

use content::{Digest, limits};
use oci::{Descriptor, Index, Manifest, Tag, Target, media};
use reqwest::header::{ACCEPT, HeaderMap, LINK};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use crate::http::{self, Answer};
use crate::registry::Access;
use crate::tag::Changed;
use crate::{Error, Registry};

const A_LIST: &str = "a list of referrers";
/// Pages of one list: a registry that gives one entry a page is still read whole.
const PAGES: usize = limits::REFERRERS;

/// Who keeps the list of an image's referrers.
enum List {
    /// The registry.
    Registry(Vec<Descriptor>),
    /// Its clients, as an index under a tag (OCI distribution specification, referrers tag schema).
    Tag(Vec<Descriptor>),
}

impl Registry {
    /// The manifests whose subject is `subject`, in the order of their digests. Each was fetched
    /// and checked; what the list says about them plays no part.
    ///
    /// # Errors
    /// A registry that does not answer; one that names what it does not have; more than
    /// [`limits::REFERRERS`] entries or [`limits::REFERRERS_TOTAL`] bytes; a manifest that cannot be
    /// read.
    pub async fn referrers(&self, subject: &Digest) -> Result<Vec<(Digest, Manifest)>, Error> {
        let (List::Registry(listed) | List::Tag(listed)) = self.list(subject).await?;
        let images = listed.iter().filter(|d| d.media_type == media::MANIFEST);
        let digests: BTreeSet<Digest> = images.map(|d| d.digest).collect();
        let mut referrers = Vec::new();
        let mut budget = Budget::new();
        for digest in digests {
            let bytes = self.manifest(&digest).await?;
            budget.spend(&self.manifest_url(&Target::Digest(digest)), &bytes)?;
            let manifest = Manifest::parse(&bytes).map_err(|e| self.image_error(e))?;
            if manifest.subject.as_ref().map(|s| s.digest) == Some(*subject) {
                referrers.push((digest, manifest));
            }
        }
        Ok(referrers)
    }

    /// Stores a manifest that has a subject, and lists it among the subject's referrers where the
    /// registry keeps no list itself. Its layers must be there; the empty configuration is stored if
    /// it is needed.
    ///
    /// # Errors
    /// A manifest without a subject, [`Error::Entries`] if there is no room for another, or a registry
    /// that refuses.
    pub async fn attach_referrer(&self, manifest: Manifest) -> Result<Digest, Error> {
        let Some(subject) = manifest.subject.as_ref().map(|s| s.digest) else {
            return Err(Error::NoSubject);
        };
        let bytes = manifest.to_bytes().map_err(|e| self.image_error(e))?;
        if manifest.config.digest == Descriptor::empty().digest {
            self.push_blob(media::EMPTY, b"{}").await?;
        }
        let digest = Digest::of(&bytes);
        self.check_room(&subject, &digest).await?;
        self.push_manifest(&Target::Digest(digest), &bytes, media::MANIFEST)
            .await?;
        self.keep_listed(&subject, entry(&manifest, &bytes)).await?;
        Ok(digest)
    }

    /// One referrer more than is read would make all of them unreadable.
    async fn check_room(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        let (List::Registry(listed) | List::Tag(listed)) = self.list(subject).await?;
        match listed.iter().any(|d| d.digest == *referrer) {
            true => Ok(()),
            false => check_count(&self.url(&format!("referrers/{subject}")), listed.len() + 1),
        }
    }

    /// Adds `entry` to the list if it is ours to keep. Some registries say that they keep it and do
    /// not, so the list decides and not their answer.
    async fn keep_listed(&self, subject: &Digest, entry: Descriptor) -> Result<(), Error> {
        if let List::Registry(_) = self.list(subject).await? {
            return Ok(());
        }
        let tag = Tag::of_digest(subject, "").map_err(|e| self.image_error(e))?;
        let url = self.manifest_url(&Target::Tag(tag.clone()));
        self.change_tag(&tag, |current| self.with_entry(current, &entry, &url))
            .await
    }

    /// The index with the entry; `None` if it has it.
    fn with_entry(
        &self,
        current: Option<&[u8]>,
        entry: &Descriptor,
        url: &str,
    ) -> Result<Option<Changed>, Error> {
        let mut listed = match current {
            Some(bytes) => {
                let index = Index::parse(bytes).map_err(|e| self.image_error(e))?;
                index.manifests
            }
            None => Vec::new(),
        };
        if listed.iter().any(|d| d.digest == entry.digest) {
            return Ok(None);
        }
        listed.push(entry.clone());
        check_count(url, listed.len())?;
        let index = Index::new(listed);
        Ok(Some(Changed {
            bytes: index.to_bytes().map_err(|e| self.image_error(e))?,
            media_type: media::INDEX,
            config: None,
        }))
    }

    async fn list(&self, subject: &Digest) -> Result<List, Error> {
        match self.list_by_registry(subject).await? {
            Some(listed) => Ok(List::Registry(listed)),
            None => Ok(List::Tag(self.list_by_tag(subject).await?)),
        }
    }

    /// `None` if the registry keeps no list.
    async fn list_by_registry(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let mut url = self.url(&format!("referrers/{subject}"));
        let mut listed = Vec::new();
        let mut budget = Budget::new();
        for number in 0..PAGES {
            let Some((page, next)) = self.page(&url, &mut budget).await? else {
                return match number {
                    0 => Ok(None),
                    _ => Err(Error::NotFound { url }),
                };
            };
            listed.extend(page.manifests);
            check_count(&url, listed.len())?;
            match next {
                Some(next) => url = next,
                None => return Ok(Some(listed)),
            }
        }
        let limit = PAGES;
        Err(Error::Entries { url, limit })
    }

    /// One page and the address of the next. No digest speaks for a list: one that cannot be read
    /// is no answer, and neither an empty list nor anybody's fault but the registry's.
    async fn page(
        &self,
        url: &str,
        budget: &mut Budget,
    ) -> Result<Option<(Index, Option<String>)>, Error> {
        let time = http::patience(limits::MANIFEST);
        let accept = |request: RequestBuilder| request.header(ACCEPT, media::INDEX).timeout(time);
        let response = self.send(Access::Pull, Method::GET, url, accept).await?;
        if keeps_no_list(response.status()) {
            return Ok(None);
        }
        let Answer::Found(response) = http::sort(url, response).await? else {
            return Ok(None);
        };
        http::expect_document(url, A_LIST, &response)?;
        let next = next_page(url, response.headers())?;
        let bytes = http::read(url, response, limits::MANIFEST).await?;
        budget.spend(url, &bytes)?;
        let index = Index::parse(&bytes);
        let index = index.map_err(|error| http::foreign(url, A_LIST, &error.to_string()))?;
        Ok(Some((index, next)))
    }

    async fn list_by_tag(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let tag = Tag::of_digest(subject, "").map_err(|e| self.image_error(e))?;
        let Some(bytes) = self.manifest_by_tag(&tag).await? else {
            return Ok(Vec::new());
        };
        let index = Index::parse(&bytes).map_err(|e| self.image_error(e))?;
        check_count(&self.manifest_url(&Target::Tag(tag)), index.manifests.len())?;
        Ok(index.manifests)
    }
}

fn check_count(url: &str, count: usize) -> Result<(), Error> {
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

/// Bytes that lists, or the manifests in them, may still have.
struct Budget {
    left: u64,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: limits::REFERRERS_TOTAL,
        }
    }

    fn spend(&mut self, url: &str, bytes: &[u8]) -> Result<(), Error> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| Error::Limit {
            url: url.to_owned(),
            limit: limits::REFERRERS_TOTAL,
        })?;
        Ok(())
    }
}

/// What the list says about a referrer (OCI distribution specification, listing referrers).
fn entry(manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let config_type = || Some(manifest.config.media_type.clone());
    Descriptor {
        annotations: manifest.annotations.clone(),
        artifact_type: manifest.artifact_type.clone().or_else(config_type),
        ..Descriptor::of(media::MANIFEST, bytes)
    }
}

/// The address behind `rel="next"` (RFC 8288). It must be the same registry: the request carries
/// our credentials.
fn next_page(url: &str, headers: &HeaderMap) -> Result<Option<String>, Error> {
    let header = || Error::Header {
        url: url.to_owned(),
        header: "Link",
    };
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

/// The next page among the links of one header (RFC 8288, section 3).
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
        assert!(next("<https://evil.example/>; rel=\"next\"").is_err());
        assert!(next("<http://r.example/>; rel=\"next\"").is_err());
    }
}
