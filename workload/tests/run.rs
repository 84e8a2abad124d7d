//! The workload against a played world: what it does, in which order, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod play;

use std::time::{Duration, Instant};

use content::Digest;
use play::{Echo, NOW, Stage, image, kms_key};
use serde_json::json;
use workload::{Error, Refusal};

/// The message of a refusal; anything else fails the test.
fn refused(result: Result<(), Error>) -> String {
    match result {
        Err(Error::Refused(refusal)) => refusal.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn both_send(stage: &Stage) {
    stage.send("one", "m", "alice");
    stage.send("two", "m", "alice");
}

#[test]
fn counts_what_both_sent_and_then_acknowledges() {
    let stage = Stage::new();
    both_send(&stage);
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert_eq!(stage.acknowledged(), ["m", "m"]);
    for line in [
        "identity: sha256:",
        "late binding: signed by all 3",
        "counted: message m of two",
    ] {
        assert!(ending.told.contains(line), "{}", ending.told);
    }
    assert!(!ending.told.contains("alice") && !ending.told.contains("access-"));
}

#[test]
fn works_only_when_all_have_signed() {
    let stage = Stage::new();
    stage.state.lock().unwrap().signed = vec!["builder", "one"];
    both_send(&stage);
    let ending = stage.run();
    let expected = format!("checking signatures on {}: not signed by two", image());
    assert_eq!(refused(ending.result), expected);
    assert_eq!(
        stage.calls_to("POST /v1/"),
        0,
        "nothing is asked of anybody"
    );
    assert_eq!(stage.left(), ["m", "m"]);

    stage.state.lock().unwrap().signed.push("two");
    stage
        .run()
        .result
        .expect("the signature is found without a new launch");
}

#[test]
fn believes_no_token_that_is_not_its_own() {
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
        (|_, c| c["nbf"] = json!(NOW + 60), "holds from"),
        (
            |_, c| c["eat_nonce"] = json!("0123456789abcdef"),
            "checking nonces",
        ),
        (|_, c| c["swname"] = json!("GCE"), "checking swname"),
        (|_, c| c["submods"] = json!({}), "no container"),
    ];
    for (claims, reason) in changes {
        let stage = Stage::new();
        stage.state.lock().unwrap().claims = claims;
        let refusal = refused(stage.run().result);
        assert!(refusal.contains(reason), "{reason}: {refusal}");
        assert_eq!(stage.calls_to("POST /v1/"), 0);
    }
}

#[test]
fn believes_no_token_of_a_stranger() {
    let stage = Stage::new();
    stage.state.lock().unwrap().signing_key = "stranger";
    let refusal = refused(stage.run().result);
    assert!(
        refusal.contains("verifying token: the signature does not hold"),
        "{refusal}"
    );
}

#[test]
fn is_one_image_for_everybody() {
    let stage = Stage::new();
    stage.state.lock().unwrap().claims = |audience, claims| {
        if audience.contains("two") {
            claims["submods"]["container"]["image_digest"] = json!(Digest::of(b"another"));
        }
    };
    match stage.run().result {
        Err(Error::Refused(Refusal::OtherImage { expected, .. })) => assert_eq!(expected, image()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stops_where_a_provider_lets_it_not_in() {
    let stage = Stage::new();
    stage.state.lock().unwrap().closed_provider = Some("two");
    both_send(&stage);
    let refusal = refused(stage.run().result);
    let expected = "exchanging token of two: unauthorized_client: The given credential is rejected \
                    by the attribute condition.";
    assert_eq!(refusal, expected);
    assert_eq!(stage.calls_to(":pull"), 0);
}

#[test]
fn stops_where_a_key_is_withheld_and_gives_everything_back() {
    let stage = Stage::new();
    stage
        .state
        .lock()
        .unwrap()
        .closed_keys
        .insert(kms_key("two"));
    both_send(&stage);
    let ending = stage.run();
    let refusal = refused(ending.result);
    assert!(
        refusal.contains("decrypting message m of two: PERMISSION_DENIED"),
        "{refusal}"
    );
    assert!(
        refusal.contains("cloudkms.cryptoKeyVersions.useToDecrypt"),
        "{refusal}"
    );
    assert_eq!(ending.printed, "");
    assert_eq!(
        stage.left(),
        ["m", "m"],
        "the one that was counted is given back too"
    );
}

#[test]
fn lets_no_message_choose_a_key_and_loses_none() {
    let stage = Stage::new();
    stage.send_as("one", "foreign", "mallory", &image(), &kms_key("two"));
    both_send(&stage);
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert!(
        ending.told.contains("refusing message foreign"),
        "{}",
        ending.told
    );
    assert!(ending.told.contains(&kms_key("two")));
    assert_eq!(stage.left(), ["foreign"]);
}

#[test]
fn is_not_starved_by_messages_that_it_refuses() {
    let stage = Stage::new();
    for number in 0..150 {
        let name = format!("foreign-{number}");
        stage.send_as("one", &name, "mallory", &image(), &kms_key("two"));
    }
    both_send(&stage);
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert_eq!(stage.left().len(), 150, "none is lost");
}

#[test]
fn is_not_stopped_by_messages_that_no_answer_holds_together() {
    let stage = Stage::new();
    stage.state.lock().unwrap().deadline = 200;
    let data = "A".repeat((10 << 20) / 3 * 4);
    for name in ["large", "larger"] {
        let attributes = json!({"collaborator": "one", "message": name});
        stage.publish(name, json!({"data": data, "attributes": attributes}));
    }
    both_send(&stage);
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    let told = "refusing message large: its data are 10485759 bytes";
    assert!(ending.told.contains(told), "{}", ending.told);
    assert_eq!(stage.left(), ["large", "larger"]);
}

#[test]
fn counts_a_message_once_however_often_it_comes() {
    let stage = Stage::new();
    stage.send("one", "m", "alice");
    stage.send("one", "m", "alice");
    stage.send("two", "m", "alice");
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert_eq!(stage.acknowledged(), ["m", "m", "m"]);
}

#[test]
fn takes_no_other_message_for_the_one_that_it_counted() {
    let stage = Stage::new();
    stage.send("one", "m", "alice");
    stage.send("one", "m", "mallory");
    stage.state.lock().unwrap().queue[1].name = "another".into();
    stage.send("two", "m", "alice");
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert_eq!(stage.left(), ["another"]);
    let told = "refusing message m: another one of this name has been counted";
    assert!(ending.told.contains(told), "{}", ending.told);
}

#[test]
fn blames_no_message_for_a_key_that_is_disabled() {
    let stage = Stage::new();
    stage.state.lock().unwrap().kms_code = Some("FAILED_PRECONDITION");
    both_send(&stage);
    let ending = stage.run();
    let refusal = refused(ending.result);
    assert!(
        refusal.starts_with("decrypting message m of one: FAILED_PRECONDITION"),
        "{refusal}"
    );
    assert!(!ending.told.contains("refusing"), "{}", ending.told);
    assert_eq!(stage.left(), ["m", "m"]);

    stage.state.lock().unwrap().kms_code = Some("OUT_OF_RANGE");
    let error = stage.run().result.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 400, .. }),
        "{error}"
    );
}

#[test]
fn says_nothing_of_a_token_or_data_in_the_wrong_place() {
    let stage = Stage::new();
    both_send(&stage);
    stage.state.lock().unwrap().decrypted = |answer| *answer = answer["plaintext"].take();
    let error = stage.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "decrypting message m of one: the answer has no right form"
    );
    stage.state.lock().unwrap().exchanged = |answer| *answer = answer["access_token"].take();
    let error = stage.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "exchanging token of one: the answer has no right form"
    );
}

