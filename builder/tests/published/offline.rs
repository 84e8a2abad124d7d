//! Signatures that openssl and cosign make over what `builder payload` prints are published by `builder attach` as
//! `builder sign` publishes its own, and cosign verifies them.

use std::fs;

use content::Digest;

use crate::world::{OPENSSL, P256, World, success};

#[test]
fn openssl_signs_what_cosign_verifies() {
    let Some(world) = World::new("openssl_signs_what_cosign_verifies") else {
        return;
    };
    world.key(&P256);
    for (layout, flag) in [
        ("legacy", "--new-bundle-format=false"),
        ("bundle", "--new-bundle-format=true"),
    ] {
        world.payload(&["--layout", layout, "-a", "stage=test", "-a", "by=me"]);
        world.openssl(&OPENSSL);
        success(&world.attach(&["--key", "key.pub"]));
        assert!(world.verifies(&["verify", flag]), "{layout}");
        assert!(world.verifies(&["verify", flag, "-a", "stage=test", "-a", "by=me"]));
        assert!(!world.verifies(&["verify", flag, "-a", "stage=other"]));
    }
    // The same signatures, made by `builder sign`, are there already.
    let before = world.published();
    assert!(before[0].is_some() && before[1].is_none() && before[2].is_some());
    let sign = ["--key", "key", "-a", "by=me", "--annotations", "stage=test"];
    success(&world.builder("sign", &sign));
    success(&world.attach(&["--key", "key.pub"]));
    assert_eq!(world.published(), before);
    success(&world.builder("sign", &["--key", "key", "-a", "stage=other"]));
    assert_ne!(world.published(), before);
    assert!(world.verifies(&["verify", "-a", "stage=other"]));
}

#[test]
fn cosign_signs_what_cosign_verifies() {
    let Some(world) = World::new("cosign_signs_what_cosign_verifies") else {
        return;
    };
    success(&world.cosign(&["generate-key-pair", "--output-key-prefix", "cosign"]));
    fs::rename(world.path("cosign.pub"), world.path("key.pub")).unwrap();
    let sign = |words: &[&str]| {
        let start = ["sign-blob", "--key", "cosign.key", "-y", "payload"];
        let offline = ["--use-signing-config=false", "--tlog-upload=false"];
        success(&world.cosign(&[&start[..], &offline, words].concat()));
        success(&world.attach(&["--key", "key.pub"]));
    };
    world.payload(&[]);
    sign(&["--bundle", "signature"]);
    assert!(world.verifies(&["verify", "--new-bundle-format=false"]));
    world.payload(&["--layout", "bundle"]);
    sign(&[
        "--new-bundle-format=false",
        "--output-signature",
        "signature",
    ]);
    assert!(world.verifies(&["verify"]));
}

#[test]
fn other_keys_sign_elsewhere_too() {
    let Some(world) = World::new("other_keys_sign_elsewhere_too") else {
        return;
    };
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let raw = [
        "pkeyutl",
        "-sign",
        "-rawin",
        "-inkey",
        "key",
        "-in",
        "payload",
        "-out",
        "signature",
    ];
    for (algorithm, sign) in [(&rsa[..], &OPENSSL[..]), (&["-algorithm", "ED25519"], &raw)] {
        world.key(algorithm);
        for layout in ["legacy", "bundle"] {
            world.payload(&["--layout", layout]);
            world.openssl(sign);
            let attached = world.attach(&["--key", "key.pub"]);
            success(&attached);
            let noted = String::from_utf8_lossy(&attached.stderr).contains("Confidential Space");
            assert_eq!(noted, algorithm[1] == "ED25519" && layout == "legacy");
        }
        assert!(world.verifies(&["verify"]), "{algorithm:?}");
    }
}

