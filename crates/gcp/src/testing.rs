//! A service for tests.

use std::thread::JoinHandle;

use signer::Endpoint;

/// A service that answers one request after the other, and what the first line of each was.
pub fn serve(answers: Vec<(u16, &'static str)>) -> (Endpoint, JoinHandle<Vec<String>>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (url, served) = testkit::http::answers(answers);
    (url.parse().unwrap(), served)
}
