//! Programs that are not started.

use serde_json::{Value, json};

use super::*;
use crate::fake::{SIGNERS, key_id};

const NOT_ROOT: &str = "handing secrets over: this process is user";

/// Whether these tests may become another user.
fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

fn with(secret: Value) -> Services {
    let services = Services::new();
    let exec = json!({"command": ["/bin/true"], "secrets": [secret]});
    services.state.lock().unwrap().job = json!({"exec": exec});
    services
}

fn secret(collaborator: &str) -> Value {
    json!({"name": "a", "collaborator": collaborator, "ciphertext": "/nowhere/a.enc"})
}

#[test]
fn nothing_is_fetched_without_a_signature() {
    let services = with(secret("one"));
    services.state.lock().unwrap().signed = vec!["builder", "one"];
    match is_root() {
        true => {
            let refusal = refused(services.run().result);
            assert!(refusal.contains("not signed by two"), "{refusal}");
        }
        // No one is asked at all.
        false => {
            let error = services.run().result.unwrap_err().to_string();
            assert!(error.starts_with(NOT_ROOT), "{error}");
            assert_eq!(services.calls_to("launcher"), 0);
        }
    }
    assert_eq!(services.calls_to("POST /v1/token"), 0, "no exchange");
    assert_eq!(services.calls_to(":decrypt"), 0);
}

#[test]
fn a_stop_ends_the_wait_for_signatures() {
    let services = with(secret("one"));
    let mut state = services.state.lock().unwrap();
    let signers = SIGNERS.map(|name| json!({"name": name, "key_id": key_id(name)}));
    let late_binding = json!({"from": ["token"], "wait_seconds": 604_800});
    state.binding = Some((json!(signers), late_binding));
    state.signed.clear();
    state.is_stopped = true;
    drop(state);
    let outcome = services.run();
    match is_root() {
        true => {
            assert_eq!(outcome.result.unwrap(), 143);
            let said = "exec: not started: SIGTERM came before";
            assert!(outcome.log.contains(said), "{}", outcome.log);
        }
        false => assert!(
            outcome
                .result
                .unwrap_err()
                .to_string()
                .starts_with(NOT_ROOT)
        ),
    }
    assert_eq!(services.calls_to("POST /v1/"), 0, "no service is called");
}

#[test]
fn a_secret_has_a_lender_with_a_key() {
    let error = with(secret("nobody")).run().result.unwrap_err();
    let expected = "reading terms: job: secret a: \"nobody\" is not a collaborator";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_missing_secret_starts_nothing() {
    let services = with(secret("one"));
    let error = services.run().result.unwrap_err();
    let expected = match is_root() {
        true => "reading /nowhere/a.enc: ",
        false => NOT_ROOT,
    };
    assert!(error.to_string().starts_with(expected), "{error}");
    assert!(!error.hint().is_empty());
}
