//! Ambiguous JSON, and mutants of a good bundle. `just soak` tries more of them.

use super::*;
use testkit::mutate::{Random, Seed};

#[test]
fn refuses_ambiguous_and_large_json() {
    let world = World::new();
    let good = world.bundle().to_string();
    let trusted = world::trusted();
    let judge = |text: &str| judge_as(&world.root(), text, &trusted, now()).map(drop);
    assert_eq!(judge(&good), Ok(()));
    let twice = good.replacen(
        r#""messageSignature":"#,
        r#""messageSignature":{"signature":""},"messageSignature":"#,
        1,
    );
    let trailing = format!("{good}{{}}");
    let deep = good.replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(65), "]".repeat(65)),
        1,
    );
    for text in [&twice, &trailing, &deep, "", "null", "[]"] {
        assert_eq!(judge(text), Err(Reason::Json), "{text:.40}");
    }
    let large = format!("{good}{}", " ".repeat(1 << 20));
    assert_eq!(judge(&large), Err(Reason::Size));
}

/// Null is a value of every field in the JSON form of Protocol Buffers: that of an absent one.
#[test]
fn a_null_member_is_absent() {
    let world = World::new();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": Digest::of(ARTIFACT).hex() } }],
        "predicateType": "https://example.com/p",
    });
    let leaf = world.leaf(&params());
    let good = world.bundle_of(&leaf, statement.to_string().as_bytes());
    for place in [
        "/messageSignature",
        "/verificationMaterial/publicKey",
        "/verificationMaterial/timestampVerificationData",
        "/dsseEnvelope/signatures/0/keyid",
        "/other",
    ] {
        let mut bundle = good.clone();
        let (above, name) = place.rsplit_once('/').unwrap();
        bundle.pointer_mut(above).unwrap()[name] = Value::Null;
        assert!(judge(&world.root(), &bundle).is_ok(), "{place}");
    }
    for (place, reason) in [
        ("/dsseEnvelope/signatures/0/sig", Reason::Json),
        ("/dsseEnvelope/signatures/0", Reason::Json),
        ("/dsseEnvelope", Reason::Structure),
        ("/verificationMaterial/tlogEntries", Reason::LogMissing),
    ] {
        let mut bundle = good.clone();
        *bundle.pointer_mut(place).unwrap() = Value::Null;
        let judged = judge(&world.root(), &bundle).map(drop);
        assert_eq!(judged, Err(reason), "{place}");
    }
}

/// A mutant is refused, or says what the bundle said.
#[test]
fn no_mutant_means_something_else() {
    let world = World::new();
    let (root, good) = (world.root(), world.bundle());
    let expected = judge(&root, &good).unwrap();
    let trusted = world::trusted();
    let (seed, mut random) = (Seed::new(good.to_string()), Random::new(1));
    let mut accepted = 0;
    for _ in 0..2000 {
        let mutant = seed.mutant(&seed, &mut random);
        let text = String::from_utf8_lossy(&mutant);
        if let Ok(found) = judge_as(&root, &text, &trusted, now()) {
            assert_eq!(found, expected, "{text}");
            accepted += 1;
        }
    }
    // Few changes mean nothing: white space, other base64, a member that may be absent.
    assert!((20..500).contains(&accepted), "{accepted}");
}
