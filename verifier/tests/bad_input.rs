//! If there can be no verdict, the verifier prints one error with a hint, has exit status 2, and leaves no files.
#![allow(clippy::unwrap_used, reason = "a test panics")]

#[path = "../../builder/tests/failure/mod.rs"]
mod failure;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use failure::{fails, fails_with_few_files, interrupted};
use rustix::process::Signal;
use tempfile::TempDir;

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

/// A repository at the port of the discard protocol, where no server listens.
const NOWHERE: &str = "127.0.0.1:9/a/b";

/// A folder with a policy, a grant, a key and a file of nonsense.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["policy.toml", "grant.toml", "nonsense"] {
            let example = Path::new(POLICIES).join(name.replace("policy", "release"));
            let text = fs::read_to_string(example).unwrap_or_else(|_| "nonsense".to_owned());
            fs::write(place.at(name), text).unwrap();
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the verifier with these arguments in this folder, and returns the lines that it prints.
    fn fails(&self, words: &str) -> String {
        let before = self.names();
        let mut verifier = Command::new(env!("CARGO_BIN_EXE_verifier"));
        verifier.args(words.split_whitespace());
        verifier
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path())
            .env(
                "GOOGLE_APPLICATION_CREDENTIALS",
                self.at("credentials.json"),
            );
        let said = fails("verifier", verifier);
        assert_eq!(self.names(), before, "{words}");
        said
    }

    fn names(&self) -> Vec<std::ffi::OsString> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }
}

fn image(repository: &str) -> String {
    format!("{repository}@sha256:{}", "0".repeat(64))
}

/// A server that is not a registry: it answers each request with a greeting.
fn no_registry() -> String {
    let address = server(|_| answer("200 OK", "text/html", "hello\n"));
    format!("{address}/a/b")
}

/// A key service that refuses each request for the policy of a key.
fn closed_key_service() -> SocketAddr {
    server(|request| match request.starts_with("POST /token") {
        true => {
            let token = r#"{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}"#;
            answer("200 OK", "application/json", token)
        }
        false => {
            let refusal =
                r#"{"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}"#;
            answer("403 Forbidden", "application/json", refusal)
        }
    })
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

fn server(answer: impl Fn(&str) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let answer = answer(&String::from_utf8_lossy(&request[..read]));
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn policies() {
    let place = Place::new();
    let image = image(NOWHERE);
    let said = place.fails(&format!("verify {image} --policy missing.toml"));
    assert!(said.contains("missing.toml"), "{said}");
    let said = place.fails(&format!("verify {image} --policy nonsense"));
    assert!(said.contains("nonsense: parsing policy"), "{said}");
    let said = place.fails(&format!("verify {image} --policy policy.toml"));
    assert!(said.contains("--source"), "{said}");
}

#[test]
fn grants_and_keys() {
    let place = Place::new();
    let image = image(NOWHERE);
    let authorize = format!("authorize {image} --policy policy.toml --source .");
    let said = place.fails(&format!("{authorize} --grant missing"));
    assert!(said.contains("missing"), "{said}");
    let said = place.fails(&format!("{authorize} --grant nonsense"));
    assert!(said.contains("nonsense: parsing grant"), "{said}");
    let countersign = format!("countersign {image} --policy policy.toml --source .");
    let said = place.fails(&format!("{countersign} --key missing"));
    assert!(said.contains("missing"), "{said}");
    assert!(said.contains("hint: check the path"), "{said}");
    let said = place.fails(&format!("{countersign} --key nonsense"));
    assert!(said.contains("PEM"), "{said}");
    let said = place.fails(&format!("revoke {image} --grant missing"));
    assert!(said.contains("missing"), "{said}");
}

#[test]
fn an_invalid_key_does_not_show_its_pin() {
    let place = Place::new();
    let countersign = format!(
        "countersign {} --policy policy.toml --source .",
        image(NOWHERE)
    );
    for key in failure::KEYS_WITH_PIN {
        let said = place.fails(&format!("{countersign} --key {key}"));
        assert!(said.contains("pkcs11:"), "{said}");
        assert!(!said.contains("9317"), "{said}");
    }
    let mut misplaced = Command::new(env!("CARGO_BIN_EXE_verifier"));
    misplaced
        .args(countersign.split(' '))
        .arg(failure::KEYS_WITH_PIN[0]);
    let output = misplaced.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("error: unexpected argument"), "{said}");
    assert!(!said.contains("9317"), "{said}");
}

#[test]
fn interrupted_while_reading_a_policy() {
    let place = Place::new();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_verifier"));
    verify.current_dir(place.0.path());
    verify.args(["verify", &image(NOWHERE), "--policy", "pipe"]);
    let said = interrupted(verify, Signal::TERM, &place.at("pipe"));
    assert!(said.contains("interrupted"), "{said}");
}

#[test]
fn a_key_that_cannot_be_opened_is_reported_before_the_rebuild() {
    let place = Place::new();
    let (image, service) = (image(NOWHERE), closed_key_service());
    let apply = format!(
        "authorize {image} --policy policy.toml --source . --plain-http --grant grant.toml \
         --apply --kms-endpoint http://{service}"
    );
    let said = place.fails(&apply);
    assert!(said.contains("connecting to Cloud KMS"), "{said}");
    let credentials = serde_json::json!({
        "type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c",
        "token_uri": format!("http://{service}/token"),
    });
    fs::write(place.at("credentials.json"), credentials.to_string()).unwrap();
    let said = place.fails(&apply);
    assert!(
        said.contains("changing the key's policy: reading policy"),
        "{said}"
    );
    assert!(said.contains("cloudkms.cryptoKeys.getIamPolicy"), "{said}");
}

#[test]
fn a_revocation_is_reported_as_json() {
    let place = Place::new();
    let mut verifier = Command::new(env!("CARGO_BIN_EXE_verifier"));
    verifier.args(["revoke", &image(NOWHERE), "--json", "--grant"]);
    let output = verifier.arg(place.at("grant.toml")).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &report["applied"]),
        (Some(0), &false.into())
    );
    let member = report["member"].as_str().unwrap();
    assert!(member.ends_with(&"0".repeat(64)), "{member}");
}

