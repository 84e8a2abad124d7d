//! Which tokens and signatures the workload needs before it reads a message.

use super::*;

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
    let expected = format!(
        "checking attestation token for https://two.example/countersign: expected image {}, found {}",
        image(),
        Digest::of(b"another")
    );
    assert_eq!(refused(services.run().result), expected);
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
