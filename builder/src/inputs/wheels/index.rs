//! The package index that the user has configured. This program contains no address of one.

use console::hint::Hinted;
use console::location::without_login;
use console::progress::Meter;
use reqwest::Url;

use super::listing::{self, ACCEPT, ANSWER, Listed};
use crate::elsewhere::is_loopback;
use crate::host;
use crate::inputs::Supply;
use crate::inputs::debian::{Downloads, Fault};
use crate::inputs::error::DependencyError;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;

/// Number of attempts at a download.
const TRIES: u32 = 3;

const NONE: &str = "name the package index with --wheel-index or PIP_INDEX_URL, as for pip: its address ends with /simple at most indexes";
const UNREACHED: &str = "check that the package index can be reached: --wheel-index, PIP_INDEX_URL or pip's configuration names it";
const AUTHORITIES: &str =
    "HTTPS needs certificate authorities: install ca-certificates, or name them with SSL_CERT_FILE";

/// The index, by its address.
pub(super) struct Index<'a> {
    address: Url,
    downloads: Downloads,
    supply: Supply<'a>,
}

impl<'a> Index<'a> {
    /// The index that the user has named, or else that of the user's pip.
    ///
    /// # Errors
    /// There is none, its address is invalid, or pip fails.
    pub(super) fn find(supply: &Supply<'a>) -> Result<Self, DependencyError> {
        supply.check_network("wheels")?;
        let named = match supply.wheels {
            Some(named) => Some(named.to_owned()),
            None => host::pip_index()?,
        };
        let named = named.ok_or_else(|| {
            Hinted::new("finding the package index: none is named, and pip is not installed")
                .hinting(NONE)
        })?;
        let address = address(&named).ok_or_else(|| {
            let named = shown(&without_login(&named));
            Hinted::new(format_args!(
                "finding the package index: expected https://… (http:// only on loopback), found {named}"
            ))
            .hinting(NONE)
        })?;
        Ok(Self {
            downloads: downloads(&address, supply)?,
            address,
            supply: *supply,
        })
    }

    /// The same index. The bytes that it sends are counted.
    #[must_use]
    pub(super) fn counting(mut self, meter: &Meter) -> Self {
        self.downloads.count(meter);
        self
    }

    /// The files of a project; `None` if the index does not have it.
    ///
    /// # Errors
    /// The index cannot be reached, or its answer is invalid.
    pub(super) fn files(&self, name: &ProjectName) -> Result<Option<Vec<Listed>>, DependencyError> {
        let unread = |reason: &str| {
            let reason = shown(reason);
            Hinted::new(format_args!("reading the package index: {name}: {reason}")).hinting(
                "check the address of the index: it must have the Simple API, as pip needs it",
            )
        };
        let url = self.address.join(&format!("{name}/"));
        let url = url.map_err(|error| unread(&error.to_string()))?;
        match self.fetch(&url, &self.downloads, ANSWER)? {
            None => Ok(None),
            Some(bytes) => {
                let files = listing::parse(&bytes).map_err(|fault| unread(&fault))?;
                Ok(Some(files))
            }
        }
    }

    /// The bytes of a file of a project, at most `limit`.
    ///
    /// # Errors
    /// It cannot be fetched.
    pub(super) fn get(
        &self,
        name: &ProjectName,
        file: &Listed,
        limit: u64,
    ) -> Result<Vec<u8>, DependencyError> {
        let failed = |reason: &str| {
            let file = shown(&file.name);
            Hinted::new(format_args!("fetching wheel {file}: {reason}"))
        };
        let from = self.address.join(&format!("{name}/"));
        let url = from.and_then(|from| from.join(&file.url));
        let mut url = url.map_err(|error| failed(&error.to_string()))?;
        if is_local(&url) && !is_local(&self.address) {
            return Err(failed("the index has an address for it that is on this machine").into());
        }
        if !is_allowed(&url) {
            return Err(failed("the index has an address for it that is not https://…").into());
        }
        self.log_in(&mut url);
        let other;
        let client = match url.scheme() == self.address.scheme() {
            true => &self.downloads,
            false => {
                other = downloads(&url, &self.supply)?;
                &other
            }
        };
        let bytes = self.fetch(&url, client, limit)?;
        Ok(bytes.ok_or_else(|| failed("the index lists it, and does not have it"))?)
    }

