use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use content::{json, limits};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Invalid;
use crate::{Pattern, Reason, Refusal, Signer, Subject, certificate};

/// An identity token of OpenID Connect: a JSON web token that lets its holder sign in the name of its subject until it
/// expires. It is not verified here: the certificate authority does that.
pub struct IdentityToken {
    text: Zeroizing<String>,
    claims: Claims,
    /// The subject that a certificate for the token must name. Only an email address is known before: of a workflow, the
    /// certificate authority makes a URI of several claims (Fulcio, `docs/oidc.md`).
    subject: Subject,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "sub", default)]
    subject: String,
    #[serde(rename = "exp")]
    expires: f64,
    #[serde(default)]
    email: String,
    email_verified: Option<Flag>,
    federated_claims: Option<Federated>,
}

/// Some issuers write a text (AWS Cognito).
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Flag(bool),
    Text(String),
}

/// What Dex, an issuer that authenticates with others, adds.
#[derive(Deserialize)]
struct Federated {
    #[serde(default)]
    connector_id: String,
}

impl IdentityToken {
    /// Parses a token, after which there may be white space.
    ///
    /// # Errors
    /// The text is longer than [`limits::TOKEN`], or not a JSON web token with an issuer, a subject and an expiry, or its
    /// email address is not verified. The error does not quote it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let malformed = || Invalid::new("parsing identity token: expected a JSON web token");
        if bytes.len() as u64 > limits::TOKEN {
            return Err(malformed());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
        let text = text.trim_ascii();
        let parts: Vec<&str> = text.split('.').collect();
        let [_, claims, _] = parts[..] else {
            return Err(malformed());
        };
        let is_encoded = |part: &&str| URL_SAFE_NO_PAD.decode(part).is_ok();
        let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).map_err(|_| malformed())?);
        if !parts.iter().all(is_encoded) {
            return Err(malformed());
        }
        let claims = json::parse::<Claims>(&claims, limits::TOKEN).map_err(|_| {
            Invalid::new("parsing identity token: expected the claims iss, sub and exp, in JSON")
        })?;
        claims.check()?;
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            subject: claims.certified()?,
            claims,
        })
    }

    /// Checks that the token has not expired. Certificate authorities do the same, but say so less clearly.
    ///
    /// # Errors
    /// It has.
    pub fn check_time(&self, now: DateTime<Utc>) -> Result<(), Invalid> {
        match self.claims.expires <= now.timestamp() as f64 {
            true => Err(Invalid::new("reading identity token: it has expired")),
            false => Ok(()),
        }
    }

    /// The token itself, which is a secret.
    pub fn secret(&self) -> &str {
        &self.text
    }

    /// What the new key signs to prove that the requester has it: the verified email address, or else the subject
    /// (Fulcio, `fulcio.proto`, `proof_of_possession`).
    pub(super) fn name(&self) -> &str {
        match self.claims.email.as_str() {
            "" => &self.claims.subject,
            email => email,
        }
    }

    /// Checks that a certificate names the token's subject, and one of its issuers. Returns both. The certificate is not
    /// verified.
    ///
    /// # Errors
    /// It names another subject or issuer, or cannot be parsed.
    pub fn check_certificate(&self, der: &[u8]) -> Result<Signer, Refusal> {
        let signer = certificate::signer(der)?;
        if !self.subject.matches(&signer.subject) {
            let detail = format!(
                "expected subject {}, found {}",
                self.subject, signer.subject
            );
            return Err(Refusal::new(Reason::Identity, detail));
        }
        if !self.issuers().any(|issuer| issuer == signer.issuer) {
            let expected: Vec<_> = self.issuers().collect();
            let (expected, found) = (expected.join(" or "), &signer.issuer);
            let detail = format!("expected issuer {expected}, found {found}");
            return Err(Refusal::new(Reason::Issuer, detail));
        }
        Ok(signer)
    }

    /// The issuers that a certificate for the token may name: the token's own, and the one behind it.
    fn issuers(&self) -> impl Iterator<Item = &str> {
        let behind = self.claims.federated_claims.as_ref();
        let behind = behind.map(|claims| claims.connector_id.as_str());
        let issuers = [Some(self.claims.issuer.as_str()), behind];
        issuers
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
    }
}

