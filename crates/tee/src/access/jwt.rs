//! JSON Web Tokens of one's own (RFC 7519, RFC 7515), signed with a key in Cloud KMS that only this image may use.

use serde_json::{Map, Value, json};

use super::Access;
use super::sign::{Algorithm, SigningKey};
use crate::encode::base64url;
use crate::error::Error;
use crate::key::fixed;

impl Access<'_> {
    /// A token with `claims`, signed with `key`: ES256 by a key of P-256, RS256 or PS256 by one of RSA. Its header names the key by the
    /// SHA-256 of the public key, in hex (`kid`). Add `iat`, `exp` and `aud` to the claims.
    ///
    /// # Errors
    /// As [`Access::sign`], or the claims have a fraction.
    pub fn jwt(&self, key: &SigningKey, claims: &Map<String, Value>) -> Result<String, Error> {
        let algorithm = match key.algorithm() {
            Algorithm::EcdsaP256 => "ES256",
            Algorithm::RsaPkcs1 => "RS256",
            Algorithm::RsaPss => "PS256",
        };
        let header = json!({"alg": algorithm, "kid": key.public().id().hex(), "typ": "JWT"});
        let input = format!("{}.{}", encode(&header)?, encode(claims)?);
        let signature = self.sign(key, input.as_bytes())?;
        let signature = match key.algorithm() {
            Algorithm::EcdsaP256 => fixed(&signature),
            Algorithm::RsaPkcs1 | Algorithm::RsaPss => Some(signature),
        };
        let doing = format!("signing with {}", key.version());
        let signature = signature.ok_or_else(|| Error::incomplete(&doing, "signature"))?;
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}

fn encode(part: &impl serde::Serialize) -> Result<String, Error> {
    let json = content::json::canonical(part);
    let json = json.map_err(|error| Error::system("writing a JSON Web Token", error))?;
    Ok(base64url(&json))
}
