//! Which credentials of the Docker credential store a registry and its token service receive.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod play;

use std::process::{Command, Output};

use content::Digest;
use play::{Answer, Play, Request, challenge, reply};
use remote::{Registry, Transport};

const MANIFEST: &[u8] = b"manifest";
const BASIC: &str = "WWW-Authenticate: Basic realm=\"x\"\r\n";

/// A registry that accepts `authorization`; its token service issues the token `issued`.
fn guard(request: &Request, authorization: &str, head: &str, form: &str) -> Answer {
    let sent = request.header("authorization").unwrap_or_default();
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/token") if form.is_empty() => reply("404 Not Found", "", b""),
        ("POST", "/token") => {
            let body = String::from_utf8(request.body.clone()).unwrap();
            assert!(body.contains(form), "{body}");
            reply("200 OK", "", br#"{"access_token":"issued"}"#)
        }
        ("GET", path) if path.starts_with("/token?") => {
            assert_eq!(sent, "Basic dTpw");
            reply("200 OK", "", br#"{"token":"issued"}"#)
        }
        _ if sent == authorization => reply("200 OK", "", MANIFEST),
        _ => reply("401 Unauthorized", head, b""),
    }
}

/// Runs the test program again with a credential store, which only the environment can name.
fn pulled_with(port: u16, entry: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let store = format!(r#"{{"auths":{{"127.0.0.1:{port}":{{{entry}}}}}}}"#);
    std::fs::write(folder.path().join("config.json"), store).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "pulls_from_the_port_of_the_environment",
        ])
        .env("DOCKER_CONFIG", folder.path())
        .env("PORT", port.to_string())
        .output()
        .unwrap()
}

fn pull_with(port: u16, entry: &str) {
    let output = pulled_with(port, entry);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{entry}: {text}");
    // A filter that matches no test is a success, too.
    assert!(text.contains("1 passed"), "{entry}: {text}");
}

/// Runs in the child processes of the other tests.
#[tokio::test]
#[ignore = "needs PORT"]
async fn pulls_from_the_port_of_the_environment() {
    let port = std::env::var("PORT").unwrap();
    let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    let pulled = registry.manifest(&Digest::of(MANIFEST)).await;
    assert_eq!(pulled.unwrap(), MANIFEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_challenge_chooses_among_the_credentials() {
    let password = r#""auth":"dTpw""#;
    let identity = r#""auth":"dTpw","identitytoken":"t1""#;
    let registry = r#""auth":"dTpw","identitytoken":"t1","registrytoken":"t2""#;
    let form = "refresh_token=t1";
    for (entry, form, with_basic, with_bearer) in [
        (password, "unused", "Basic dTpw", "Bearer issued"),
        (identity, form, "Basic dTpw", "Bearer issued"),
        (identity, "", "Basic dTpw", "Bearer issued"),
        (registry, "unused", "Bearer t2", "Bearer t2"),
    ] {
        let basic = Play::serve(move |request, _| guard(request, with_basic, BASIC, form)).await;
        pull_with(basic.port, entry);
        let bearer = move |request: &Request, _| {
            let head = challenge(request, "");
            guard(request, with_bearer, &head, form)
        };
        pull_with(Play::serve(bearer).await.port, entry);
    }
}

/// A refresh token is in a body, and not in a header, which the client would leave out for another host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_follows_no_redirect() {
    let play = Play::serve(|request: &Request, _| match request.path.as_str() {
        "/token" => reply("307 Temporary Redirect", "Location: /elsewhere\r\n", b""),
        "/elsewhere" => reply("200 OK", "", br#"{"access_token":"issued"}"#),
        _ => reply("401 Unauthorized", &challenge(request, ""), b""),
    })
    .await;
    let output = pulled_with(play.port, r#""identitytoken":"t1""#);
    assert!(!output.status.success());
    assert_eq!(play.count("POST", "/token"), 1);
    assert_eq!(play.count("POST", "/elsewhere"), 0);
}
