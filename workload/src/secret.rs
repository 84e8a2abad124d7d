use zeroize::Zeroizing;

/// A token, or data that a collaborator encrypted: it is never printed, and its memory is cleared.
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