#[test]
fn a_predicate_is_signed_elsewhere() {
    let Some(world) = World::new("a_predicate_is_signed_elsewhere") else {
        return;
    };
    world.key(&P256);
    let predicate = r#"{"buildDefinition":{"buildType":"t","externalParameters":{}},"runDetails":{"builder":{"id":"b"}}}"#;
    fs::write(world.path("predicate"), predicate).unwrap();
    let attestation = ["--type", "slsaprovenance1", "--predicate", "predicate"];
    world.payload(&attestation);
    world.openssl(&OPENSSL);
    success(&world.attach(&["--key", "key.pub"]));
    for flag in ["--new-bundle-format=false", "--new-bundle-format=true"] {
        assert!(world.verifies(&["verify-attestation", "--type", "slsaprovenance1", flag]));
    }
    let before = world.published();
    success(&world.builder("attest", &[&["--key", "key"], &attestation[..]].concat()));
    assert_eq!(world.published(), before);
}

/// The envelope may be cosign's own bundle.
#[test]
fn an_envelope_is_made_elsewhere() {
    let Some(world) = World::new("an_envelope_is_made_elsewhere") else {
        return;
    };
    world.key(&P256);
    let subject = format!(
        r#"[{{"name":"{}","digest":{{"sha256":"{}"}}}}]"#,
        world.repository,
        world.image.digest.hex()
    );
    let statement = |subject: &str| {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject},"predicateType":"https://example.com/review","predicate":{{"by":"me"}}}}"#
        );
        fs::write(world.path("statement"), statement).unwrap();
        let _ = fs::remove_file(world.path("envelope"));
        success(&world.cosign(&["import-key-pair", "--key", "key", "-o", "imported", "-y"]));
        let attest = [
            "attest-blob",
            "--key",
            "imported.key",
            "-y",
            "--statement",
            "statement",
        ];
        let offline = ["--use-signing-config=false", "--tlog-upload=false"];
        let bundle = ["--bundle", "envelope"];
        success(&world.cosign(&[&attest[..], &offline, &bundle].concat()));
    };
    statement(&subject);
    let attach = ["--envelope", "envelope", "--key", "key.pub"];
    success(&world.builder("attach", &attach));
    for flag in ["--new-bundle-format=false", "--new-bundle-format=true"] {
        let kind = ["--type", "https://example.com/review"];
        assert!(world.verifies(&["verify-attestation", kind[0], kind[1], flag]));
    }
    let before = world.published();
    statement(&subject.replace("some/image", "other/image"));
    let refused = world.builder("attach", &attach);
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(
        stderr.contains("checking repository of payload"),
        "{stderr}"
    );
    assert_eq!(world.published(), before);
}

#[test]
fn a_signature_that_does_not_verify_is_not_published() {
    let Some(world) = World::new("a_signature_that_does_not_verify_is_not_published") else {
        return;
    };
    world.key(&P256);
    world.payload(&[]);
    world.openssl(&OPENSSL);
    let payload = fs::read_to_string(world.path("payload")).unwrap();
    let refused = |status: i32, reason: &str| {
        let output = world.attach(&["--key", "key.pub"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        assert!(
            stderr.contains(reason) && stderr.contains("hint: "),
            "{stderr}"
        );
    };
    fs::write(world.path("payload"), format!("{payload} ")).unwrap();
    refused(1, "verifying signature: it was not made with key");
    let other = payload.replace(&world.image.digest.hex(), &Digest::of(b"other").hex());
    fs::write(world.path("payload"), other).unwrap();
    world.openssl(&OPENSSL);
    refused(1, "checking digest of payload");
    fs::write(world.path("payload"), "{}").unwrap();
    refused(2, "parsing simple-signing payload");
    fs::rename(world.path("key"), world.path("key.pub")).unwrap();
    refused(2, "expected one PEM block PUBLIC KEY");
    assert_eq!(world.published(), [None, None, None]);
    for (words, reason) in [
        (&["-a", "dev.cosignproject.cosign/pub=x"][..], "is reserved"),
        (&["-a", "a=1", "-a", "a=2"], "\"a\" is given twice"),
    ] {
        let output = world.builder("sign", &[&["--key", "key.pub"], words].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    }
}
