//! Bytes as text, and text that others wrote.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Encodes bytes as Google's JSON does (base64, RFC 4648 section 4).
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes base64 (RFC 4648 section 4); `None` if `text` is not base64.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Encodes bytes as JSON Web Tokens do (base64url without padding, RFC 7515 section 2).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Untrusted text with unprintable characters replaced by spaces, cut to `length` characters.
pub fn printable(text: &str, length: usize) -> String {
    let kept = text.trim().chars().take(length);
    kept.map(|c| if content::is_plain(c) { c } else { ' ' })
        .collect()
}