#[test]
fn opens_nothing_that_is_bound_to_something_else() {
    let stage = Stage::new();
    let elsewhere = Digest::of(b"another image");
    stage.send_as("one", "elsewhere", "alice", &elsewhere, &kms_key("one"));
    stage.send("one", "renamed", "alice");
    stage.state.lock().unwrap().queue[1].message["attributes"]["message"] = json!("m");
    stage.send("two", "m", "alice");
    let ending = stage.run();
    let refusal = refused(ending.result);
    assert_eq!(refusal, "waiting for data: after 3 s, one owes 1");
    assert_eq!(
        ending.told.matches("Decryption failed").count(),
        2,
        "{}",
        ending.told
    );
    assert_eq!(stage.left(), ["elsewhere", "renamed", "m"]);
}

#[test]
fn believes_no_plaintext_that_was_changed_on_its_way() {
    let stage = Stage::new();
    stage.state.lock().unwrap().decrypted = |answer| answer["plaintext"] = json!("bWFsbG9yeQ==");
    both_send(&stage);
    let ending = stage.run();
    let error = ending.result.unwrap_err();
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
    assert_eq!(stage.left(), ["m", "m"]);
}

#[test]
fn goes_on_after_messages_that_are_none() {
    let stage = Stage::new();
    stage.publish("bare", json!({"messageId": "1"}));
    let stranger = json!({"collaborator": "mallory", "message": "\u{1b}[2Jx"});
    stage.publish("stranger", json!({"data": "AA==", "attributes": stranger}));
    both_send(&stage);
    let ending = stage.run();
    ending.result.unwrap();
    assert_eq!(ending.printed, "alice 2\n");
    assert_eq!(stage.left(), ["bare", "stranger"]);
    assert!(!ending.told.contains('\u{1b}'), "{:?}", ending.told);
}

