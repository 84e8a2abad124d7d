//! Which token service may receive the user's credentials. A registry names its token service itself, in a challenge that
//! an attacker may have written: on the network, in a proxy, or in the answer of another host that the registry redirects to.

use reqwest::Url;
use url::Host;

use crate::{Error, hint, http};

/// A token service that a registry names.
pub(crate) struct Realm {
    /// Its URL.
    pub(crate) url: Url,
    /// Whether it may receive the credentials for the registry.
    is_trusted: bool,
}

impl Realm {
    /// Parses the realm of a challenge by the registry whose API is at `root`.
    ///
    /// # Errors
    /// It is not a URL for HTTPS. HTTP is accepted from a registry that is asked by HTTP.
    pub(crate) fn of(realm: &str, root: &str) -> Result<Self, Error> {
        let foreign = || http::foreign(root, "the URL of a token service", realm);
        let url = Url::parse(realm).map_err(|_| foreign())?;
        let root = Url::parse(root).map_err(|_| foreign())?;
        match (url.scheme(), root.scheme()) {
            ("https", _) | ("http", "http") => {}
            _ => return Err(foreign()),
        }
        let is_trusted = belongs(&url, &root);
        Ok(Self { url, is_trusted })
    }

    /// # Errors
    /// The token service must not receive credentials.
    pub(crate) fn check_trusted(&self) -> Result<(), Error> {
        if self.is_trusted {
            return Ok(());
        }
        let service = self.url.host_str().unwrap_or_default();
        let fault = format!(
            "the registry names the token service {service}, which belongs to another domain; it receives no credentials"
        );
        Err(Error::refused(
            "requesting token".to_owned(),
            fault,
            hint::REALM,
        ))
    }
}

/// Whether a token service is on the registry's host or in its domain. Docker Hub's is `auth.docker.io` for
/// `registry-1.docker.io`, that of GitLab is `gitlab.example` for `registry.gitlab.example`. The port may differ.
fn belongs(service: &Url, registry: &Url) -> bool {
    match (service.host(), registry.host()) {
        (Some(Host::Domain(service)), Some(Host::Domain(registry))) => {
            let domain = domain(registry);
            let parent = service.strip_suffix(domain);
            parent.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        (service, registry) => service.is_some() && service == registry,
    }
}

/// The domain of a registry: its host without the first label, unless that could be a domain in which names can be registered by the public
/// one, such as `io` or `co.uk`. This is judged by length, so that some domains of one owner, such as `k8s.io`, are taken for
/// public: there, the token service must be on the registry's host or below it. And the domain of a cloud, such as `azurecr.io`,
/// is taken for that of one owner: its customers can be token services for each other's registries, if one of them can write
/// the other's challenge.
fn domain(host: &str) -> &str {
    let Some((_, parent)) = host.split_once('.') else {
        return host;
    };
    let is_public = match parent.split_once('.') {
        None => true,
        Some((name, country)) => name.len() <= 3 && country.len() == 2,
    };
    match is_public {
        true => host,
        false => parent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the service may be asked, and whether with credentials.
    fn judge(realm: &str, root: &str) -> Option<bool> {
        let realm = Realm::of(realm, root).ok()?;
        Some(realm.check_trusted().is_ok())
    }

    #[test]
    fn credentials_stay_in_the_registrys_domain() {
        for (realm, registry) in [
            (
                "https://auth.docker.io/token",
                "https://registry-1.docker.io/v2/",
            ),
            (
                "https://auth.docker.io/token",
                "https://index.docker.io/v2/",
            ),
            ("https://ghcr.io/token", "https://ghcr.io/v2/"),
            (
                "https://europe-docker.pkg.dev/v2/token",
                "https://europe-docker.pkg.dev/v2/",
            ),
            (
                "https://a.azurecr.io/oauth2/token",
                "https://a.azurecr.io/v2/",
            ),
            ("https://quay.io/v2/auth", "https://quay.io/v2/"),
            (
                "https://gitlab.com/jwt/auth",
                "https://registry.gitlab.com/v2/",
            ),
            (
                "https://r.example.org/token",
                "https://r.example.org:5050/v2/",
            ),
            (
                "https://R.example.co.uk/token",
                "https://r.example.co.uk/v2/",
            ),
            ("http://127.0.0.1:5001/token", "http://127.0.0.1:5000/v2/"),
            ("https://[::1]/token", "https://[::1]:5000/v2/"),
            ("https://localhost/token", "http://localhost:5000/v2/"),
        ] {
            assert_eq!(judge(realm, registry), Some(true), "{realm} {registry}");
        }
    }

    #[test]
    fn another_domain_receives_none() {
        for (realm, registry) in [
            (
                "https://evil.example/token",
                "https://registry-1.docker.io/v2/",
            ),
            (
                "https://evildocker.io/token",
                "https://registry-1.docker.io/v2/",
            ),
            (
                "https://docker.io.evil.example/token",
                "https://registry-1.docker.io/v2/",
            ),
            (
                "https://docker.io@evil.example/token",
                "https://registry-1.docker.io/v2/",
            ),
            ("https://evil.io/token", "https://quay.io/v2/"),
            ("https://evil.co.uk/token", "https://registry.co.uk/v2/"),
            ("https://evil/token", "https://registry/v2/"),
            // A domain of one owner, which is short enough for a public one.
            ("https://auth.k8s.io/token", "https://registry.k8s.io/v2/"),
            ("http://127.0.0.2/token", "http://127.0.0.1:5000/v2/"),
            ("http://localhost/token", "http://127.0.0.1:5000/v2/"),
            ("https://0.0.1/token", "https://10.0.0.1/v2/"),
        ] {
            assert_eq!(judge(realm, registry), Some(false), "{realm} {registry}");
        }
    }

    #[test]
    fn a_token_is_not_requested_in_the_clear() {
        for realm in [
            "http://registry.example/token",
            "HTTP://registry.example/token",
            "ftp://registry.example/token",
            "file:///token",
            "/token",
            "registry.example/token",
            "",
        ] {
            assert_eq!(
                judge(realm, "https://registry.example/v2/"),
                None,
                "{realm}"
            );
        }
    }
}
