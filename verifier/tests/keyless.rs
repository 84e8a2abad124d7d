//! Principals who sign with certificates, in both layouts.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;
mod certified;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../crates/keyless/tests/world/mod.rs"]
mod world;

use attest::predicate::COSIGN_SIGN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use case::{Case, NOW, REPOSITORY, keys, piece, referrer, statement};
use certified::{bundle, legacy, legacy_of_key, parse, policy_text};
use content::Digest;
use keyless::Signer;
use rcgen::SanType;
use serde_json::{Value, json};
use signature::{KeyType, PrivateKey};
use trust::Identity;
use verifier::appraise::appraise;
use verifier::evidence::Evidence;
use verifier::examine::examine;
use verifier::published::{Certified, Form, Piece};
use verifier::report;
use verifier::verdict::Verdict;
use world::{ISSUER, SUBJECT, World, checkpoint, params, pem};

/// The identities that have signed the image, and the verdict with its table.
fn judge(case: &Case, world: &World) -> (Vec<Identity>, bool, String) {
    let policy = parse(&policy_text(case), &world.root()).unwrap();
    let attested = examine(case.published.clone(), policy.principals(), world::now());
    let signers = attested.signatures().iter();
    let signers = signers.map(|signature| signature.by().clone()).collect();
    let evidence = Evidence::new(attested, case.rebuild.clone());
    let verdict = Verdict::of(appraise(&evidence, &policy, world::now()));
    let is_pass = matches!(verdict, Verdict::Pass(_));
    (signers, is_pass, report::table(&verdict))
}

#[test]
fn a_subject_is_one_principal_in_either_layout() {
    let world = World::new();
    let leaf = world.leaf(&params());
    let workflow = Identity::Keyless(Signer {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
    });
    for sign in [bundle, legacy] {
        let mut case = Case::passing();
        let (_, is_pass, table) = judge(&case, &world);
        assert!(!is_pass, "{table}");
        let signature = sign(&world, &leaf, &case.image.digest);
        case.published.pieces.push(signature);
        let (signers, is_pass, table) = judge(&case, &world);
        assert!(is_pass && signers.contains(&workflow), "{table}");
    }
    // Two signatures by two certificates of one subject are one principal's.
    let mut case = Case::passing();
    let digest = case.image.digest;
    let other = world.leaf(&params());
    case.published.pieces = vec![
        bundle(&world, &leaf, &digest),
        legacy(&world, &other, &digest),
    ];
    let (signers, is_pass, table) = judge(&case, &world);
    assert_eq!(signers, [workflow.clone(), workflow]);
    assert!(!is_pass, "{table}");
}

#[test]
fn a_certificate_beside_a_signature_by_a_key_changes_nothing() {
    let world = World::new();
    let mut case = Case::passing();
    let signers = |case: &Case| {
        let attested = examine(case.published.clone(), case.policy().principals(), NOW);
        let signers = attested.signatures().iter().map(|one| one.by().clone());
        let statements = attested.statements().iter().map(|one| one.by().clone());
        (signers.collect::<Vec<_>>(), statements.collect::<Vec<_>>())
    };
    let expected = signers(&case);
    let text = pem("CERTIFICATE", &world.leaf(&params()).der);
    for certificate in [text.as_str(), "", "none"] {
        for piece in &mut case.published.pieces {
            piece.certified = Some(Certified {
                certificate: Some(certificate.to_owned()),
                chain: None,
                promise: None,
                timestamp: None,
            });
        }
        assert_eq!(signers(&case), expected, "{certificate}");
    }
}

#[test]
fn what_the_certificate_does_not_vouch_for_does_not_count() {
    let world = World::new();
    let digest = Case::passing().image.digest;
    let (good, mut another) = (params(), params());
    another.subject_alt_names = vec![SanType::URI("https://other.example".try_into().unwrap())];
    let leaf = world.leaf(&good);
    let stranger = World::new();
    let mut unpromised = legacy(&world, &leaf, &digest);
    unpromised.certified.as_mut().unwrap().promise = None;
    let mut another_payload = legacy(&world, &leaf, &digest);
    another_payload.bytes = legacy(&world, &leaf, &Digest::of(b"x")).bytes;
    another_payload.digest = Digest::of(&another_payload.bytes);
    let unlogged = stranger.leaf(&good);
    for (piece, reason) in [
        (bundle(&world, &world.leaf(&another), &digest), "identity"),
        (legacy(&world, &world.leaf(&another), &digest), "identity"),
        (bundle(&world, &leaf, &Digest::of(b"x")), "artifact"),
        (
            legacy(&world, &leaf, &Digest::of(b"x")),
            "for another image",
        ),
        (bundle(&world, &unlogged, &digest), "certificate-chain"),
        (bundle(&stranger, &leaf, &digest), "log-unknown"),
        (unpromised, "log-missing"),
        (another_payload, "signature"),
    ] {
        let mut case = Case::passing();
        case.published.pieces.push(piece);
        let (_, is_pass, table) = judge(&case, &world);
        assert!(!is_pass, "{reason}: {table}");
        assert!(table.contains(reason), "{reason}: {table}");
    }
}