#[test]
fn outlasts_an_outage_but_not_for_ever() {
    let stage = Stage::new();
    both_send(&stage);
    stage.state.lock().unwrap().outages = 2;
    stage.run().result.unwrap();

    let stage = Stage::new();
    stage.state.lock().unwrap().outages = 4;
    assert!(matches!(
        stage.run().result,
        Err(Error::Status { status: 503, .. })
    ));
}

#[test]
fn reads_no_answer_without_end() {
    let stage = Stage::new();
    stage.state.lock().unwrap().padding = usize::try_from(content::limits::HTTP_BODY).unwrap();
    assert!(matches!(stage.run().result, Err(Error::Http { .. })));
}

#[test]
fn follows_nobody_elsewhere() {
    let stage = Stage::new();
    stage.state.lock().unwrap().status = Some(302);
    assert!(matches!(
        stage.run().result,
        Err(Error::Status { status: 302, .. })
    ));
    assert_eq!(stage.calls_to("/"), 1);
}

#[test]
fn says_when_there_is_no_launcher() {
    let stage = Stage::new();
    stage.close_launcher();
    let error = stage.run().result.unwrap_err();
    let doing = "asking the launcher for the default token";
    assert!(error.to_string().starts_with(doing), "{error}");
}

#[test]
fn tells_nothing_of_a_request_that_an_error_repeats() {
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
        let stage = Stage::new();
        stage.state.lock().unwrap().echo = Some(echo);
        both_send(&stage);
        let ending = stage.run();
        let error = ending.result.unwrap_err().to_string();
        for secret in ["eyJ", "access-one", "subject_token"] {
            let told = format!("{error}\n{}", ending.told);
            assert!(!told.contains(secret), "{number}: {told}");
        }
        assert!(error.contains("withheld"), "{number}: {error}");
    }
}

#[test]
fn stops_in_the_middle_of_a_batch_when_the_deadline_passes() {
    let stage = Stage::new();
    stage.state.lock().unwrap().deadline = 6;
    stage.state.lock().unwrap().decrypting = Duration::from_millis(500);
    for number in 0..100 {
        stage.send_as(
            "one",
            &format!("m-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    let ending = stage.run();
    let refusal = refused(ending.result);
    assert!(
        refusal.starts_with("waiting for data: after 6 s, one owes 1, two owes 1"),
        "{refusal}"
    );
    assert!(stage.calls_to(":decrypt") <= 12);
    assert_eq!(stage.left().len(), 100, "none is lost");
}

#[test]
fn waits_for_no_answer_beyond_the_deadline() {
    let stage = Stage::new();
    stage.state.lock().unwrap().deadline = 1;
    stage.state.lock().unwrap().stalling = Duration::from_secs(4);
    both_send(&stage);
    let start = Instant::now();
    let refusal = refused(stage.run().result);
    let told = "no answer yet while decrypting message m of one";
    assert!(refusal.ends_with(told), "{refusal}");
    // The stage answers one call after the other, so that giving back waits for it.
    assert!(start.elapsed() < Duration::from_secs(12));
}

#[test]
fn garbage_of_one_does_not_starve_the_other() {
    let stage = Stage::new();
    stage.state.lock().unwrap().deadline = 30;
    stage.state.lock().unwrap().decrypting = Duration::from_millis(500);
    stage.send("one", "m", "alice");
    for number in 0..450 {
        stage.send_as(
            "one",
            &format!("g-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    stage.send("two", "m", "alice");
    // Nothing of its own is due any more, so that its garbage costs nothing.
    stage.run().result.unwrap();

    let stage = Stage::new();
    stage.state.lock().unwrap().deadline = 30;
    stage.state.lock().unwrap().decrypting = Duration::from_millis(500);
    for number in 0..450 {
        stage.send_as(
            "one",
            &format!("g-{number}"),
            "mallory",
            &Digest::of(b"x"),
            &kms_key("one"),
        );
    }
    stage.send("two", "m", "alice");
    let ending = stage.run();
    assert!(
        ending.told.contains("counted: message m of two"),
        "{}",
        ending.told
    );
    let refusal = refused(ending.result);
    assert!(
        refusal.starts_with("waiting for data: after 30 s, one owes 1"),
        "{refusal}"
    );
    assert!(ending.told.lines().count() < 30, "{}", ending.told);
}

#[test]
fn asks_once_for_a_message_that_comes_again_and_again() {
    let stage = Stage::new();
    for _ in 0..50 {
        stage.send_as("one", "g", "mallory", &Digest::of(b"x"), &kms_key("one"));
    }
    both_send(&stage);
    stage.run().result.unwrap();
    assert_eq!(stage.calls_to(":decrypt"), 3);
}

#[test]
fn does_nothing_for_a_job_that_it_does_not_know() {
    let stage = Stage::new();
    stage.state.lock().unwrap().job = "sum";
    let error = stage.run().result.unwrap_err().to_string();
    assert_eq!(
        error,
        "reading terms: job: expected \"count\", found \"sum\""
    );
    assert_eq!(stage.calls_to("/"), 0);
}
