//! Tokens that a workload requests from the launcher.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod loopback;
mod probe;

use std::process::Stdio;

use probe::{Scene, claims, cmd, open_image, said, wait_until_it_waits};

/// The output of the workload, started with these arguments.
fn says(scene: &Scene, image: &str, words: &[&str]) -> String {
    let mut launcher = scene.launcher(image);
    let output = launcher.args(["--cmd", &cmd(words)]).output().unwrap();
    said(&output, 0)
}

#[test]
fn the_socket_answers_as_the_launchers_does() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let ask = |words: &[&str]| says(&scene, &image, words);
    let answer = ask(&["get"]);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/html\r\n"), "{answer}");
    assert!(
        answer.contains("transfer-encoding: chunked\r\n"),
        "{answer}"
    );
    let answer = ask(&[
        "post",
        r#"{"audience":"https://c1.example","nonces":["0123456789"],"token_type":"OIDC"}"#,
    ]);
    assert_eq!(claims(&answer)["aud"], "https://c1.example");
    let last = scene.asked.lock().unwrap().last().unwrap().clone();
    assert_eq!(last["options"]["nonce"], serde_json::json!(["0123456789"]));
    assert_eq!(last["options"]["tokenProfile"], "TOKEN_PROFILE_DEFAULT_EAT");
    assert_eq!(last["instance"]["imageFamily"], "production");
}

#[test]
fn the_socket_refuses_as_the_launchers_does() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    for (words, status, text) in [
        (
            &["post", r#"{"token_type":"OIDC"}"#][..],
            400,
            "use GET request for the default identity token",
        ),
        (
            &["post", r#"{"audience":"a"}"#],
            400,
            "token_type is a required parameter",
        ),
        (
            &["post", r#"{"audience":"a","token_type":"OIDC","extra":1}"#],
            400,
            "failed to parse POST body as TokenOptions: ",
        ),
        (
            &["post", "{"],
            400,
            "failed to parse POST body as TokenOptions: ",
        ),
        (
            &["put"],
            400,
            "TEE server received an invalid HTTP method: PUT",
        ),
        (
            &["post", r#"{"audience":"refused","token_type":"OIDC"}"#],
            400,
            "failed to retrieve custom attestation service token: googleapi: Error 400: bad audience",
        ),
    ] {
        let answer = says(&scene, &image, words);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(text), "{answer}");
    }
}

#[test]
fn only_get_finds_a_late_signature() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    scene.sign(&image, b"first", "1");
    let share = scene.folder().join("share");
    let mut launcher = scene.launcher(&image);
    let child = launcher
        .arg("--runtime")
        .arg(&share)
        .args(["--cmd", &cmd(&["untie", "wait"])]);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    drop(wait_until_it_waits(&mut child));
    let file = std::fs::read_to_string(share.join("attestation_verifier_claims_token")).unwrap();
    assert_eq!(claims(&file)["signatures"], 1);
    scene.sign(&image, b"second", "2");
    let socket = share.join("teeserver.sock");
    let post = || ask(&socket, "POST", r#"{"audience":"a","token_type":"OIDC"}"#);
    assert_eq!(claims(&post())["signatures"], 1);
    assert_eq!(claims(&ask(&socket, "GET", ""))["signatures"], 2);
    assert_eq!(claims(&post())["signatures"], 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn ask(socket: &std::path::Path, method: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /v1/token HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_layer_without_a_signature_is_skipped() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    scene.sign(&image, b"first", "1");
    scene.sign(&image, b"none", "");
    scene.sign(&image, b"large".repeat(1 << 14).as_slice(), "2");
    scene.sign(&image, b"third", "3");
    let mut launcher = scene.launcher(&image);
    let output = launcher.args(["--cmd", &cmd(&["get"])]).output().unwrap();
    assert_eq!(claims(&said(&output, 0))["signatures"], 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("no annotation with a signature"),
        "{stderr}"
    );
    assert!(stderr.contains("larger than the limit"), "{stderr}");
}
