//! The keys that a token issuer publishes (RFC 7517), and their location (OpenID Connect Discovery 1.0).
//! Only RSA keys for RS256 signatures are kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use content::limits;
use serde::Deserialize;

use crate::claims::issuer_differs;
use crate::{Error, Token};

const READING: &str = "reading key set";
const CHOOSING: &str = "choosing key";

/// An RSA public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RsaKey {
    /// The key's identifier (`kid`).
    pub id: String,
    /// The modulus, big-endian, without leading zeros.
    pub modulus: Vec<u8>,
    /// The exponent, big-endian, without leading zeros.
    pub exponent: Vec<u8>,
}

/// The keys of an issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySet(Vec<RsaKey>);

#[derive(Deserialize)]
struct WireSet {
    keys: Vec<WireKey>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    #[serde(rename = "key_ops")]
    operations: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Parses a key set. Keys of other types or for other uses are skipped.
    ///
    /// # Errors
    /// The set is not strict JSON or larger than [`limits::KEY`], a key is invalid, or two keys have the same
    /// identifier.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let set: WireSet = content::json::parse(bytes, limits::KEY).map_err(Error::of(READING))?;
        let mut keys: Vec<RsaKey> = Vec::new();
        for key in set.keys.iter().filter(|key| key.signs_rs256()) {
            let key = key.read()?;
            if keys.iter().any(|other| other.id == key.id) {
                let fault = format!("two keys have the identifier {:?}", key.id);
                return Err(Error::new(READING, fault));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The key that signed a token, by the identifier in the token's header.
    ///
    /// # Errors
    /// The header names no key, or one that is not in the set.
    pub fn key_of(&self, token: &Token) -> Result<&RsaKey, Error> {
        let id = token.key_id().ok_or_else(unnamed)?;
        let key = self.0.iter().find(|key| key.id == id);
        let shown: String = id.chars().take(80).collect();
        key.ok_or_else(|| Error::new(CHOOSING, format!("the issuer has no key {shown:?}")))
    }
}

impl WireKey {
    fn signs_rs256(&self) -> bool {
        self.kty == "RSA"
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.operations.as_deref().is_none_or(verifies)
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
    }

    fn read(&self) -> Result<RsaKey, Error> {
        let id = self
            .kid
            .clone()
            .filter(|id| !id.is_empty())
            .ok_or_else(unnamed)?;
        let number = |text: &Option<String>| {
            let bytes = BASE64URL.decode(text.as_deref().unwrap_or_default()).ok();
            let bytes = bytes.filter(|bytes| bytes.first().is_some_and(|first| *first != 0));
            bytes.ok_or_else(|| Error::new(READING, format!("key {id:?} is not a valid RSA key")))
        };
        let (modulus, exponent) = (number(&self.n)?, number(&self.e)?);
        Ok(RsaKey {
            id,
            modulus,
            exponent,
        })
    }
}

fn unnamed() -> Error {
    Error::new(CHOOSING, "no key identifier")
}

/// Whether a key with these operations (RFC 7517, section 4.3) is meant to verify signatures.
fn verifies(operations: &[String]) -> bool {
    operations.iter().any(|operation| operation == "verify")
}

/// The discovery document of an issuer (OpenID Connect Discovery 1.0, section 3).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Discovery {
    /// The issuer's URL.
    pub issuer: String,
    /// The URL of the issuer's key set.
    pub jwks_uri: String,
}

impl Discovery {
    /// Parses the document, which must name `issuer`.
    ///
    /// # Errors
    /// The document is not strict JSON or larger than [`limits::KEY`], or names another issuer.
    pub fn parse(bytes: &[u8], issuer: &str) -> Result<Self, Error> {
        let found: Self =
            content::json::parse(bytes, limits::KEY).map_err(Error::of("reading discovery"))?;
        match found.issuer == issuer {
            true => Ok(found),
            false => Err(issuer_differs(issuer, &found.issuer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &str) -> Result<KeySet, Error> {
        KeySet::parse(format!("{{\"keys\":[{keys}]}}").as_bytes())
    }

    const KEY: &str = r#"{"kty":"RSA","alg":"RS256","use":"sig","kid":"k","e":"AQAB","n":"sZoo"}"#;

    fn find(set: &KeySet, header: &str) -> Result<RsaKey, Error> {
        let text = format!("{}.e30.AA", BASE64URL.encode(header));
        let token = Token::parse(&text)?;
        set.key_of(&token).cloned()
    }

    #[test]
    fn finds_the_key_of_a_token() {
        let set = set(KEY).unwrap();
        let key = find(&set, r#"{"alg":"RS256","kid":"k"}"#).unwrap();
        assert_eq!(key.exponent, [1, 0, 1]);
        let refused = |header| find(&set, header).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"alg":"RS256","kid":"K"}"#),
            r#"choosing key: the issuer has no key "K""#
        );
        assert_eq!(
            refused(r#"{"alg":"RS256"}"#),
            "choosing key: no key identifier"
        );
    }

    #[test]
    fn skips_keys_for_other_uses() {
        let is_found = |from: &str, to: &str| {
            assert!(KEY.contains(from), "{from}");
            let set = set(&KEY.replace(from, to)).unwrap();
            match find(&set, r#"{"alg":"RS256","kid":"k"}"#) {
                Ok(_) => true,
                Err(error) => {
                    let expected = r#"choosing key: the issuer has no key "k""#;
                    assert_eq!(error.to_string(), expected, "{to}");
                    false
                }
            }
        };
        for (from, to) in [
            ("RSA", "EC"),
            ("sig", "enc"),
            ("\"sig\"", "\"\""),
            ("RS256", "PS256"),
            ("\"use\":\"sig\"", "\"key_ops\":[\"encrypt\"]"),
            ("\"use\"", "\"key_ops\":[],\"use\""),
            ("\"use\"", "\"key_ops\":[\"sign\",\"Verify\"],\"use\""),
        ] {
            assert!(!is_found(from, to), "{to}");
        }
        assert!(is_found("\"use\"", "\"key_ops\":[\"verify\"],\"use\""));
        assert!(is_found("\"sig\"", "null,\"key_ops\":null"));
    }

    #[test]
    fn refuses_invalid_key_sets() {
        let refused = |keys: &str| set(keys).unwrap_err().to_string();
        assert_eq!(
            refused(&format!("{KEY},{KEY}")),
            r#"reading key set: two keys have the identifier "k""#
        );
        for (from, to) in [("sZoo", "s Zoo"), ("sZoo", "AAEA"), ("\"n\"", "\"m\"")] {
            assert_eq!(
                refused(&KEY.replace(from, to)),
                r#"reading key set: key "k" is not a valid RSA key"#,
                "{to}"
            );
        }
        assert_eq!(
            refused(&KEY.replace("\"k\"", "\"\"")),
            "choosing key: no key identifier"
        );
        let error = KeySet::parse(b"{}").unwrap_err().to_string();
        assert!(error.contains("missing field `keys`"), "{error}");
    }

    #[test]
    fn refuses_discovery_of_another_issuer() {
        let document = br#"{"issuer":"https://a.example","jwks_uri":"https://a.example/k","x":1}"#;
        assert!(Discovery::parse(document, "https://a.example").is_ok());
        let other = Discovery::parse(document, "https://a.example/").unwrap_err();
        assert_eq!(
            other.to_string(),
            r#"checking issuer: expected https://a.example/, found "https://a.example""#
        );
    }
}
