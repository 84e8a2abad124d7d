//! The workload against fake services: what it does, in which order, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod fake;

use std::time::{Duration, Instant};

use content::Digest;
use fake::{Echo, NOW, Services, image, kms_key};
use serde_json::json;
use workload::{Error, Refusal};

/// The message of a refusal; anything else fails the test.
fn refused(result: Result<(), Error>) -> String {
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
fn works_only_when_all_have_signed() {
    let services = Services::new();
    services.state.lock().unwrap().signed = vec!["builder", "one"];
    both_send(&services);
    let outcome = services.run();
    let expected = format!("checking signatures on {}: not signed by two", image());
    assert_eq!(refused(outcome.result), expected);
    assert_eq!(services.calls_to("POST /v1/"), 0, "no service is called");
    assert_eq!(services.left(), ["m", "m"]);

    services.state.lock().unwrap().signed.push("two");
    services
        .run()
        .result
        .expect("the signature is found without a new launch");
}

#[test]
fn rejects_tokens_with_wrong_claims() {
    type Change = fn(&str, &mut serde_json::Value);
    let changes: [(Change, &str); 7] = [
        (
            |_, c| c["iss"] = json!("https://issuer.example/"),
            "checking issuer",
        ),
        (
            |_, c| c["aud"] = json!("https://sts.googleapis.com"),
            "checking audience",
        ),
        (|_, c| c["exp"] = json!(NOW), "expired"),
        (|_, c| c["nbf"] = json!(NOW + 60), "not valid before"),
        (
            |_, c| c["eat_nonce"] = json!("0123456789abcdef"),
            "checking nonces",
        ),
        (|_, c| c["swname"] = json!("GCE"), "checking swname"),
        (|_, c| c["submods"] = json!({}), "no container"),
    ];
    for (claims, reason) in changes {
        let services = Services::new();
        services.state.lock().unwrap().claims = claims;
        let refusal = refused(services.run().result);
        assert!(refusal.contains(reason), "{reason}: {refusal}");
        assert_eq!(services.calls_to("POST /v1/"), 0);
    }
}

#[test]
fn rejects_a_token_with_another_signing_key() {
    let services = Services::new();
    services.state.lock().unwrap().signing_key = "other";
    let refusal = refused(services.run().result);
    assert!(
        refusal.contains("verifying token: the signature does not verify"),
        "{refusal}"
    );
}

#[test]
fn rejects_tokens_for_different_images() {
    let services = Services::new();
    services.state.lock().unwrap().claims = |audience, claims| {
        if audience.contains("two") {
            claims["submods"]["container"]["image_digest"] = json!(Digest::of(b"another"));
        }
    };
    match services.run().result {
        Err(Error::Refused(Refusal::OtherImage { expected, .. })) => assert_eq!(expected, image()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stops_when_a_provider_rejects_the_token() {
    let services = Services::new();
    services.state.lock().unwrap().closed_provider = Some("two");
    both_send(&services);
    let refusal = refused(services.run().result);
    let expected = "exchanging token of two: unauthorized_client: The given credential is rejected \
                    by the attribute condition.";
    assert_eq!(refusal, expected);
    assert_eq!(services.calls_to(":pull"), 0);
}

#[test]
fn returns_all_messages_when_a_key_is_denied() {
    let services = Services::new();
    services
        .state
        .lock()
        .unwrap()
        .closed_keys
        .insert(kms_key("two"));
    both_send(&services);
    let outcome = services.run();
    let refusal = refused(outcome.result);
    assert!(
        refusal.contains("decrypting message m of two: PERMISSION_DENIED"),
        "{refusal}"
    );
    assert!(
        refusal.contains("cloudkms.cryptoKeyVersions.useToDecrypt"),
        "{refusal}"
    );
    assert_eq!(outcome.printed, "");
    assert_eq!(
        services.left(),
        ["m", "m"],
        "the counted message is returned too"
    );
}

#[test]
fn refuses_a_message_that_names_a_foreign_key() {
    let services = Services::new();
    services.send_as("one", "foreign", "mallory", &image(), &kms_key("two"));
    both_send(&services);
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert!(
        outcome.log.contains("refusing message foreign"),
        "{}",
        outcome.log
    );
    assert!(outcome.log.contains(&kms_key("two")));
    assert_eq!(services.left(), ["foreign"]);
}

#[test]
fn counts_messages_behind_many_refused_ones() {
    let services = Services::new();
    for number in 0..150 {
        let name = format!("foreign-{number}");
        services.send_as("one", &name, "mallory", &image(), &kms_key("two"));
    }
    both_send(&services);
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert_eq!(services.left().len(), 150, "none is lost");
}

#[test]
fn continues_after_messages_too_large_for_one_answer() {
    let services = Services::new();
    services.state.lock().unwrap().deadline = 200;
    let data = "A".repeat((10 << 20) / 3 * 4);
    for name in ["large", "larger"] {
        let attributes = json!({"collaborator": "one", "message": name});
        services.publish(name, json!({"data": data, "attributes": attributes}));
    }
    both_send(&services);
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    let expected = "refusing message large: its data has 10485759 bytes";
    assert!(outcome.log.contains(expected), "{}", outcome.log);
    assert_eq!(services.left(), ["large", "larger"]);
}

#[test]
fn counts_a_repeated_message_once() {
    let services = Services::new();
    services.send("one", "m", "alice");
    services.send("one", "m", "alice");
    services.send("two", "m", "alice");
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert_eq!(services.acknowledged(), ["m", "m", "m"]);
}

#[test]
fn refuses_a_different_message_of_the_same_name() {
    let services = Services::new();
    services.send("one", "m", "alice");
    services.send("one", "m", "mallory");
    services.state.lock().unwrap().queue[1].name = "another".into();
    services.send("two", "m", "alice");
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert_eq!(services.left(), ["another"]);
    let expected = "refusing message m: a different message with this name has been counted";
    assert!(outcome.log.contains(expected), "{}", outcome.log);
}

#[test]
fn refuses_no_message_for_a_disabled_key() {
    let services = Services::new();
    services.state.lock().unwrap().kms_code = Some("FAILED_PRECONDITION");
    both_send(&services);
    let outcome = services.run();
    let refusal = refused(outcome.result);
    assert!(
        refusal.starts_with("decrypting message m of one: FAILED_PRECONDITION"),
        "{refusal}"
    );
    assert!(!outcome.log.contains("refusing"), "{}", outcome.log);
    assert_eq!(services.left(), ["m", "m"]);

    services.state.lock().unwrap().kms_code = Some("OUT_OF_RANGE");
    let error = services.run().result.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 400, .. }),
        "{error}"
    );
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
fn decrypts_no_message_bound_to_other_data() {
    let services = Services::new();
    let elsewhere = Digest::of(b"another image");
    services.send_as("one", "elsewhere", "alice", &elsewhere, &kms_key("one"));
    services.send("one", "renamed", "alice");
    services.state.lock().unwrap().queue[1].message["attributes"]["message"] = json!("m");
    services.send("two", "m", "alice");
    let outcome = services.run();
    let refusal = refused(outcome.result);
    assert_eq!(refusal, "waiting for data: after 3 s, one owes 1");
    assert_eq!(
        outcome.log.matches("Decryption failed").count(),
        2,
        "{}",
        outcome.log
    );
    assert_eq!(services.left(), ["elsewhere", "renamed", "m"]);
}

#[test]
fn rejects_a_corrupted_plaintext() {
    let services = Services::new();
    services.state.lock().unwrap().decrypted = |answer| answer["plaintext"] = json!("bWFsbG9yeQ==");
    both_send(&services);
    let outcome = services.run();
    let error = outcome.result.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Incomplete {
                missing: "plaintextCrc32c",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(services.left(), ["m", "m"]);
}

#[test]
fn continues_after_invalid_messages() {
    let services = Services::new();
    services.publish("bare", json!({"messageId": "1"}));
    let unknown = json!({"collaborator": "mallory", "message": "\u{1b}[2Jx"});
    services.publish("unknown", json!({"data": "AA==", "attributes": unknown}));
    both_send(&services);
    let outcome = services.run();
    outcome.result.unwrap();
    assert_eq!(outcome.printed, "alice 2\n");
    assert_eq!(services.left(), ["bare", "unknown"]);
    assert!(!outcome.log.contains('\u{1b}'), "{:?}", outcome.log);
}

#[test]
fn survives_short_outages_only() {
    let services = Services::new();
    both_send(&services);
    services.state.lock().unwrap().outages = 2;
    services.run().result.unwrap();

    let services = Services::new();
    services.state.lock().unwrap().outages = 4;
    assert!(matches!(
        services.run().result,
        Err(Error::Status { status: 503, .. })
    ));
}

#[test]
fn limits_the_size_of_answers() {
    let services = Services::new();
    services.state.lock().unwrap().padding = usize::try_from(content::limits::HTTP_BODY).unwrap();
    assert!(matches!(services.run().result, Err(Error::Http { .. })));
}

#[test]
fn follows_no_redirects() {
    let services = Services::new();
    services.state.lock().unwrap().status = Some(302);
    assert!(matches!(
        services.run().result,
        Err(Error::Status { status: 302, .. })
    ));
    assert_eq!(services.calls_to("/"), 1);
}

#[test]
fn reports_a_missing_launcher() {
    let services = Services::new();
    services.close_launcher();
    let error = services.run().result.unwrap_err();
    let doing = "requesting the default token from the launcher";
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
        refusal.starts_with("waiting for data: after 6 s, one owes 1, two owes 1"),
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
fn garbage_of_one_sender_does_not_starve_the_other() {
    let services = Services::new();
    services.state.lock().unwrap().deadline = 30;
    services.state.lock().unwrap().decrypting = Duration::from_millis(500);
    services.send("one", "m", "alice");
    for number in 0..450 {
        services.send_as(
            "one",
            &format!("g-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    services.send("two", "m", "alice");
    // Collaborator one owes nothing more, so that its garbage is refused without a call.
    services.run().result.unwrap();

    let services = Services::new();
    services.state.lock().unwrap().deadline = 30;
    services.state.lock().unwrap().decrypting = Duration::from_millis(500);
    for number in 0..450 {
        services.send_as(
            "one",
            &format!("g-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    services.send("two", "m", "alice");
    let outcome = services.run();
    assert!(
        outcome.log.contains("counted: message m of two"),
        "{}",
        outcome.log
    );
    let refusal = refused(outcome.result);
    assert!(
        refusal.starts_with("waiting for data: after 30 s, one owes 1"),
        "{refusal}"
    );
    assert!(outcome.log.lines().count() < 30, "{}", outcome.log);
}

#[test]
fn decrypts_a_repeated_message_once() {
    let services = Services::new();
    for _ in 0..50 {
        services.send_as("one", "g", "mallory", &Digest::of(b"x"), &kms_key("one"));
    }
    both_send(&services);
    services.run().result.unwrap();
    assert_eq!(services.calls_to(":decrypt"), 3);
}

#[test]
fn refuses_an_unknown_job() {
    let services = Services::new();
    services.state.lock().unwrap().job = "sum";
    let error = services.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "reading terms: job: expected \"count\", found \"sum\""
    );
    assert_eq!(services.calls_to("/"), 0);
}