impl Claims {
    fn certified(&self) -> Result<Subject, Invalid> {
        match self.email.is_empty() {
            true => Pattern::new("^.+$")
                .map(Subject::Pattern)
                .map_err(|error| Invalid::new(error.to_string())),
            false => Ok(Subject::Exact(self.email.clone())),
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        let is_verified = match &self.email_verified {
            None => false,
            Some(Flag::Flag(flag)) => *flag,
            Some(Flag::Text(text)) => text == "true",
        };
        if !self.email.is_empty() && !is_verified {
            return Err(Invalid::new(
                "parsing identity token: its issuer has not verified the email address",
            ));
        }
        match self.issuer.is_empty() || (self.email.is_empty() && self.subject.is_empty()) {
            true => Err(Invalid::new(
                "parsing identity token: it names no issuer or no subject",
            )),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn token(claims: &Value) -> Result<IdentityToken, Invalid> {
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        IdentityToken::parse(format!("e30.{claims}.c2lnbmF0dXJl\n").as_bytes())
    }

    #[test]
    fn the_name_is_the_email_address_or_the_subject() {
        let plain = json!({"iss": "https://i.example", "sub": "repo:a/b", "exp": 2_000_000_000});
        let parsed = token(&plain).unwrap();
        assert_eq!(parsed.name(), "repo:a/b");
        assert!(parsed.secret().ends_with(".c2lnbmF0dXJl"));
        assert_eq!(parsed.issuers().collect::<Vec<_>>(), ["https://i.example"]);
        assert!(parsed.subject.matches("https://forge.example/a/b"));
        for verified in [json!(true), json!("true")] {
            let mut mail = plain.clone();
            (mail["email"], mail["email_verified"]) = ("a@b.example".into(), verified);
            mail["federated_claims"] = json!({"connector_id": "https://behind.example"});
            let parsed = token(&mail).unwrap();
            assert_eq!(parsed.name(), "a@b.example");
            assert!(parsed.subject.matches("a@b.example"));
            assert!(!parsed.subject.matches("b@b.example"));
            let issuers: Vec<_> = parsed.issuers().collect();
            assert_eq!(issuers, ["https://i.example", "https://behind.example"]);
        }
    }

    #[test]
    fn a_token_expires() {
        let parsed = token(&json!({"iss": "i", "sub": "s", "exp": 100.5})).unwrap();
        let at = |seconds| parsed.check_time(DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(at(100), Ok(()));
        assert!(at(101).unwrap_err().to_string().contains("has expired"));
    }

    #[test]
    fn an_error_does_not_quote_the_token() {
        let secret = "c2VjcmV0c2VjcmV0";
        let claims = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            String::new(),
            secret.to_owned(),
            format!("{secret}.{secret}"),
            format!("{secret}.{secret}.{secret}"),
            format!("{secret}.{secret}.{secret}.{secret}"),
            format!("{secret}.{}.{secret}", claims(r#"{"secretsecret":1}"#)),
            format!(
                "{secret}.{}.{secret}",
                claims(r#"{"iss":"secretsecret","exp":1}"#)
            ),
            format!(
                "{secret}.{}.{secret}",
                claims(r#"{"iss":"i","sub":"secretsecret","exp":"1"}"#)
            ),
            format!(
                "{secret}.{}.{secret}",
                claims(r#"{"iss":"i","sub":"s","exp":1,"exp":2}"#)
            ),
            format!(
                "{secret}.{}.{secret}",
                claims(
                    r#"{"iss":"i","sub":"s","exp":1,"email":"secretsecret","email_verified":false}"#
                )
            ),
            format!(
                "{secret}\r\nX: y.{}.{secret}",
                claims(r#"{"iss":"i","sub":"s","exp":1}"#)
            ),
            "a.".repeat(200_000),
        ] {
            let error = IdentityToken::parse(text.as_bytes())
                .err()
                .unwrap()
                .to_string();
            assert!(
                !error.contains(secret) && !error.contains("secretsecret"),
                "{error}"
            );
        }
    }
}
