//! The answers of the fake services.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::aead::{Aad, Nonce};
use serde_json::{Value, json};

use super::http::Request;
use super::keys::{jwks, sign};
use super::sealing::aead_key;
use super::{NOW, Queued, State, audience, image, key_id, provider};

/// Status and body.
type Response = (u16, Vec<u8>);

impl State {
    pub fn launcher(&mut self, request: &Request) -> Response {
        self.calls
            .push(format!("{} launcher{}", request.method, request.path));
        if request.method == "GET" {
            self.seen_signed = self.signed.clone();
            return (
                200,
                self.token("https://sts.googleapis.com", &Value::Null)
                    .into_bytes(),
            );
        }
        let options: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(options["token_type"], "OIDC");
        let audience = options["audience"].as_str().unwrap();
        (
            200,
            format!("{}\n", self.token(audience, &options["nonces"])).into_bytes(),
        )
    }

    fn token(&self, audience: &str, nonces: &Value) -> String {
        let signature = |name: &&str| json!({"key_id": key_id(name), "signature": "MEUC", "signature_algorithm": "ECDSA_P256_SHA256"});
        let mut claims = json!({
            "aud": audience, "iss": "https://issuer.example", "sub": "vm", "iat": NOW, "nbf": NOW,
            "exp": NOW + 3600, "swname": "CONFIDENTIAL_SPACE", "dbgstat": "disabled-since-boot",
            "submods": {"container": {"image_reference": "r", "image_digest": image(),
                "image_signatures": self.seen_signed.iter().map(signature).collect::<Vec<_>>()}},
        });
        match nonces.as_array().map(Vec::as_slice) {
            Some([one]) => claims["eat_nonce"] = one.clone(),
            Some(many) => claims["eat_nonce"] = json!(many),
            None => {}
        }
        (self.claims)(audience, &mut claims);
        sign(self.signing_key, &claims)
    }

    pub fn service(&mut self, request: &Request) -> Response {
        self.calls
            .push(format!("{} {}", request.method, request.path));
        if self.outages > 0 {
            self.outages -= 1;
            return (503, b"{}".to_vec());
        }
        let text = String::from_utf8_lossy(&request.body);
        let asked = format!("{} {text}", request.bearer);
        if let Some((status, answer)) = self.echo.and_then(|echo| echo(&request.path, &asked)) {
            return (status, answer.into_bytes());
        }
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap();
        let (status, answer) = match request.path.rsplit([':', '/']).next().unwrap() {
            "openid-configuration" => (200, self.discovery(request)),
            "jwks" => (200, jwks()),
            "token" => self.exchange(&form(&request.body)),
            "decrypt" => {
                self.passed += self.decrypting;
                std::thread::sleep(self.stalling);
                self.decrypt(request, &body())
            }
            "pull" => self.as_one(request, |state| state.pull(&body())),
            "modifyAckDeadline" => self.as_one(request, |state| state.modify_deadline(&body())),
            "acknowledge" => self.as_one(request, |state| state.acknowledge(&body())),
            other => panic!("{other}"),
        };
        let padding = " ".repeat(self.padding);
        (
            self.status.unwrap_or(status),
            format!("{answer}{padding}").into_bytes(),
        )
    }

    fn discovery(&self, request: &Request) -> Value {
        json!({"issuer": "https://issuer.example", "jwks_uri": format!("http://{}/jwks", request.host)})
    }

    fn exchange(&self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let name = ["one", "two"]
            .into_iter()
            .find(|name| form["audience"] == provider(name));
        let name = name.unwrap();
        let claims = form["subject_token"].split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        if claims["aud"] != json!(audience(name)) {
            return (
                400,
                json!({"error": "invalid_grant", "error_description": "audience"}),
            );
        }
        if self.closed_provider == Some(name) {
            let description = "The given credential is rejected by the attribute condition.";
            let error = "unauthorized_client";
            return (
                400,
                json!({"error": error, "error_description": description}),
            );
        }
        let token = format!("access-{name}");
        let mut answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
        (self.exchanged)(&mut answer);
        (200, answer)
    }

