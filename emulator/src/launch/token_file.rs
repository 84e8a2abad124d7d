//! The file with the default token, and its renewal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::at::At;
use content::{json, limits};
use serde::Deserialize;

use super::agent::Agent;
use super::attest::TokenRequest;
use super::{Error, Notice};

/// The name of the file with the default token, in the folder that launcher and container share.
pub const NAME: &str = "attestation_verifier_claims_token";
/// The name of the file while it is being written.
pub const UNFINISHED: &str = ".token.tmp";
/// The part of the lifetime of a token after which it is renewed. The launcher chooses 0.7 to 0.9 at
/// random; the emulator uses the middle.
const PART_OF_LIFE: f64 = 0.8;
/// The pause after the first failed attempt; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause between two attempts.
const LAST_PAUSE: Duration = Duration::from_secs(3600);

/// The file that holds the default token.
pub struct TokenFile {
    agent: Arc<Agent>,
    folder: PathBuf,
}

impl TokenFile {
    /// The token file in `folder`.
    pub fn new(agent: Arc<Agent>, folder: &Path) -> Self {
        Self {
            agent,
            folder: folder.to_owned(),
        }
    }

    /// Fetches signatures and a default token, writes the token, and returns the time until the next
    /// renewal.
    ///
    /// # Errors
    /// The attestation service issues no token, or the file cannot be written.
    pub async fn write(&self) -> Result<Duration, Error> {
        self.agent.refresh().await;
        let token = self.agent.token(&TokenRequest::default()).await?;
        let (path, unfinished) = (self.folder.join(NAME), self.folder.join(UNFINISHED));
        std::fs::write(&unfinished, &token).map_err(At::writing(&unfinished))?;
        std::fs::rename(&unfinished, &path).map_err(At::writing(&path))?;
        Ok(lifetime(&token).mul_f64(PART_OF_LIFE))
    }

    /// Renews the token after `pause` and then regularly; never returns.
    pub async fn keep_fresh(self, mut pause: Duration) {
        let mut retry = FIRST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            match self.write().await {
                Ok(next) => (pause, retry) = (next, FIRST_PAUSE),
                Err(error) => {
                    self.agent.report(&Notice::TokenFile(error));
                    (pause, retry) = (retry, LAST_PAUSE.min(retry * 2));
                }
            }
        }
    }
}

/// The lifetime of a new token. Its signature is not verified: it comes directly from the service.
fn lifetime(token: &str) -> Duration {
    #[derive(Deserialize)]
    struct Times {
        iat: u64,
        exp: u64,
    }
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    match json::parse::<Times>(&payload, limits::TOKEN) {
        Ok(times) => Duration::from_secs(times.exp.saturating_sub(times.iat)).max(FIRST_PAUSE),
        Err(_) => FIRST_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lifetime_of_a_token() {
        let token = |payload: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload));
        let hour = lifetime(&token(r#"{"iat":100,"exp":3700,"aud":"x"}"#));
        assert_eq!(hour, Duration::from_secs(3600));
        assert_eq!(lifetime(&token(r#"{"iat":100,"exp":90}"#)), FIRST_PAUSE);
        assert_eq!(lifetime("no token"), FIRST_PAUSE);
    }
}
