//! Which messages are counted, refused and acknowledged.

use super::*;

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
    let error = services.run().result.unwrap_err().to_string();
    let expected = "decrypting message m of one: the service answered 400 OUT_OF_RANGE";
    assert!(error.starts_with(expected), "{error}");
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
    assert_eq!(
        refusal,
        "waiting for data: after 3 s, messages are missing: 1 from one"
    );
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
    assert_eq!(
        outcome.result.unwrap_err().to_string(),
        "decrypting message m of one: the answer has no valid plaintextCrc32c"
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

/// Services that take half a second to decrypt, with a deadline of 30 seconds.
fn slow_services() -> Services {
    let services = Services::new();
    let mut state = services.state.lock().unwrap();
    (state.deadline, state.decrypting) = (30, Duration::from_millis(500));
    drop(state);
    services
}

/// Sends 450 messages to collaborator one that it has not sent.
fn send_garbage(services: &Services) {
    let (digest, key) = (Digest::of(b"x"), kms_key("one"));
    for number in 0..450 {
        services.send_as("one", &format!("g-{number}"), "mallory", &digest, &key);
    }
}

#[test]
fn garbage_of_one_sender_does_not_starve_the_other() {
    let services = slow_services();
    services.send("one", "m", "alice");
    send_garbage(&services);
    services.send("two", "m", "alice");
    // Collaborator one owes nothing more, so that its garbage is refused without a call.
    services.run().result.unwrap();

    let services = slow_services();
    send_garbage(&services);
    services.send("two", "m", "alice");
    let outcome = services.run();
    assert!(
        outcome.log.contains("counted: message m of two"),
        "{}",
        outcome.log
    );
    let refusal = refused(outcome.result);
    assert!(
        refusal.starts_with("waiting for data: after 30 s, messages are missing: 1 from one"),
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
