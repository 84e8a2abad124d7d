use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::{json, limits};
use serde::Deserialize;

use super::agent::Agent;
use super::attest::TokenRequest;
use super::{Error, Notice};

/// The default token's name in the folder that launcher and container share.
pub const NAME: &str = "attestation_verifier_claims_token";
/// How the token is called while it is written.
pub const UNFINISHED: &str = ".token.tmp";
/// The launcher waits for 0.7 to 0.9 of a token's life; here always for the middle.
const PART_OF_LIFE: f64 = 0.8;
/// Between two attempts at first; twice as long after each that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Between two attempts at the most.
const LAST_PAUSE: Duration = Duration::from_secs(3600);

/// The file that holds the default token.
pub struct TokenFile {
    agent: Arc<Agent>,
    folder: PathBuf,
}

impl TokenFile {
    /// The file in `folder`.
    pub fn new(agent: Arc<Agent>, folder: &Path) -> Self {
        Self {
            agent,
            folder: folder.to_owned(),
        }
    }

    /// Fetches signatures and a default token, writes the token, and tells when it is time for the
    /// next one.
    ///
    /// # Errors
    /// The attestation service gives no token, or the file cannot be written.
    pub async fn write(&self) -> Result<Duration, Error> {
        self.agent.refresh().await;
        let token = self.agent.token(&TokenRequest::default()).await?;
        let (path, unfinished) = (self.folder.join(NAME), self.folder.join(UNFINISHED));
        std::fs::write(&unfinished, &token).map_err(Error::write(&unfinished))?;
        std::fs::rename(&unfinished, &path).map_err(Error::write(&path))?;
        Ok(lifetime(&token).mul_f64(PART_OF_LIFE))
    }

    /// Writes a new token whenever it is time, for ever.
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

/// How long a new token holds. The launcher believes it: it has just come from the service.
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
    fn a_token_says_how_long_it_holds() {
        let token = |payload: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload));
        let hour = lifetime(&token(r#"{"iat":100,"exp":3700,"aud":"x"}"#));
        assert_eq!(hour, Duration::from_secs(3600));
        assert_eq!(lifetime(&token(r#"{"iat":100,"exp":90}"#)), FIRST_PAUSE);
        assert_eq!(lifetime("no token"), FIRST_PAUSE);
    }
}
