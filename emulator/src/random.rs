//! Random tokens and names.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits as text (base64url without padding, RFC 4648 section 5).
///
/// # Errors
/// The random number generator of the system fails.
pub fn text() -> Result<String, aws_lc_rs::error::Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(bytes()?))
}

/// 256 random bits.
///
/// # Errors
/// The random number generator of the system fails.
pub fn bytes() -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}
