use keyless::{Bundle, TrustRoot};

/// A bundle with certificates, log entries and timestamps.
pub fn logged_bundle(bytes: &[u8]) -> bool {
    Bundle::parse(bytes).is_ok()
}

/// The authorities and logs that are trusted.
pub fn trusted_root(bytes: &[u8]) -> bool {
    TrustRoot::parse(bytes).is_ok()
}
