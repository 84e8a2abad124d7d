//! Issues an access token for a JWT that a service account has signed (RFC 7523 section 2.1; Google, "Using
//! OAuth 2.0 for Server to Server Applications"). Clients with a key file call its `token_uri` for this.

use super::issued::Issued;
use super::self_signed::SelfSigned;
use super::{AccessToken, Accounts, Caller};
use crate::oauth::Refusal;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The audience of assertions by Google's own clients, independent of the key file.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";
/// The lifetime of an access token, in seconds.
const LIFETIME: u64 = 3600;
/// The prefix of Google's scopes (Google, "OAuth 2.0 Scopes for Google APIs").
const SCOPE: &str = "https://www.googleapis.com/auth/";
/// Scopes of OpenID Connect.
const OPENID: [&str; 3] = ["openid", "email", "profile"];

/// A request for an access token by a client with a key file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Assertion {
    /// The grant type; must be `urn:ietf:params:oauth:grant-type:jwt-bearer`.
    pub grant_type: String,
    /// The signed JWT.
    pub assertion: String,
}

impl Accounts {
    /// Exchanges an assertion for an access token at the time `now`, in Unix seconds. `token_uri` is the
    /// address of this endpoint.
    ///
    /// # Errors
    /// The assertion is invalid; the error has Google's words.
    pub fn grant(
        &self,
        request: &Assertion,
        token_uri: &str,
        now: u64,
    ) -> Result<AccessToken, Refusal> {
        let Assertion {
            grant_type,
            assertion,
        } = request;
        if grant_type != GRANT {
            let text = format!("Invalid grant_type: {grant_type}");
            return Err(Refusal::new("unsupported_grant_type", text));
        }
        if assertion.is_empty() {
            let text = "Missing required parameter: assertion";
            return Err(Refusal::new("invalid_request", text));
        }
        let issued = self.judge(assertion, token_uri, now)?;
        let token = self.issue("ya29.c.", issued, now);
        token.map_err(|_| Refusal::server())
    }

    fn judge(&self, assertion: &str, token_uri: &str, now: u64) -> Result<Issued, Refusal> {
        let invalid = |text: &str| Refusal::new("invalid_grant", text);
        let token = SelfSigned::parse(assertion)
            .ok_or_else(|| invalid("Invalid JWT: it must be signed by RS256 and name its key."))?;
        let account = self.by_key(token.key_id());
        let account = account.filter(|(address, _)| address == token.issuer());
        let (address, public_key) =
            account.ok_or_else(|| invalid("Invalid grant: account not found"))?;
        if !token.is_signed_by(&public_key) {
            return Err(invalid("Invalid JWT Signature."));
        }
        if !token.lasts(now) {
            return Err(invalid(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                 timeframe. Check your iat and exp values in the JWT claim.",
            ));
        }
        if ![token_uri, GOOGLE].contains(&token.audience()) {
            return Err(invalid("Invalid JWT: Failed audience check."));
        }
        if !token.is_of_its_issuer() {
            return Err(Refusal::new(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not \
                 authorized for any of the scopes requested.",
            ));
        }
        Ok(Issued {
            caller: Caller::ServiceAccount(address),
            scopes: scopes(token.scopes())?,
            expires: now + LIFETIME,
        })
    }
}

fn scopes(text: &str) -> Result<Vec<String>, Refusal> {
    let scopes: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    let is_known = |scope: &String| scope.starts_with(SCOPE) || OPENID.contains(&scope.as_str());
    match !scopes.is_empty() && scopes.iter().all(is_known) {
        true => Ok(scopes),
        false => Err(Refusal::new(
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        )),
    }
}