/// The certificate names the first of two principals, whose refusal is reported, not that of the second.
#[test]
fn a_refusal_is_about_the_principal_whom_the_certificate_names() {
    let (world, mut case) = (World::new(), Case::passing());
    let mut signed = bundle(&world, &world.leaf(&params()), &case.image.digest);
    let mut document: Value = serde_json::from_slice(&signed.bytes).unwrap();
    let entry = &mut document["verificationMaterial"]["tlogEntries"][0];
    let body = STANDARD.decode(entry["canonicalizedBody"].as_str().unwrap());
    let root = Digest::of(&[&[0], &body.unwrap()[..]].concat());
    entry["inclusionProof"]["checkpoint"]["envelope"] = checkpoint(&world.other_log, &root).into();
    signed.bytes = document.to_string().into_bytes();
    signed.digest = Digest::of(&signed.bytes);
    case.published.pieces.push(signed);
    let other = |issuer: &str| {
        format!("[[principal]]\nname = \"{issuer}\"\nissuer = \"{issuer}\"\nsubject = \"other\"\n")
    };
    let text = policy_text(&case) + &other(ISSUER) + &other("https://other.example");
    let policy = parse(&text, &world.root()).unwrap();
    let attested = examine(case.published.clone(), policy.principals(), world::now());
    let evidence = Evidence::new(attested, case.rebuild.clone());
    let table = report::table(&Verdict::of(appraise(&evidence, &policy, world::now())));
    assert!(table.contains("log-checkpoint"), "{table}");
}

