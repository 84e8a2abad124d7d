//! Docker's configuration file, as far as it is a credential store (docker/cli, `cli/config/configfile` and
//! `cli/config/credentials`).

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::MapAccess;

use crate::folded::{self, Fields, Folded, Misread, Read};
use crate::helper;
use crate::login::{CredentialFault, Credentials, Login, basic, given};

/// Base64 as Go reads it: padded, with any bits beyond the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The credential store.
#[derive(Default)]
pub(crate) struct Store {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identity_token: String,
    registry_token: String,
}

impl Fields for Store {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
    ) -> Result<Read, A::Error> {
        match name {
            "auths" => folded::map::<_, Folded<Auth>, _>(&mut self.auths, members),
            "credhelpers" => folded::map::<_, String, _>(&mut self.cred_helpers, members),
            "credsstore" => folded::text(&mut self.creds_store, members),
            _ => Ok(Read::No),
        }
    }
}

impl Fields for Auth {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
    ) -> Result<Read, A::Error> {
        let field = match name {
            "auth" => &mut self.auth,
            "username" => &mut self.username,
            "password" => &mut self.password,
            "identitytoken" => &mut self.identity_token,
            "registrytoken" => &mut self.registry_token,
            _ => return Ok(Read::No),
        };
        folded::text(field, members)
    }
}

impl From<Folded<Auth>> for Auth {
    fn from(Folded(auth): Folded<Auth>) -> Self {
        auth
    }
}

impl Store {
    /// Parses the file. Docker reads an empty file as an empty store.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Misread> {
        match bytes.trim_ascii().is_empty() {
            true => Ok(Self::default()),
            false => folded::parse(bytes),
        }
    }

    /// The credentials for `key`, a registry's host or a repository with its host. They come from the helper for
    /// this key; without one, from the helper for all keys; without that, from the file. A helper that is
    /// named by the empty string is the file (`getConfiguredCredentialStore`).
    pub(crate) fn get(&self, key: &str) -> Result<Login, CredentialFault> {
        let helper = self.cred_helpers.get(key).unwrap_or(&self.creds_store);
        let own = self.entry(key);
        if helper.is_empty() {
            let own = own.map(|(name, auth)| auth.credentials(name)).transpose()?;
            return Ok(own.map_or(Login::Anonymous, Login::of));
        }
        Ok(match helper::ask(helper, key) {
            Ok(kept) => Login::of(Credentials {
                registry_token: own.and_then(|(_, auth)| given(&auth.registry_token)),
                ..kept
            }),
            Err(fault) => Login::Unreadable(fault),
        })
    }

    /// The entry with this key; without one, an entry whose key has this host, as old versions of Docker wrote
    /// them (`fileStore.Get`). Go takes any of several such entries; here it is the first that is not empty.
    fn entry(&self, key: &str) -> Option<(&str, &Auth)> {
        if let Some((name, auth)) = self.auths.get_key_value(key) {
            return Some((name, auth));
        }
        let mut old = self.auths.iter().filter(|(name, _)| hostname(name) == key);
        let found = old.find(|(_, auth)| !auth.is_empty());
        found.map(|(name, auth)| (name.as_str(), auth))
    }
}

impl Auth {
    fn is_empty(&self) -> bool {
        let all = [
            &self.auth,
            &self.username,
            &self.password,
            &self.identity_token,
            &self.registry_token,
        ];
        all.into_iter().all(String::is_empty)
    }

    /// The credentials in the entry `name`. `auth` replaces the members for user name and password (`LoadFromReader`).
    fn credentials(&self, name: &str) -> Result<Credentials, CredentialFault> {
        let (user, password) = match self.auth.as_str() {
            "" => (self.username.clone(), self.password.clone()),
            auth => decode(auth).ok_or_else(|| {
                CredentialFault(format!("auth of {name:?} is not base64 of USER:PASSWORD"))
            })?,
        };
        Ok(Credentials {
            basic: basic(user, password),
            identity_token: given(&self.identity_token),
            registry_token: given(&self.registry_token),
        })
    }
}

/// User name and password in the member `auth` (`decodeAuth`).
fn decode(auth: &str) -> Option<(String, String)> {
    // Go's decoder ignores line breaks.
    let bytes = BASE64.decode(auth.replace(['\r', '\n'], "")).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    // Docker once padded the password with NUL.
    let password = password.trim_matches('\0').to_owned();
    (!user.is_empty()).then(|| (user.to_owned(), password))
}

/// The host and port of a key that is a host, a URL, or either with a path (`ConvertToHostname`).
fn hostname(key: &str) -> String {
    let Some((_, rest)) = key.split_once("://") else {
        return key.split('/').next().unwrap_or_default().to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.strip_suffix(':').unwrap_or(host);
    match host.rsplit_once(':') {
        // An IPv6 address without brackets.
        Some((address, port)) if address.contains(':') && !host.starts_with('[') => {
            format!("[{address}]:{port}")
        }
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_host_as_in_docker() {
        // docker/cli, cli/config/credentials/file_store_test.go, TestConvertToHostname.
        for (key, host) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("foo.example.com/path/", "foo.example.com"),
            ("foo.example.com:8080", "foo.example.com:8080"),
            ("HTTP://foo.example.com", "foo.example.com"),
            ("https://foo.example.com:443/v1/", "foo.example.com:443"),
            ("https://user@foo.example.com/?a=b", "foo.example.com"),
            ("https://foo.example.com:", "foo.example.com"),
            ("http://[::1]:5000/v2/", "[::1]:5000"),
            ("http://::1:5000", "[::1]:5000"),
            ("ftp://ftp.example.com", "ftp.example.com"),
        ] {
            assert_eq!(hostname(key), host, "{key}");
        }
    }

    #[test]
    fn reads_base64_as_go_does() {
        let both = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(decode("dTpwOnE="), both("u", "p:q"));
        assert_eq!(decode("dTpw\nOnE=\r\n"), both("u", "p:q"));
        assert_eq!(decode("dTpwOnF="), both("u", "p:q"));
        assert_eq!(decode("dTpwAAA="), both("u", "p"));
        for none in ["dTpwOnE", "dTpw OnE=", "OnA=", "c2VjcmV0", "secret!"] {
            assert_eq!(decode(none), None, "{none}");
        }
    }
}
