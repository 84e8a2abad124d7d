//! The workload against fake services: what it does, in which order, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod documented;
mod fake;
mod late_binding;
mod messages;
mod programs;
#[path = "../../../crates/tee/tests/fake/signers.rs"]
#[allow(dead_code, reason = "the tests of `tee` use all of it")]
mod signers;
mod tokens;

use std::time::{Duration, Instant};

use content::Digest;
use fake::{Echo, NOW, Services, image, kms_key};
use serde_json::json;
use workload::Error;

/// The message of a refusal; anything else fails the test.
fn refused(result: Result<u8, Error>) -> String {
    match result {
        Err(Error::Refused(refusal)) => refusal.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn both_send(services: &Services) {
    services.send("one", "m", "alice");
    services.send("two", "m", "alice");
}

#[test]
fn counts_what_both_sent_and_then_acknowledges() {
    let services = Services::new();
    both_send(&services);
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert_eq!(services.acknowledged(), ["m", "m"]);
    for line in [
        "identity: sha256:",
        "late binding: signed by all 3",
        "counted: message m of two",
    ] {
        assert!(outcome.log.contains(line), "{}", outcome.log);
    }
    assert!(!outcome.log.contains("alice") && !outcome.log.contains("access-"));
}

#[test]
fn never_quotes_misplaced_tokens_or_data() {
    let services = Services::new();
    both_send(&services);
    services.state.lock().unwrap().decrypted = |answer| *answer = answer["plaintext"].take();
    let error = services.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "decrypting message m of one: the answer has no valid form"
    );
    services.state.lock().unwrap().exchanged = |answer| *answer = answer["access_token"].take();
    let error = services.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "exchanging token of one: the answer has no valid form"
    );
}

#[test]
fn survives_short_outages_only() {
    let services = Services::new();
    both_send(&services);
    services.state.lock().unwrap().outages = 2;
    services.run().result.unwrap();

    let services = Services::new();
    services.state.lock().unwrap().outages = 4;
    let error = services.run().result.unwrap_err().to_string();
    assert!(error.contains(": the service answered 503 "), "{error}");
}

#[test]
fn limits_the_size_of_answers() {
    let services = Services::new();
    services.state.lock().unwrap().padding = usize::try_from(content::limits::HTTP_BODY).unwrap();
    let error = services.run().result.unwrap_err();
    let is_too_large = matches!(&error, Error::Service(error) if error.is_too_large());
    assert!(is_too_large, "{error}");
}

#[test]
fn follows_no_redirects() {
    let services = Services::new();
    services.state.lock().unwrap().status = Some(302);
    let error = services.run().result.unwrap_err().to_string();
    assert!(error.contains(": the service answered 302 "), "{error}");
    assert_eq!(services.calls_to("GET /"), 1);
}

#[test]
fn reports_a_missing_launcher() {
    let services = Services::new();
    services.close_launcher();
    let error = services.run().result.unwrap_err();
    let doing = "requesting a token for ";
    assert!(error.to_string().starts_with(doing), "{error}");
}

#[test]
fn never_logs_a_request_that_an_error_quotes() {
    let echoes: [Echo; 5] = [
        |path, asked| {
            let body = json!({"error": "invalid_grant", "error_description": asked});
            path.ends_with("/token").then(|| (400, body.to_string()))
        },
        |path, asked| {
            let subject = asked.split("subject_token=").nth(1)?.split('&').next()?;
            let body = json!({"error": subject, "error_description": &subject[..12]});
            path.ends_with("/token").then(|| (401, body.to_string()))
        },
        |path, asked| {
            path.ends_with("/token")
                .then(|| (418, asked.replace('&', " ")))
        },
        |path, asked| {
            let error = json!({"error": {"status": asked, "message": asked}});
            path.ends_with(":decrypt").then(|| (403, error.to_string()))
        },
        |path, asked| path.ends_with(":pull").then(|| (403, asked.to_owned())),
    ];
    for (number, echo) in echoes.into_iter().enumerate() {
        let services = Services::new();
        services.state.lock().unwrap().echo = Some(echo);
        both_send(&services);
        let outcome = services.run();
        let error = outcome.result.unwrap_err().to_string();
        for secret in ["eyJ", "access-one", "subject_token"] {
            let expected = format!("{error}\n{}", outcome.log);
            assert!(!expected.contains(secret), "{number}: {expected}");
        }
        assert!(error.contains("withheld"), "{number}: {error}");
    }
}

#[test]
fn stops_in_the_middle_of_a_batch_when_the_deadline_passes() {
    let services = Services::new();
    services.state.lock().unwrap().deadline = 6;
    services.state.lock().unwrap().decrypting = Duration::from_millis(500);
    for number in 0..100 {
        services.send_as(
            "one",
            &format!("m-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    let outcome = services.run();
    let refusal = refused(outcome.result);
    assert!(
        refusal.starts_with(
            "waiting for data: after 6 s, messages are missing: 1 from one, 1 from two"
        ),
        "{refusal}"
    );
    assert!(services.calls_to(":decrypt") <= 12);
    assert_eq!(services.left().len(), 100, "none is lost");
}

#[test]
fn stops_waiting_for_an_answer_at_the_deadline() {
    let services = Services::new();
    services.state.lock().unwrap().deadline = 1;
    services.state.lock().unwrap().stalling = Duration::from_secs(4);
    both_send(&services);
    let start = Instant::now();
    let refusal = refused(services.run().result);
    let expected = "no answer yet while decrypting message m of one";
    assert!(refusal.ends_with(expected), "{refusal}");
    // The fake services answer one call at a time, so that returning messages waits for the stalled call.
    assert!(start.elapsed() < Duration::from_secs(12));
}

#[test]
fn refuses_an_unknown_job() {
    let services = Services::new();
    services.state.lock().unwrap().job = "sum".into();
    let error = services.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "reading terms: job: expected \"count\" or {\"exec\": …}, found \"sum\""
    );
    assert_eq!(services.calls_to("/"), 0);
}