#[test]
fn a_policy_names_issuer_subject_and_root() {
    let (world, case) = (World::new(), Case::passing());
    let (root, text) = (world.root(), policy_text(&case));
    let digest = *parse(&text, &root).unwrap().digest();
    assert_ne!(
        digest,
        *parse(&text, &World::new().root()).unwrap().digest()
    );
    let root_digest = Digest::of(root.to_string().as_bytes());
    let pinned = |digest: &Digest| {
        let entry = "trusted_root = \"root.json\"\n";
        text.replacen(entry, &format!("{entry}digest = \"{digest}\"\n"), 1)
    };
    assert!(parse(&pinned(&root_digest), &root).is_ok());
    let misspelt = text.replacen(
        "trusted_root = \"root.json\"\n",
        &format!(
            "trusted_root = \"root.json\"\ndigest = \"{}\"\n",
            root_digest.hex()
        ),
        1,
    );
    let twin = text.clone()
        + "[[principal]]\nname = \"twin\"\n"
        + &format!("issuer = \"{ISSUER}\"\nsubject = \"{SUBJECT}\"\n");
    for (text, reason) in [
        (
            pinned(&Digest::of(b"x")),
            "keyless.trusted_root: expected sha256:",
        ),
        (misspelt, "digest"),
        (
            text.replacen("[keyless]\ntrusted_root = \"root.json\"\n", "", 1),
            "keyless.trusted_root is missing",
        ),
        (
            text.replacen(&format!("issuer = \"{ISSUER}\"\n"), "", 1),
            "or `issuer` with `subject`",
        ),
        (text.replacen(ISSUER, "", 1), "is empty"),
        (twin, "have the same subject"),
    ] {
        let error = parse(&text, &root).err().unwrap().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let error = parse(&text, &json!({})).err().unwrap().to_string();
    assert!(
        error.contains("keyless.trusted_root: parsing trusted root"),
        "{error}"
    );
}

/// The passing case with this bundle alone.
fn with(bundle: &Value) -> Case {
    let bytes = bundle.to_string().into_bytes();
    let mut case = Case::passing();
    case.published.pieces = vec![piece(
        referrer(&bytes),
        Form::Bundle,
        Some(COSIGN_SIGN),
        bytes,
    )];
    case
}

/// A signature by a key needs no log, but an entry that is there must be right.
#[test]
fn log_entries_beside_a_key_are_verified() {
    let (world, stranger) = (World::new(), World::new());
    let (builder, digest) = (keys().builder, Case::passing().image.digest);
    let payload = statement(REPOSITORY, &digest, COSIGN_SIGN, json!({}));
    let logged = world.bundle_of_key(&builder, &payload);
    let counted = |bundle: &Value| {
        let (signers, _, table) = judge(&with(bundle), &world);
        (signers.len(), table)
    };
    assert_eq!(counted(&logged).0, 1);
    let entries = "/verificationMaterial/tlogEntries";
    let mut bare = logged.clone();
    *bare.pointer_mut(entries).unwrap() = json!([]);
    assert_eq!(counted(&bare).0, 1);
    let entry_of = |bundle: Value| bundle.pointer(entries).unwrap()[0].clone();
    let elsewhere = entry_of(stranger.bundle_of_key(&builder, &payload));
    let by_another = entry_of(world.bundle_of_key(&keys().collaborator, &payload));
    let another = statement(REPOSITORY, &Digest::of(b"x"), COSIGN_SIGN, json!({}));
    let of_another = entry_of(world.bundle_of_key(&builder, &another));
    let promise = json!(STANDARD.encode(builder.sign(b"").unwrap()));
    let root = json!(STANDARD.encode([0; 32]));
    for (member, value, reason) in [
        ("", elsewhere, "log-unknown"),
        ("", by_another, "log-entry"),
        ("", of_another, "log-entry"),
        (
            "/inclusionPromise/signedEntryTimestamp",
            promise,
            "log-promise",
        ),
        ("/inclusionProof/rootHash", root, "log-checkpoint"),
    ] {
        let mut forged = logged.clone();
        *forged.pointer_mut(&format!("{entries}/0{member}")).unwrap() = value;
        let (signatures, table) = counted(&forged);
        assert_eq!(signatures, 0, "{reason}: {table}");
        assert!(table.contains(&format!("{reason}: ")), "{reason}: {table}");
        // Without a root, there is nothing to verify them with.
        let case = with(&forged);
        let attested = examine(case.published.clone(), case.policy().principals(), NOW);
        assert_eq!(attested.signatures().len(), 1, "{reason}");
    }
}

/// Entries about keys of some types cannot be verified, and are not signed: without them the signature would count.
#[test]
fn log_entries_that_cannot_be_verified_are_noted() {
    let world = World::new();
    let digest = Case::passing().image.digest;
    let payload = statement(REPOSITORY, &digest, COSIGN_SIGN, json!({}));
    let key = PrivateKey::generate_of(KeyType::P521).unwrap();
    let mut case = with(&world.bundle_of_key(&key, &payload));
    let pem = |key: &PrivateKey| key.public().to_pem();
    let policy = case.policy.replace(&pem(&keys().builder), &pem(&key));
    assert_ne!(policy, case.policy);
    case.policy = policy;
    let (signers, _, table) = judge(&case, &world);
    assert_eq!(signers.len(), 1, "{table}");
    assert!(
        table.contains("a key of type ecdsa-p521 is not supported"),
        "{table}"
    );
    let stranger = PrivateKey::generate_of(KeyType::P521).unwrap();
    case.published.pieces = with(&world.bundle_of_key(&stranger, &payload))
        .published
        .pieces;
    assert_eq!(judge(&case, &world).0, []);
}

/// The same in the legacy layout, where the promise of a log is in an annotation.
#[test]
fn the_promise_of_a_log_beside_a_key_is_verified() {
    let (world, stranger) = (World::new(), World::new());
    let (builder, digest) = (keys().builder, Case::passing().image.digest);
    let logged = || legacy_of_key(&world, &builder, &digest);
    let promise_of = |piece: Piece| piece.certified.unwrap().promise;
    let with = |promise: Option<String>| {
        let mut piece = logged();
        piece.certified.as_mut().unwrap().promise = promise;
        let mut case = Case::passing();
        case.published.pieces = vec![piece];
        case
    };
    let counted = |case: &Case| {
        let (signers, _, table) = judge(case, &world);
        (signers.len(), table)
    };
    for promise in [promise_of(logged()), None] {
        let (signatures, table) = counted(&with(promise));
        assert_eq!(signatures, 1, "{table}");
    }
    let elsewhere = promise_of(legacy_of_key(&stranger, &builder, &digest));
    let by_another = promise_of(legacy_of_key(&world, &keys().collaborator, &digest));
    let of_another = promise_of(legacy_of_key(&world, &builder, &Digest::of(b"x")));
    let mut later: Value = serde_json::from_str(&promise_of(logged()).unwrap()).unwrap();
    later["Payload"]["integratedTime"] = json!(world::TIME + 1);
    for (promise, reason) in [
        (elsewhere, "log-unknown"),
        (by_another, "artifact"),
        (of_another, "artifact"),
        (Some(later.to_string()), "log-promise"),
        (Some("{}".to_owned()), "json"),
    ] {
        let case = with(promise);
        let (signatures, table) = counted(&case);
        assert_eq!(signatures, 0, "{reason}: {table}");
        assert!(table.contains(&format!("{reason}: ")), "{reason}: {table}");
        // Without a root, there is nothing to verify it with.
        let attested = examine(case.published.clone(), case.policy().principals(), NOW);
        assert_eq!(attested.signatures().len(), 1, "{reason}");
    }
}
