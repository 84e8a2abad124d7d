//! Revokes a grant, without a verdict or a registry, and measures when the key refuses.

use std::time::{Duration, Instant};

use content::Digest;
use google::kms::Key;
use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::grant::apply::{Change, Edit, Keys};
use gcp::{Request, Rest};
use grant::Grant;

/// The permission of a workload that decrypts.
const PERMISSION: &str = "cloudkms.cryptoKeyVersions.useToDecrypt";
/// The pause between two questions, and how many refusals in a row count: a service has many servers.
const PAUSE: Duration = Duration::from_secs(1);
const REFUSALS: u32 = 3;
/// How long the key is asked. Google states seven minutes or longer.
const PATIENCE: Duration = Duration::from_secs(900);
const TOKEN: &str = "the file must hold an access token of a workload that runs the image, from a token exchange less than an hour ago";

/// Removes the member for `digest` from the policy of the key, and nothing else.
///
/// # Errors
/// The key service fails.
pub async fn revoke(keys: &Keys, grant: &Grant, digest: &Digest) -> Result<Change, Error> {
    let changed = keys.apply(grant.key(), &removal(grant, digest)).await;
    Ok(changed.map_err(|error| error.during("changing the key's policy"))?)
}

/// Whether the key has no member for `digest` any more, as its service answers now.
///
/// # Errors
/// The key service fails.
pub async fn is_gone(keys: &Keys, grant: &Grant, digest: &Digest) -> Result<bool, Error> {
    let policy = keys.policy(&grant.key().to_string()).await?;
    Ok(removal(grant, digest).apply(policy).is_none())
}

fn removal(grant: &Grant, digest: &Digest) -> Edit {
    Edit::Remove {
        role: grant.role().to_string(),
        member: grant.member(digest).to_string(),
    }
}

/// A key, asked with the access token of a workload.
pub struct Probe<'a> {
    /// Cloud KMS, with the token.
    pub service: &'a Rest,
    /// The key.
    pub key: &'a Key,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Measured {
    /// The workload had no permission before the revocation.
    NeverPermitted,
    /// The key refuses since this time after the revocation.
    RefusedAfter(Duration),
    /// The key did not refuse within this time.
    StillPermitted(Duration),
}

#[derive(Deserialize)]
struct Permitted {
    #[serde(default)]
    permissions: Vec<String>,
}

impl Probe<'_> {
    /// Whether the workload may decrypt now.
    ///
    /// # Errors
    /// There is no answer, or the token is not accepted.
    pub async fn is_permitted(&self) -> Result<bool, Error> {
        let doing = format!("asking {} whether the workload may decrypt", self.key);
        let body = json!({"permissions": [PERMISSION]});
        let request = Request {
            doing: &doing,
            path: &format!("v1/{}:testIamPermissions", self.key),
            body: Some(&body),
            denied: TOKEN,
            absent: "check the name of the key in the grant",
            failed: TOKEN,
        };
        let found: Permitted = self.service.call(&request).await?;
        Ok(found.permissions.iter().any(|found| found == PERMISSION))
    }

    /// Asks until the key refuses: the time from `begin` to the first of several refusals in a row.
    ///
    /// # Errors
    /// As [`Self::is_permitted`].
    pub async fn until_refused(&self, begin: Instant) -> Result<Measured, Error> {
        let (mut refusals, mut first) = (0, Duration::ZERO);
        while begin.elapsed() < PATIENCE {
            let asked = begin.elapsed();
            match self.is_permitted().await? {
                true => refusals = 0,
                false if refusals == 0 => (refusals, first) = (1, asked),
                false => refusals += 1,
            }
            if refusals == REFUSALS {
                return Ok(Measured::RefusedAfter(first));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Measured::StillPermitted(begin.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use gcp::{Endpoint, Token};

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

    /// A key service that gives these answers, the last one again and again. It answers requests with the token only.
    fn serve(answers: Vec<(u16, &'static str)>) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let (mut stream, mut request) = (stream.unwrap(), vec![0; 4096]);
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
                let (status, body) = match request.contains("authorization: bearer secret-token") {
                    true => answers[at.min(answers.len() - 1)],
                    false => (500, "{}"),
                };
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + body).as_bytes()).unwrap();
            }
        });
        endpoint.parse().unwrap()
    }

    async fn asked(answers: Vec<(u16, &'static str)>) -> Result<Measured, Error> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let token = Token::new("secret-token").unwrap();
        let service = Rest::with_token(Some(&serve(answers)), "https://kms.invalid", token)?;
        let key = KEY.parse().unwrap();
        let probe = Probe {
            service: &service,
            key: &key,
        };
        probe.until_refused(Instant::now()).await
    }

    const YES: (u16, &str) = (
        200,
        r#"{"permissions":["cloudkms.cryptoKeyVersions.useToDecrypt"]}"#,
    );
    const NO: (u16, &str) = (200, "{}");

    #[tokio::test]
    async fn a_refusal_counts_if_others_follow() {
        let measured = asked(vec![YES, NO, YES, NO, NO, NO]).await.unwrap();
        let Measured::RefusedAfter(time) = measured else {
            panic!("{measured:?}");
        };
        assert!(time >= 3 * PAUSE && time < 30 * PAUSE, "{time:?}");
    }

    #[tokio::test]
    async fn a_token_that_is_not_accepted_measures_nothing() {
        let refused = (401, r#"{"error":{"message":"expired"}}"#);
        let error = asked(vec![YES, refused]).await.unwrap_err();
        assert!(error.to_string().contains("401"), "{error}");
        assert!(error.to_string().ends_with(": expired"), "{error}");
        assert!(error.hint().is_some());
    }
}
