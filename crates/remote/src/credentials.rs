//! The Docker credential store, as every registry client reads it: `config.json` in
//! `$DOCKER_CONFIG` or `~/.docker`, and the helper programs that it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use content::json::JsonError;
use content::{ReadError, json, limits, read_limited};
use serde::Deserialize;

/// The user name by which a helper says that its secret is a refresh token.
const REFRESH_TOKEN: &str = "<token>";

/// What a registry is told about who asks.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) enum Login {
    Anonymous,
    /// Name and password.
    Basic(String, String),
}

/// Why credentials cannot be read. Never holds any.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFault {
    /// The file is there but cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The file is no such JSON.
    #[error("reading {}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JsonError,
    },
    /// The member `auth` is not base64 of `user:password`.
    #[error("auth of {key:?} is not base64 of USER:PASSWORD")]
    Auth {
        /// The registry's key in the file.
        key: String,
    },
    /// A helper's name that could be a path or an option.
    #[error("helper {name:?} has a name with other characters than letters, digits, - and _")]
    HelperName {
        /// The name.
        name: String,
    },
    /// A helper that cannot be run.
    #[error("running docker-credential-{name}: {source}")]
    Helper {
        /// The helper.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A helper that fails, or whose answer cannot be read.
    #[error("docker-credential-{name} gave no credentials: exit status {status:?}")]
    HelperAnswer {
        /// The helper.
        name: String,
        /// Its exit status, if it ended by itself.
        status: Option<i32>,
    },
    /// A refresh token, which the token exchange of our client does not take.
    #[error("a refresh token is not supported: log in with a user name and a password")]
    RefreshToken,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Store {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// The credentials for `registry`; anonymous if there is no store or nothing in it.
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
    json::parse(&bytes, limits::DOCUMENT)
        .map(Some)
        .map_err(|source| CredentialFault::Json {
            path: path.to_owned(),
            source,
        })
}

impl Store {
    /// A helper for this registry comes before what the file holds, and that before the helper for
    /// all (Docker, `config.json`). Helpers know a registry by its key in the file, if it has one.
    fn find(&self, registry: &str) -> Result<Login, CredentialFault> {
        let helper = self
            .cred_helpers
            .iter()
            .find(|(key, _)| host(key) == registry);
        if let Some((key, helper)) = helper {
            return ask(helper, key);
        }
        let own = self.auths.iter().find(|(key, _)| host(key) == registry);
        if let Some((key, auth)) = own
            && let Some(found) = auth.read(key)?
        {
            return Ok(found);
        }
        match &self.creds_store {
            Some(helper) => ask_for_any(helper, own.map_or(registry, |(key, _)| key)),
            None => Ok(Login::Anonymous),
        }
    }
}

impl Auth {
    /// `None` if the entry only says that a helper has the credentials.
    fn read(&self, key: &str) -> Result<Option<Login>, CredentialFault> {
        if self
            .identitytoken
            .as_ref()
            .is_some_and(|token| !token.is_empty())
        {
            return Err(CredentialFault::RefreshToken);
        }
        if let (Some(user), Some(password)) = (&self.username, &self.password) {
            return Ok(Some(Login::Basic(user.clone(), password.clone())));
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) else {
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

/// Keys are hosts or the addresses of hosts.
fn host(key: &str) -> &str {
    let key = key.strip_prefix("https://").unwrap_or(key);
    let key = key.strip_prefix("http://").unwrap_or(key);
    key.split('/').next().unwrap_or(key)
}

/// The helper for all registries need not know this one; what it says then is not standardised.
fn ask_for_any(helper: &str, server: &str) -> Result<Login, CredentialFault> {
    match ask(helper, server) {
        Err(CredentialFault::HelperAnswer {
            status: Some(1), ..
        }) => Ok(Login::Anonymous),
        answer => answer,
    }
}

/// The protocol of Docker's credential helpers: the server on stdin, JSON on stdout.
fn ask(helper: &str, server: &str) -> Result<Login, CredentialFault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let name = helper.to_owned();
    if !helper.bytes().all(allowed) {
        return Err(CredentialFault::HelperName { name });
    }
    let (status, bytes) = run(helper, server).map_err(|source| CredentialFault::Helper {
        name: name.clone(),
        source,
    })?;
    let answer = match status {
        Some(0) => json::parse::<Answer>(&bytes, limits::TOKEN).ok(),
        _ => None,
    };
    match answer {
        Some(answer) if answer.username == REFRESH_TOKEN => Err(CredentialFault::RefreshToken),
        Some(answer) => Ok(Login::Basic(answer.username, answer.secret)),
        None => Err(CredentialFault::HelperAnswer { name, status }),
    }
}

fn run(helper: &str, server: &str) -> io::Result<(Option<i32>, Vec<u8>)> {
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let answer = converse(&mut child, server);
    let status = child.wait()?;
    Ok((status.code(), answer?))
}

fn converse(child: &mut Child, server: &str) -> io::Result<Vec<u8>> {
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(server.as_bytes()) {
            // A helper for one registry need not read its name.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(limits::TOKEN).read_to_end(&mut answer)?;
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(text: &str, registry: &str) -> Result<Login, CredentialFault> {
        let store: Store = json::parse(text.as_bytes(), 1000).unwrap();
        store.find(registry)
    }

    #[test]
    fn reads_what_docker_login_writes() {
        let store = r#"{"auths":{"https://hub.example/v1/":{"auth":"YTpi"},
            "r.example":{"auth":"dTpwOnE="},"https://s.example":{"username":"u","password":"p"}},
            "HttpHeaders":{"User-Agent":"x"}}"#;
        let basic = |user: &str, password: &str| Login::Basic(user.into(), password.into());
        assert_eq!(find_in(store, "hub.example").unwrap(), basic("a", "b"));
        assert_eq!(find_in(store, "r.example").unwrap(), basic("u", "p:q"));
        assert_eq!(find_in(store, "s.example").unwrap(), basic("u", "p"));
        assert_eq!(find_in(store, "t.example").unwrap(), Login::Anonymous);
        assert_eq!(find_in(store, "r.example:443").unwrap(), Login::Anonymous);
        assert_eq!(find_in("{}", "r.example").unwrap(), Login::Anonymous);
    }

    #[test]
    fn refuses_what_it_cannot_use_without_repeating_it() {
        for text in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":"secret!"}}}"#,
            r#"{"auths":{"r.example":{"identitytoken":"secret"}}}"#,
            r#"{"credHelpers":{"r.example":"../bin/helper"}}"#,
            r#"{"credHelpers":{"r.example":"no-such-helper-anywhere"}}"#,
        ] {
            let error = find_in(text, "r.example").unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
