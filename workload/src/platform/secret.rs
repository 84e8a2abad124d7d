use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

/// A token, or data that a collaborator encrypted: it is never printed, and its memory is cleared.
/// That is this memory; what TLS and HTTP keep of a message on its way is theirs.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Keeps `bytes` secret from here on.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one who needs them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// From text.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde would say what it found instead.
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom("not text"))?;
        Ok(Self::new(text.into_bytes()))
    }
}
