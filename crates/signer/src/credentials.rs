//! Credentials for Google Cloud, found within seconds or reported as missing.

use std::time::Duration;

use google_cloud_auth::credentials::{Builder, Credentials};

use crate::Error;

/// The time limit for the first access token. The metadata server of a Google Cloud machine answers
/// in milliseconds, and a token endpoint in less than a second. Where there is neither, Google's
/// client would look for the metadata server for a minute.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is done with the credentials.
const TOKEN: &str = "obtaining an access token for Google Cloud";

/// The application default credentials (AIP-4110): the file that `GOOGLE_APPLICATION_CREDENTIALS`
/// names, gcloud's, or those of the metadata server. A first access token is obtained with them.
///
/// # Errors
/// There are no credentials, they are refused, or no access token is obtained within four seconds.
pub async fn credentials() -> Result<Credentials, Error> {
    let credentials = Builder::default().build();
    let credentials = credentials.map_err(|error| {
        Error::Credentials(format!("finding credentials for Google Cloud: {error}"))
    })?;
    let headers = credentials.headers(Default::default());
    match tokio::time::timeout(PATIENCE, headers).await {
        Ok(Ok(_)) => Ok(credentials),
        Ok(Err(source)) => Err(Error::Credentials(format!("{TOKEN}: {source}"))),
        Err(_) => Err(Error::Credentials(format!(
            "{TOKEN}: no answer within {} seconds from the token endpoint of the credentials, or from the \
             metadata server if there are no credentials",
            PATIENCE.as_secs()
        ))),
    }
}
