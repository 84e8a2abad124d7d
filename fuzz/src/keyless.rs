use chrono::DateTime;
use keyless::signing::{self, IdentityToken, LogEntry, SigningConfig, Timestamp};
use keyless::{Bundle, TrustRoot};
use signature::PublicKey;

/// The key of the certificate in the corpus.
const CERTIFIED: &str = include_str!("certified.pem");

/// A bundle with certificates, log entries and timestamps, and whom its certificate names.
pub fn logged_bundle(bytes: &[u8]) -> bool {
    let bundle = Bundle::parse(bytes);
    // A bundle may be signed with a key.
    drop(bundle.as_ref().map(Bundle::claimed_signer));
    bundle.is_ok()
}

/// The authorities and logs that are trusted.
pub fn trusted_root(bytes: &[u8]) -> bool {
    TrustRoot::parse(bytes).is_ok()
}

/// The services of an instance, at a time after the corpus was made.
pub fn signing_config(bytes: &[u8]) -> bool {
    let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap_or_default();
    SigningConfig::parse(bytes).is_ok_and(|config| config.services(now).is_ok())
}

/// An identity token.
pub fn identity_token(bytes: &[u8]) -> bool {
    IdentityToken::parse(bytes).is_ok()
}

/// The answer of a certificate authority.
pub fn certificate(bytes: &[u8]) -> bool {
    PublicKey::from_pem(CERTIFIED).is_ok_and(|key| signing::certificate(bytes, &key).is_ok())
}

/// The answer of a log.
pub fn log_entry(bytes: &[u8]) -> bool {
    LogEntry::parse(bytes).is_ok()
}

/// The answer of a timestamp authority.
pub fn timestamp(bytes: &[u8]) -> bool {
    Timestamp::parse(bytes.to_vec()).is_ok()
}
