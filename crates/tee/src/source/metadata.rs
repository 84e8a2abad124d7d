//! Signatures in the metadata of the instance (Compute Engine, "View and query VM metadata"). They are not measured, and need not be.

use std::time::Duration;

use crate::error::{Error, Fault};
use crate::http::{Answer, Request};
use crate::secret::Secret;
use crate::signed::CARRIED;
use crate::tee::Tee;

/// The key of the metadata.
pub(super) const ATTRIBUTE: &str = "countersign-signatures";
/// The header of every request and answer of the metadata server: without it, something else has answered.
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");
/// The longest wait for a change, in seconds. Calls end after 30.
const WAIT: u64 = 20;

/// What was read before.
#[derive(Default)]
pub(crate) struct Watch {
    /// The tag of the latest value.
    etag: Option<String>,
}

impl Watch {
    /// The value; `None` if there is none.
    pub(super) fn read(&mut self, tee: &Tee) -> Result<Option<Secret>, Error> {
        let answer = ask(tee, &attribute(), CARRIED)?;
        self.etag = answer.header("etag").map(str::to_owned);
        let doing = doing();
        match answer.status() {
            404 => Ok(None),
            _ => answer.ok(&doing).map(|answer| Some(answer.into_body())),
        }
    }

    /// Waits for a change, at most for `wait`.
    pub(super) fn has_changed(&self, tee: &Tee, wait: Duration) -> Result<bool, Error> {
        let Some(etag) = self.etag.as_deref().filter(|etag| is_tag(etag)) else {
            return Ok(false);
        };
        // 0 would mean not to wait, or to wait for ever.
        let seconds = wait.as_secs().min(WAIT);
        if seconds == 0 {
            return Ok(false);
        }
        let attribute = attribute();
        let path =
            format!("{attribute}?wait_for_change=true&timeout_sec={seconds}&last_etag={etag}");
        let answer = ask(tee, &path, CARRIED)?;
        Ok(answer.status() == 200 && answer.header("etag") != Some(etag))
    }
}

/// The access token of the machine's service account.
pub(super) fn account_token(tee: &Tee) -> Result<Secret, Error> {
    #[derive(serde::Deserialize)]
    struct Token {
        access_token: Secret,
    }
    let path = "instance/service-accounts/default/token";
    let answer = ask(tee, path, content::limits::TOKEN)?;
    let token: Token = answer.json("reading the token of the machine's service account")?;
    Ok(token.access_token)
}

fn attribute() -> String {
    format!("instance/attributes/{ATTRIBUTE}")
}

fn doing() -> String {
    format!("reading metadata {ATTRIBUTE} of the instance")
}

fn ask(tee: &Tee, path: &str, limit: u64) -> Result<Answer, Error> {
    let server = tee.services().metadata.as_str();
    let request = Request::get(format!("{server}/computeMetadata/v1/{path}"))
        .header(FLAVOR.0, FLAVOR.1)
        .limit(limit);
    let doing = doing();
    let answer = tee.network().call(&doing, &request)?;
    match answer.header(FLAVOR.0) {
        Some(flavor) if flavor == FLAVOR.1 => Ok(answer),
        _ => {
            let expected = "an answer of a metadata server".to_owned();
            let found = "another".to_owned();
            Err(Error::answer(&doing, Fault::Other { expected, found }))
        }
    }
}

/// Whether a tag has letters and digits only, so that it is a part of a query as it is.
fn is_tag(etag: &str) -> bool {
    !etag.is_empty() && etag.len() <= 64 && etag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
