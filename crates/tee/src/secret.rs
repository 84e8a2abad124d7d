use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

/// A token, or decrypted data of a collaborator. It is never printed, and its memory is cleared on drop.
/// Buffers of the TLS and HTTP libraries are not cleared.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Wraps `bytes`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Deserializes from a string.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde's own message would quote the value.
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom("not text"))?;
        Ok(Self::new(text.into_bytes()))
    }
}