    /// Files of the index itself need the same login.
    fn log_in(&self, url: &mut Url) {
        let own = &self.address;
        let is_own = url.origin() == own.origin();
        if is_own && url.username().is_empty() && url.password().is_none() {
            // Fails only for addresses without a host.
            let _ = url.set_username(own.username());
            let _ = url.set_password(own.password());
        }
    }

    /// The bytes at an address; `None` if there are none.
    fn fetch(
        &self,
        url: &Url,
        client: &Downloads,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, DependencyError> {
        let mut tries = 1;
        loop {
            let got = client.get_as(url.as_str(), ACCEPT, limit, self.supply.interrupt)?;
            match got {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(fault) if fault.is_absence() => return Ok(None),
                Err(Fault::Answer(_) | Fault::Status(429 | 500..)) if tries < TRIES => tries += 1,
                Err(fault) => {
                    let url = printed(url);
                    let fault = Hinted::doing(format_args!("fetching {url}"), fault);
                    return Err(fault.hinting(UNREACHED).into());
                }
            }
        }
    }
}

fn downloads(url: &Url, supply: &Supply<'_>) -> Result<Downloads, Hinted> {
    Downloads::of_index(url.as_str(), supply.archive.runtime).map_err(|error| {
        Hinted::new(format_args!("connecting to the package index: {error}")).hinting(AUTHORITIES)
    })
}

/// The address with a slash at its end.
fn address(text: &str) -> Option<Url> {
    let text = text.trim().trim_end_matches('/');
    let url = Url::parse(&format!("{text}/")).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none();
    (is_plain && is_allowed(&url)).then_some(url)
}

fn is_allowed(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_local(url),
        _ => false,
    }
}

/// Whether an address is on this machine.
fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback)
}

/// An address without what may be secret: a login, and a query with a signature.
fn printed(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    shown(&without_login(url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::store::Store;

    #[test]
    fn an_index_has_an_address() {
        let plain = |text: &str| address(text).map(|url| url.to_string());
        for (text, expected) in [
            ("https://a.example/simple", "https://a.example/simple/"),
            (
                "https://u:p@a.example/simple/",
                "https://u:p@a.example/simple/",
            ),
            (
                "http://127.0.0.1:3141/simple",
                "http://127.0.0.1:3141/simple/",
            ),
            ("http://[::1]/simple", "http://[::1]/simple/"),
            ("http://localhost/simple", "http://localhost/simple/"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected));
        }
        for wrong in [
            "http://a.example/simple",
            "file:///simple",
            "/simple",
            "",
            "https://a.example/?x",
        ] {
            assert_eq!(plain(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_login_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let supply = Supply {
            wheels: Some("http://user:secret@a.example/simple"),
            ..Supply::of(&store)
        };
        let said = Index::find(&supply).err().unwrap().to_string();
        assert_eq!(
            said,
            "finding the package index: expected https://… (http:// only on loopback), found http://a.example/simple"
        );
    }

    #[test]
    fn a_signature_is_not_shown() {
        let url = Url::parse("https://u:secret@a.example/x.whl?sig=secret#secret").unwrap();
        assert_eq!(printed(&url), "https://a.example/x.whl");
    }

    #[test]
    fn an_index_elsewhere_names_no_file_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let supply = Supply {
            wheels: Some("https://a.example/simple"),
            ..Supply::of(&store)
        };
        let index = Index::find(&supply).unwrap();
        for host in [
            "http://127.0.0.1:1",
            "https://localhost:1",
            "https://[::1]:1",
        ] {
            let file = Listed {
                name: "a-1-py3-none-any.whl".to_owned(),
                url: format!("{host}/a-1-py3-none-any.whl"),
                sha256: None,
                is_yanked: false,
            };
            let refused = index.get(&"a".parse().unwrap(), &file, 1).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.ends_with("that is on this machine"), "{refused}");
        }
    }

    #[test]
    fn a_login_is_for_the_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let supply = Supply {
            wheels: Some("https://user:secret@a.example/simple"),
            ..Supply::of(&store)
        };
        let index = Index::find(&supply).unwrap();
        for (file, expected) in [
            (
                "https://a.example/x.whl",
                "https://user:secret@a.example/x.whl",
            ),
            ("https://b.example/x.whl", "https://b.example/x.whl"),
            (
                "https://a.example:8443/x.whl",
                "https://a.example:8443/x.whl",
            ),
        ] {
            let mut url = Url::parse(file).unwrap();
            index.log_in(&mut url);
            assert_eq!(url.as_str(), expected);
        }
    }
}
