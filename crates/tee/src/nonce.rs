//! Values that are used once.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::Error;

/// A value that no earlier token can contain: 16 random bytes as 32 hex digits.
pub(crate) fn new() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        let fault = "the random number generator of the system failed";
        Error::system("making a nonce", fault)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
