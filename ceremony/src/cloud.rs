//! Calls to the cloud's REST interfaces that no other program of this project makes: setting up projects, and sending
//! what an honest client would not send.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Error;

/// The role whose members may decrypt.
pub const DECRYPTER: &str = "roles/cloudkms.cryptoKeyDecrypter";

/// Where the services are, as the emulator prints it when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoints {
    /// Host and port of the registry.
    pub registry: String,
    /// The attestation service.
    pub attestation: String,
    /// The token exchange.
    pub sts: String,
    /// Identity and access management.
    pub iam: String,
    /// Key management.
    pub kms: String,
    /// Messages.
    pub pubsub: String,
    /// Machines.
    pub compute: String,
    /// What machines wrote.
    pub logging: String,
    /// Projects and their policies.
    pub resource_manager: String,
    /// The projects by name.
    pub projects: std::collections::BTreeMap<String, Project>,
}

/// One project and who owns it.
#[derive(Clone, Debug, Deserialize)]
pub struct Project {
    /// The project number.
    pub number: String,
    /// A service account key file of the owner.
    pub credentials: std::path::PathBuf,
    /// A file with an access token of the owner.
    pub access_token: std::path::PathBuf,
}

/// An answer: the HTTP status and the JSON.
pub type Answer = (u16, Value);

/// Sends `body` to `url` with the access token in the file `token`.
///
/// # Errors
/// The connection fails, the answer is not JSON, or its HTTP status is not 2xx.
pub fn call(method: &str, url: &str, token: &Path, body: &Value) -> Result<Value, Error> {
    let bearer = std::fs::read_to_string(token).map_err(Error::io(token))?;
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {}", bearer.trim()))
        .header("content-type", "application/json");
    match send(url, request, body.to_string())? {
        (200..=299, answer) => Ok(answer),
        (status, answer) => Err(Error::call(url, format!("{status} {answer}"))),
    }
}

/// The live policy of a Cloud KMS key, with its etag.
///
/// # Errors
/// As [`call`].
pub fn key_policy(kms: &str, key: &str, token: &Path) -> Result<Value, Error> {
    let url = format!("{kms}/v1/{key}:getIamPolicy?options.requestedPolicyVersion=3");
    call("GET", &url, token, &Value::Null)
}

/// Whether a policy lets `member` decrypt.
pub fn is_bound(policy: &Value, member: &str) -> bool {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .filter(|binding| binding["role"] == DECRYPTER)
        .filter_map(|binding| binding["members"].as_array())
        .any(|members| members.iter().any(|found| found == member))
}

/// Lets `member` decrypt with a Cloud KMS key, as the owner of the key can at any time.
///
/// # Errors
/// As [`call`].
pub fn bind(kms: &str, key: &str, token: &Path, member: &str) -> Result<(), Error> {
    let mut policy = key_policy(kms, key, token)?;
    let binding = json!({"role": DECRYPTER, "members": [member]});
    match policy["bindings"].as_array_mut() {
        Some(bindings) => bindings.push(binding),
        None => policy["bindings"] = json!([binding]),
    }
    let url = format!("{kms}/v1/{key}:setIamPolicy");
    call("POST", &url, token, &json!({"policy": policy})).map(drop)
}

/// Exchanges an attestation token at STS, as every holder of the token can.
///
/// # Errors
/// The connection fails, or the answer is not JSON.
pub fn exchange(sts: &str, provider: &str, token: &str) -> Result<Answer, Error> {
    let url = format!("{sts}/v1/token");
    let body = json!({
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": provider,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
        "subjectToken": token,
        "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
    });
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(&url)
        .header("content-type", "application/json");
    send(&url, request, body.to_string())
}

fn send(url: &str, request: ureq::http::request::Builder, body: String) -> Result<Answer, Error> {
    let failed = |reason: String| Error::call(url, reason);
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // The emulator is on this machine.
        .proxy(None)
        .timeout_global(Some(std::time::Duration::from_secs(20)))
        .build();
    let request = request
        .body(body)
        .map_err(|error| failed(error.to_string()))?;
    let mut response = ureq::Agent::new_with_config(config)
        .run(request)
        .map_err(|e| failed(e.to_string()))?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(content::limits::HTTP_BODY)
        .read_to_string();
    let text = text.map_err(|error| failed(error.to_string()))?;
    let answer = serde_json::from_str(&text).map_err(|_| failed(format!("{status} {text}")))?;
    Ok((status, answer))
}

/// The data of a collaborator: `text`, encrypted with its own key and bound to the image, the collaborator
/// and the name of the message.
pub struct Datum<'a> {
    /// The sender's name in the terms.
    pub collaborator: &'a str,
    /// The sender's name for this message.
    pub message: &'a str,
    /// The image that may read it.
    pub image_digest: &'a content::Digest,
    /// The text whose words are counted.
    pub text: &'a str,
}

/// Encrypts a datum with the Cloud KMS key `key`.
///
/// # Errors
/// As [`call`], or the answer has no ciphertext.
pub fn encrypt(kms: &str, key: &str, token: &Path, datum: &Datum<'_>) -> Result<String, Error> {
    let aad = content::json::canonical(&json!({
        "collaborator": datum.collaborator,
        "image_digest": datum.image_digest,
        "message": datum.message,
    }))
    .map_err(|error| Error::answer("associated data", error))?;
    let body = json!({
        "plaintext": BASE64.encode(datum.text),
        "plaintextCrc32c": crc32c::crc32c(datum.text.as_bytes()).to_string(),
        "additionalAuthenticatedData": BASE64.encode(&aad),
        "additionalAuthenticatedDataCrc32c": crc32c::crc32c(&aad).to_string(),
    });
    let answer = call("POST", &format!("{kms}/v1/{key}:encrypt"), token, &body)?;
    text(&answer, "ciphertext")
}

/// The string `name` of an answer.
///
/// # Errors
/// The answer has no such string.
pub fn text(answer: &Value, name: &str) -> Result<String, Error> {
    let found = answer.get(name).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Error::answer(name, answer))
}
