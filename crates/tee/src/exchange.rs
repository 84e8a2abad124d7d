//! One access token per collaborator, from that collaborator's own identity provider (Security Token
//! Service, `POST /v1/token`, RFC 8693).

use serde::Deserialize;

use crate::platform::http::{Answer, Client, Content, OAuthError};
use crate::platform::identity::Identity;
use crate::platform::{Error, Refusal, Secret};
use crate::terms::{Collaborator, Terms};

/// The access that a collaborator's provider grants to this image.
pub struct Access {
    token: Secret,
}

impl Access {
    /// The access token, to be sent as a bearer token.
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    token_type: String,
}

/// Exchanges the tokens of all collaborators, in the order of the terms.
///
/// # Errors
/// A provider refuses the token, or its answer is missing or invalid.
pub fn all(network: &Client, terms: &Terms, identity: &Identity) -> Result<Vec<Access>, Error> {
    let pairs = terms.collaborators.iter().zip(&identity.tokens);
    let url = format!("{}/v1/token", terms.endpoints.sts.as_str());
    pairs
        .map(|(collaborator, token)| exchange(network, &url, collaborator, token))
        .collect()
}

fn exchange(
    network: &Client,
    url: &str,
    collaborator: &Collaborator,
    token: &Secret,
) -> Result<Access, Error> {
    let doing = format!("exchanging token of {}", collaborator.name);
    let audience = collaborator.provider.audience();
    let form = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("audience", &audience),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token", token.text().unwrap_or_default()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let answer = network.call(&doing, url, None, &Content::Form(&form))?;
    match answer.status() {
        400 | 401 | 403 => Err(refusal(&answer, &doing, collaborator)),
        _ => granted(answer.json(&doing)?, &doing),
    }
}

fn granted(granted: Granted, doing: &str) -> Result<Access, Error> {
    match granted.token_type.eq_ignore_ascii_case("bearer") {
        true => Ok(Access {
            token: granted.access_token,
        }),
        false => Err(Error::incomplete(doing, "token_type")),
    }
}

fn refusal(answer: &Answer, doing: &str, collaborator: &Collaborator) -> Error {
    match answer.oauth_error() {
        Some(OAuthError {
            error,
            error_description,
        }) => Refusal::new(
            format!("exchanging token of {}", collaborator.name),
            format_args!("{error}: {error_description}"),
        )
        .into(),
        None => Error::status(doing, answer.status(), &answer.message()),
    }
}