#[test]
fn registries() {
    let place = Place::new();
    let verify = "--policy policy.toml --source . --plain-http";
    let said = place.fails(&format!("verify {} {verify}", image(NOWHERE)));
    assert!(said.contains("127.0.0.1:9"), "{said}");
    let said = place.fails(&format!("verify {NOWHERE}:v1 {verify}"));
    assert!(said.contains("127.0.0.1:9"), "{said}");
    let wrong = no_registry();
    for reference in [image(&wrong), format!("{wrong}:v1")] {
        let said = place.fails(&format!("verify {reference} {verify}"));
        assert!(said.contains("expected a manifest"), "{said}");
    }
    let said = place.fails(&format!(
        "verify {NOWHERE}:v1 --policy policy.toml --source . --ca missing"
    ));
    assert!(said.contains("missing"), "{said}");
}

#[test]
fn rebuilds() {
    let place = Place::new();
    let image = image(NOWHERE);
    let said = place.fails(&format!(
        "rebuild {image} --source . -o nonsense --plain-http"
    ));
    assert!(said.contains("exists already"), "{said}");
    place.fails(&format!(
        "rebuild {image} --source . -o layout --plain-http"
    ));
}

/// A machine outside Google Cloud: the server at the address of the metadata server does not answer.
#[test]
fn missing_credentials_are_reported_within_seconds() {
    let place = Place::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let version =
        "gcpkms://projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
    for (verb, options) in [
        ("countersign", ["--key", version]),
        ("authorize", ["--apply", "--grant=grant.toml"]),
    ] {
        let mut verifier = Command::new(env!("CARGO_BIN_EXE_verifier"));
        verifier.current_dir(place.0.path());
        verifier.args([
            verb,
            &image(NOWHERE),
            "--policy",
            "policy.toml",
            "--source",
            ".",
        ]);
        verifier.arg("--plain-http").args(options);
        verifier.env_remove("GOOGLE_APPLICATION_CREDENTIALS");
        verifier.env("HOME", place.0.path());
        verifier.env(
            "GCE_METADATA_HOST",
            silent.local_addr().unwrap().to_string(),
        );
        let begin = Instant::now();
        let said = fails("verifier", verifier);
        assert!(
            begin.elapsed() < Duration::from_secs(6),
            "{:?}",
            begin.elapsed()
        );
        assert!(
            said.contains("obtaining an access token for Google Cloud"),
            "{said}"
        );
        assert!(
            said.contains("hint: set GOOGLE_APPLICATION_CREDENTIALS"),
            "{said}"
        );
    }
}

#[test]
fn few_open_files() {
    let mut revoke = Command::new(env!("CARGO_BIN_EXE_verifier"));
    revoke.args(["revoke", &image(NOWHERE), "--grant", "/nowhere/grant"]);
    fails_with_few_files("verifier", &revoke);
}
