//! Credentials for Google Cloud, found at once or not at all.

use std::time::Duration;

use google_cloud_auth::credentials::{Builder, Credentials};

use crate::Error;

/// How long the first access token may take. The metadata server of a Google Cloud machine answers in
/// milliseconds, and a token endpoint in less than a second. Without either, Google's client would
/// look for the metadata server for a minute.
const PATIENCE: Duration = Duration::from_secs(4);

/// The application default credentials: of the file that `GOOGLE_APPLICATION_CREDENTIALS` names, of
/// gcloud, or of the Google Cloud machine that this is (AIP-4110). A first access token is obtained
/// with them.
///
/// # Errors
/// There are none, they are refused, or there is no access token within four seconds.
pub async fn credentials() -> Result<Credentials, Error> {
    let credentials = Builder::default().build().map_err(Error::Credentials)?;
    let headers = credentials.headers(Default::default());
    match tokio::time::timeout(PATIENCE, headers).await {
        Ok(Ok(_)) => Ok(credentials),
        Ok(Err(source)) => Err(Error::NoToken(Box::new(source))),
        Err(_) => Err(Error::SlowToken {
            seconds: PATIENCE.as_secs(),
        }),
    }
}
