//! The Docker credential store: `config.json` in `$DOCKER_CONFIG` or `~/.docker`, and the helper
//! programs that it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use content::{ReadError, json, limits, read_limited};
use serde::{Deserialize, Deserializer};

use crate::helper;
use crate::login::{CredentialFault, Login};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Store {
    #[serde(deserialize_with = "null_is_absent")]
    auths: BTreeMap<String, Option<Auth>>,
    #[serde(deserialize_with = "null_is_absent")]
    cred_helpers: BTreeMap<String, Option<String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

fn null_is_absent<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The credentials for `registry`; [`Login::Anonymous`] if there is no store or it has none for it.
pub(crate) fn find(registry: &str) -> Result<Login, CredentialFault> {
    let Some(path) = store_path() else {
        return Ok(Login::Anonymous);
    };
    match read_store(&path)? {
        Some(store) => store.find(registry),
        None => Ok(Login::Anonymous),
    }
}

fn store_path() -> Option<PathBuf> {
    let directory = std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let directory = directory.map(PathBuf::from).or_else(home)?;
    Some(directory.join("config.json"))
}

fn read_store(path: &Path) -> Result<Option<Store>, CredentialFault> {
    let unread = |source| CredentialFault::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(ReadError::Io(error))),
    };
    let bytes = read_limited(file, limits::DOCUMENT).map_err(unread)?;
    // Docker reads an empty file as an empty store.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    json::parse(&bytes, limits::DOCUMENT)
        .map(Some)
        .map_err(|source| CredentialFault::Json {
            path: path.to_owned(),
            source,
        })
}

impl Store {
    /// Looks in this order: the helper for this registry, the file's own entry, the helper for all
    /// registries (Docker, `config.json`). A helper is asked for the registry's key in the file, if it
    /// has one.
    fn find(&self, registry: &str) -> Result<Login, CredentialFault> {
        let helper = named(&self.cred_helpers, registry);
        if let Some((key, helper)) = helper.filter(|(_, helper)| !helper.is_empty()) {
            return Ok(ask(helper, key));
        }
        let own = named(&self.auths, registry);
        if let Some((key, auth)) = own
            && let Some(found) = auth.read(key)?
        {
            return Ok(found);
        }
        Ok(match self.creds_store.as_deref() {
            None | Some("") => Login::Anonymous,
            Some(helper) => ask(helper, own.map_or(key_of(registry), |(key, _)| key)),
        })
    }
}

/// The key under which `docker login` stores a registry's credentials.
fn key_of(registry: &str) -> &str {
    match registry {
        "index.docker.io" => "https://index.docker.io/v1/",
        registry => registry,
    }
}

/// The entry of a table for a registry, with its key.
fn named<'a, T>(
    table: &'a BTreeMap<String, Option<T>>,
    registry: &str,
) -> Option<(&'a str, &'a T)> {
    let mut all = table.iter().filter(|(key, _)| host(key) == registry);
    all.find_map(|(key, value)| Some((key.as_str(), value.as_ref()?)))
}

fn ask(helper: &str, server: &str) -> Login {
    let asked = helper::ask(helper, server);
    asked.unwrap_or_else(|fault| Login::Unreadable(fault.into()))
}

impl Auth {
    /// The credentials in the entry; `None` if it holds none because a helper keeps them.
    fn read(&self, key: &str) -> Result<Option<Login>, CredentialFault> {
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Login::Refresh(token.clone())));
        }
        if let (Some(user), Some(password)) = (given(&self.username), given(&self.password)) {
            return Ok(Some(Login::Basic(user.clone(), password.clone())));
        }
        let Some(auth) = given(&self.auth) else {
            return Ok(None);
        };
        let key = || CredentialFault::Auth {
            key: key.to_owned(),
        };
        let bytes = BASE64_STANDARD.decode(auth).map_err(|_| key())?;
        let text = String::from_utf8(bytes).map_err(|_| key())?;
        let (user, password) = text.split_once(':').ok_or_else(key)?;
        // Docker pads the password with NUL.
        let password = password.trim_matches('\0').to_owned();
        Ok(Some(Login::Basic(user.to_owned(), password)))
    }
}

fn given(text: &Option<String>) -> Option<&String> {
    text.as_ref().filter(|text| !text.is_empty())
}

/// The host of a key, which is a host or a URL.
fn host(key: &str) -> &str {
    let key = key.strip_prefix("https://").unwrap_or(key);
    let key = key.strip_prefix("http://").unwrap_or(key);
    key.split('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(text: &str, registry: &str) -> Result<Login, CredentialFault> {
        let store: Store = json::parse(text.as_bytes(), 1000).unwrap();
        store.find(registry)
    }

    /// The credentials as text, so that tests can compare them.
    fn found(text: &str, registry: &str) -> String {
        match find_in(text, registry).unwrap() {
            Login::Anonymous => "anonymous".to_owned(),
            Login::Basic(user, password) => format!("{user}:{password}"),
            Login::Refresh(token) => format!("refresh {token}"),
            Login::Unreadable(fault) => fault.to_string(),
        }
    }

    #[test]
    fn reads_what_docker_login_writes() {
        let store = r#"{"auths":{"https://hub.example/v1/":{"auth":"YTpi"},
            "r.example":{"auth":"dTpwOnE="},"https://s.example":{"username":"u","password":"p"},
            "i.example":{"auth":"dTo=","identitytoken":"t"}},
            "HttpHeaders":{"User-Agent":"x"}}"#;
        assert_eq!(found(store, "hub.example"), "a:b");
        assert_eq!(found(store, "r.example"), "u:p:q");
        assert_eq!(found(store, "s.example"), "u:p");
        assert_eq!(found(store, "i.example"), "refresh t");
        assert_eq!(found(store, "t.example"), "anonymous");
        assert_eq!(found(store, "r.example:443"), "anonymous");
    }

    #[test]
    fn helpers_know_docker_hub_by_its_old_address() {
        assert_eq!(key_of("index.docker.io"), "https://index.docker.io/v1/");
        assert_eq!(host(key_of("index.docker.io")), "index.docker.io");
        assert_eq!(key_of("r.example:5000"), "r.example:5000");
    }

    #[test]
    fn a_store_that_names_nothing_is_anonymous() {
        for text in [
            "{}",
            r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
            r#"{"credsStore":""}"#,
            r#"{"credHelpers":{"r.example":""}}"#,
            r#"{"credHelpers":{"r.example":null},"auths":{"r.example":null}}"#,
            r#"{"auths":{"r.example":{"auth":"","username":"","identitytoken":""}}}"#,
        ] {
            assert_eq!(found(text, "r.example"), "anonymous", "{text}");
        }
    }

    #[test]
    fn a_failing_helper_is_an_unreadable_login() {
        for text in [
            r#"{"credsStore":"desktop.exe"}"#,
            r#"{"credHelpers":{"r.example":"no-such-helper-anywhere"}}"#,
            r#"{"credHelpers":{"r.example":"../bin/helper"}}"#,
        ] {
            let login = find_in(text, "r.example").unwrap();
            assert!(matches!(login, Login::Unreadable(_)), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_use_without_repeating_it() {
        for text in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":"secret!"}}}"#,
        ] {
            let error = find_in(text, "r.example").unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