    fn decrypt(&self, request: &Request, body: &Value) -> (u16, Value) {
        let key = request
            .path
            .strip_prefix("/v1/")
            .unwrap()
            .strip_suffix(":decrypt")
            .unwrap();
        let owner = key.split('/').nth(1).unwrap();
        if request.bearer != format!("access-{owner}") || self.closed_keys.contains(key) {
            return denied(
                "Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource",
            );
        }
        if let Some(code) = self.kms_code {
            return (
                400,
                json!({"error": {"code": 400, "message": "", "status": code}}),
            );
        }
        let bytes = |name: &str| {
            let bytes = STANDARD.decode(body[name].as_str().unwrap()).unwrap();
            assert_eq!(
                body[format!("{name}Crc32c")],
                tee::crc32c(&bytes).to_string()
            );
            bytes
        };
        let (mut data, aad) = (bytes("ciphertext"), bytes("additionalAuthenticatedData"));
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let Ok(plaintext) = aead_key(key).open_in_place(nonce, Aad::from(&aad), &mut data) else {
            let message = "Decryption failed: verify that 'name' refers to the correct CryptoKey.";
            let error = json!({"code": 400, "message": message, "status": "INVALID_ARGUMENT"});
            return (400, json!({"error": error}));
        };
        let crc32c = tee::crc32c(plaintext).to_string();
        let mut answer =
            json!({"plaintext": STANDARD.encode(plaintext), "plaintextCrc32c": crc32c});
        (self.decrypted)(&mut answer);
        (200, answer)
    }

    fn as_one(&mut self, request: &Request, call: impl FnOnce(&mut Self) -> Value) -> (u16, Value) {
        match request.bearer == "access-one" {
            true => (200, call(self)),
            false => denied("User not authorized to perform this action."),
        }
    }

    /// Delivers messages. If there are none, time passes, and messages that were not extended are released.
    fn pull(&mut self, body: &Value) -> Value {
        let most = usize::try_from(body["maxMessages"].as_u64().unwrap()).unwrap();
        let mut received = Vec::new();
        let free = self
            .queue
            .iter_mut()
            .filter(|q| !q.acknowledged && q.held.is_none());
        for queued in free.take(most) {
            self.next_ack += 1;
            let id = format!("ack-{}", self.next_ack);
            queued.held = Some(id.clone());
            received.push(json!({"ackId": id, "message": queued.message, "deliveryAttempt": 1}));
        }
        match received.is_empty() {
            true => {
                self.passed += Duration::from_secs(1);
                let lapsed = self.queue.iter_mut().filter(|queued| !queued.extended);
                lapsed.for_each(|queued| queued.held = None);
                json!({})
            }
            false => json!({"receivedMessages": received}),
        }
    }

    fn modify_deadline(&mut self, body: &Value) -> Value {
        let seconds = body["ackDeadlineSeconds"].as_u64().unwrap();
        assert!(seconds <= 600);
        self.held_by(body, |queued| {
            queued.extended = seconds > 0;
            if seconds == 0 {
                queued.held = None;
            }
        });
        json!({})
    }

    fn acknowledge(&mut self, body: &Value) -> Value {
        self.held_by(body, |queued| queued.acknowledged = true);
        json!({})
    }

    fn held_by(&mut self, body: &Value, change: impl Fn(&mut Queued)) {
        let ids = body["ackIds"].as_array().unwrap();
        assert!(!ids.is_empty());
        let is_held = |q: &&mut Queued| q.held.as_ref().is_some_and(|id| ids.contains(&json!(id)));
        self.queue.iter_mut().filter(is_held).for_each(change);
    }
}

fn denied(message: &str) -> (u16, Value) {
    (
        403,
        json!({"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}),
    )
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), percent_decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap().to_owned();
    for part in parts {
        decoded.push(u8::from_str_radix(&part[..2], 16).unwrap().into());
        decoded += &part[2..];
    }
    decoded.replace('+', " ")
}
