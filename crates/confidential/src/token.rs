//! An attestation token: a JSON Web Token in compact form (RFC 7515, RFC 7519), signed with RS256. This
//! module parses it; the caller provides the function that verifies the signature.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use content::limits;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

pub use crate::error::BadSignature;
use crate::{Claims, Error};

/// The only algorithm that Google signs with. `none`, and HMAC with the public key as secret, are refused
/// before a key is chosen.
const ALGORITHM: &str = "RS256";
const PARSING: &str = "parsing token";

/// A parsed token. Nothing in it can be trusted before [`Token::verify`].
pub struct Token<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    // Extensions that a reader must understand. None is supported, and an empty list (RFC 7515,
    // section 4.1.11) or null is invalid.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    x5c: Option<Vec<String>>,
}

/// A member that is present must have a value other than null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl<'a> Token<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// The token is larger than [`limits::TOKEN`] or does not have three parts in unpadded base64url; its
    /// header is not strict JSON, has critical extensions, an algorithm other than RS256 or a type other than
    /// JWT.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let size = text.len() as u64;
        if size > limits::TOKEN {
            return Err(Error::size(PARSING, size, limits::TOKEN));
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or_else(parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or_else(parts)?;
        let header = content::json::parse(&decode("header", header)?, limits::TOKEN);
        Ok(Self {
            header: Header::check(header.map_err(Error::of("parsing token: header"))?)?,
            signing_input,
            payload: decode("payload", payload)?,
            signature: decode("signature", signature)?,
        })
    }

    /// The identifier of the signing key, if the header has one that is not empty.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref().filter(|kid| !kid.is_empty())
    }

    /// The certificates of the signing key in base64, leaf first, if this is a PKI token.
    pub fn certificates(&self) -> Option<&[String]> {
        self.header.x5c.as_deref()
    }

    /// The bytes that are signed.
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The RSASSA-PKCS1-v1_5 signature with SHA-256 over [`Token::signing_input`].
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Verifies the signature by `verify`, which is called with the signing input and the signature, and
    /// returns the claims.
    ///
    /// # Errors
    /// `verify` fails, or the payload cannot be parsed.
    pub fn verify(
        &self,
        verify: impl FnOnce(&[u8], &[u8]) -> Result<(), BadSignature>,
    ) -> Result<Claims, Error> {
        verify(self.signing_input(), &self.signature).map_err(Error::of("verifying token"))?;
        Claims::parse(&self.payload)
    }
}

impl Header {
    fn check(self) -> Result<Self, Error> {
        if self.alg != ALGORITHM {
            let found = self.alg;
            return Err(refused(format!(
                "expected algorithm RS256, found {found:?}"
            )));
        }
        match &self.typ {
            Some(typ) if typ != "JWT" => {
                return Err(refused(format!("expected type JWT, found {typ:?}")));
            }
            _ => {}
        }
        match self.crit {
            Some(_) => Err(refused("the header has critical extensions")),
            None => Ok(self),
        }
    }
}

fn refused(fault: impl fmt::Display) -> Error {
    Error::new(PARSING, fault)
}

fn parts() -> Error {
    refused("expected three parts separated by dots")
}

fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64URL
        .decode(text)
        .map_err(|_| refused(format!("the {part} is not unpadded base64url")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        let parts = [header.as_bytes(), payload.as_bytes(), b"signature"];
        parts.map(|part| BASE64URL.encode(part)).join(".")
    }

    const HEADER: &str = r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#;
    const PAYLOAD: &str = r#"{"aud":"a","iss":"i","iat":1,"exp":2}"#;

    fn refusal(text: &str) -> String {
        Token::parse(text).err().unwrap().to_string()
    }

    #[test]
    fn returns_claims_only_after_verification() {
        let text = token(HEADER, PAYLOAD);
        let parsed = Token::parse(&text).unwrap();
        assert_eq!(parsed.key_id(), Some("k"));
        let claims = parsed.verify(|input, signature| {
            assert_eq!(input, &text.as_bytes()[..text.rfind('.').unwrap()]);
            assert_eq!(signature, b"signature");
            Ok(())
        });
        assert_eq!(claims.unwrap().issuer, "i");
        let refused = parsed.verify(|_, _| Err(BadSignature)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "verifying token: the signature does not verify"
        );
    }

    #[test]
    fn refuses_other_algorithms_types_and_extensions() {
        for alg in ["none", "HS256", "rs256", "RS512", "PS256", "ES256", ""] {
            let text = token(&HEADER.replace("RS256", alg), PAYLOAD);
            assert_eq!(
                refusal(&text),
                format!("parsing token: expected algorithm RS256, found {alg:?}")
            );
        }
        let text = token(&HEADER.replace("JWT", "at+jwt"), PAYLOAD);
        assert_eq!(
            refusal(&text),
            r#"parsing token: expected type JWT, found "at+jwt""#
        );
        for crit in ["[\"b64\"]", "[]", "null"] {
            let text = token(
                &HEADER.replace("\"kid\"", &format!("\"crit\":{crit},\"kid\"")),
                PAYLOAD,
            );
            assert_eq!(
                refusal(&text),
                "parsing token: the header has critical extensions",
                "{crit}"
            );
        }
        let text = token(&HEADER.replace("\"JWT\"", "null"), PAYLOAD);
        assert_eq!(
            refusal(&text),
            "parsing token: header: parsing json: invalid type: null, expected a string at line 1 column 35"
        );
        let text = token(
            &HEADER.replace("\"kid\"", "\"alg\":\"none\",\"kid\""),
            PAYLOAD,
        );
        assert_eq!(
            refusal(&text),
            r#"parsing token: header: parsing json: key "alg" appears twice in one object at line 1 column 20"#
        );
    }

    #[test]
    fn refuses_other_forms() {
        let text = token(HEADER, PAYLOAD);
        let spaced = format!("{text}\n");
        let padded = text.replacen('.', "=.", 1);
        let four = format!("{text}.AAAA");
        let detached = format!("{}..c2ln", BASE64URL.encode(HEADER));
        for bad in ["", ".", "a.b"] {
            assert_eq!(
                refusal(bad),
                "parsing token: expected three parts separated by dots",
                "{bad}"
            );
        }
        assert_eq!(
            refusal(".."),
            "parsing token: header: parsing json: EOF while parsing a value at line 1 column 0"
        );
        for (bad, expected) in [
            (&spaced, "signature"),
            (&padded, "header"),
            (&four, "payload"),
        ] {
            assert_eq!(
                refusal(bad),
                format!("parsing token: the {expected} is not unpadded base64url"),
                "{bad}"
            );
        }
        let empty = Token::parse(&detached).unwrap().verify(|_, _| Ok(()));
        assert_eq!(
            empty.unwrap_err().to_string(),
            "reading claims: parsing json: EOF while parsing a value at line 1 column 0"
        );
        let huge = "A".repeat(usize::try_from(limits::TOKEN).unwrap() + 1);
        assert_eq!(
            refusal(&huge),
            format!(
                "parsing token: {} bytes are over the limit of {}",
                limits::TOKEN + 1,
                limits::TOKEN
            )
        );
    }

    #[test]
    fn an_empty_key_id_is_none() {
        let text = token(r#"{"alg":"RS256","kid":""}"#, PAYLOAD);
        assert_eq!(Token::parse(&text).unwrap().key_id(), None);
    }
}
