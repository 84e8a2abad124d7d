//! Which signatures count, and for whom.

use super::*;
use crate::case::Keys;

fn with_signature(make: impl Fn(&Case) -> verifier::published::Piece) -> Case {
    let mut case = Case::passing();
    case.published.pieces.drain(..2);
    let piece = make(&case);
    case.published.pieces.push(piece);
    case
}

#[test]
fn a_signature_by_an_unknown_key_never_counts_and_is_reported() {
    let case =
        with_signature(|case| legacy_signature(&case.keys.unknown, REPOSITORY, &case.image.digest));
    case.refused_by(&[Rule::Signatures], "signature of builder");
    let verdict = case.verdict();
    let mut notes = verdict
        .findings()
        .iter()
        .filter(|found| found.outcome() == Outcome::Note);
    assert!(notes.any(|note| detail(note).contains("unknown key")));
}

#[test]
fn a_signature_by_another_principal_is_not_the_required_one() {
    let case = with_signature(|case| {
        legacy_signature(&case.keys.collaborator, REPOSITORY, &case.image.digest)
    });
    case.refused_by(&[Rule::Signatures], "signature of builder");
}

#[test]
fn a_signature_over_another_digest_does_not_count() {
    let other = Digest::of(b"other");
    let case = with_signature(|case| legacy_signature(&case.keys.builder, REPOSITORY, &other));
    case.refused_by(&[Rule::Signatures], "signature of builder");
}

#[test]
fn a_signature_for_another_repository_does_not_count() {
    let elsewhere = "127.0.0.1:5000/old/workload";
    let legacy =
        with_signature(|case| legacy_signature(&case.keys.builder, elsewhere, &case.image.digest));
    legacy.refused_by(&[Rule::Signatures], "signature of builder");
    let bundled = with_signature(|case| {
        let kind = COSIGN_SIGN;
        let payload = statement(elsewhere, &case.image.digest, kind, json!({}));
        bundle(&case.keys.builder, kind, payload)
    });
    bundled.refused_by(&[Rule::Signatures], "signature of builder");
}

/// As cosign 3 signs by default: the subject of its statement is a digest without a name.
fn without_a_repository(digest: &Digest) -> Vec<u8> {
    let payload = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest.hex()}, "annotations": {}}],
        "predicateType": COSIGN_SIGN,
        "predicate": {},
    });
    payload.to_string().into_bytes()
}

#[test]
fn a_signature_without_a_repository_does_not_count_and_says_why() {
    let case = with_signature(|case| {
        let payload = without_a_repository(&case.image.digest);
        bundle(&case.keys.builder, COSIGN_SIGN, payload)
    });
    case.refused_by(&[Rule::Signatures], "signature of builder");
    let verdict = case.verdict();
    assert!(
        noted(&verdict, "names no repository"),
        "{:?}",
        verdict.findings()
    );
    assert!(noted(&verdict, "--new-bundle-format=false"));
    assert!(noted(&verdict, "without_repository"));
}

/// For this digest only, and one that names another repository is still for that one.
#[test]
fn a_policy_may_count_signatures_without_a_repository() {
    let count = "[signatures]\nwithout_repository = \"count\"";
    let judged = |key: fn(&Keys) -> &PrivateKey, payload: &dyn Fn(&Digest) -> Vec<u8>| {
        let mut case = with_signature(|case| {
            let payload = payload(&case.image.digest);
            bundle(key(&case.keys), COSIGN_SIGN, payload)
        });
        case.policy = case.policy.replace("[signatures]", count);
        matches!(case.verdict(), Verdict::Pass(_))
    };
    let elsewhere = |digest: &Digest| statement("r.example/old", digest, COSIGN_SIGN, json!({}));
    let another = |_: &Digest| without_a_repository(&Digest::of(b"other"));
    assert!(judged(|keys| &keys.builder, &without_a_repository));
    assert!(!judged(|keys| &keys.builder, &elsewhere));
    assert!(!judged(|keys| &keys.builder, &another));
    assert!(!judged(|keys| &keys.unknown, &without_a_repository));
}

/// As for images that have nothing but the provenance of their builder.
#[test]
fn attestations_are_enough_if_the_policy_says_so() {
    let mut case = Case::passing();
    case.published.pieces.drain(..2);
    case.refused_by(&[Rule::Signatures], "signature of builder");
    let required = "require = [\"builder\"]\nthreshold = 1";
    let none = "require = []\nthreshold = 0";
    assert!(case.policy.contains(required));
    case.policy = case.policy.replace(required, none);
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    case.published.pieces.clear();
    case.refused_by(&[PROVENANCE, SBOM], "statement about this image");
}

#[test]
fn an_sbom_is_not_a_signature() {
    let mut case = Case::passing();
    case.published.pieces.drain(..2);
    case.refused_by(&[Rule::Signatures], "signature of builder");
}

#[test]
fn one_principal_in_two_layouts_is_one() {
    let mut case = Case::passing();
    case.policy = case.policy.replace("threshold = 1", "threshold = 2");
    case.refused_by(
        &[Rule::Signatures],
        "expected at least 2 of 2, found 1 (builder)",
    );
    let key = &case.keys.collaborator;
    case.published
        .pieces
        .push(legacy_signature(key, REPOSITORY, &case.image.digest));
    assert!(matches!(case.verdict(), Verdict::Pass(_)));
}

/// Two parties whose policies wait for each other: each can countersign first, and neither is bound before both have signed.
#[test]
fn a_countersignature_is_needed_to_bind_and_not_to_countersign() {
    let mut case = Case::passing();
    case.policy += "\n[countersignatures]\nfrom = [\"collaborator\"]\n";
    let approval = |case: &Case| match case.verdict() {
        Verdict::Pass(approval) => approval,
        Verdict::Fail(refusal) => panic!("{refusal:?}"),
    };
    let refusal = approval(&case).to_bind().unwrap_err();
    let refused = Verdict::Fail(refusal);
    let [failure] = case::failures(&refused)[..] else {
        panic!("{refused:?}");
    };
    assert_eq!(failure.rule(), Rule::Countersignatures);
    assert!(detail(failure).contains("signature of collaborator: expected one by"));
    let elsewhere = "127.0.0.1:5000/old/workload";
    for (key, repository, counts) in [
        (&case.keys.builder, REPOSITORY, false),
        (&case.keys.unknown, REPOSITORY, false),
        (&case.keys.collaborator, elsewhere, false),
        (&case.keys.collaborator, REPOSITORY, true),
    ] {
        let mut case = Case::passing();
        case.policy += "\n[countersignatures]\nfrom = [\"collaborator\"]\n";
        let signature = legacy_signature(key, repository, &case.image.digest);
        case.published.pieces.push(signature);
        assert_eq!(approval(&case).to_bind().is_ok(), counts, "{repository}");
    }
}

/// One rule for all signatures: what the policy says about those without a repository holds for countersignatures too.
#[test]
fn a_countersignature_without_a_repository_counts_if_the_policy_says_so() {
    let mut case = Case::passing();
    let key = &case.keys.collaborator;
    let payload = without_a_repository(&case.image.digest);
    case.published
        .pieces
        .push(bundle(key, COSIGN_SIGN, payload));
    case.policy += "\n[countersignatures]\nfrom = [\"collaborator\"]\n";
    let is_bound = |case: &Case| match case.verdict() {
        Verdict::Pass(approval) => approval.to_bind().is_ok(),
        Verdict::Fail(refusal) => panic!("{refusal:?}"),
    };
    assert!(!is_bound(&case));
    let count = "[signatures]\nwithout_repository = \"count\"";
    case.policy = case.policy.replace("[signatures]", count);
    assert!(is_bound(&case));
}

/// The builder's signature does not stand for a party's, and a party counts once.
#[test]
fn a_threshold_counts_the_named_parties_only() {
    let mut case = Case::passing();
    case.policy += "\n[countersignatures]\nfrom = [\"builder\", \"collaborator\"]\nthreshold = 2\n";
    let key = &case.keys.builder;
    let again = legacy_signature(key, REPOSITORY, &case.image.digest);
    case.published.pieces.push(again);
    let Verdict::Pass(approval) = case.verdict() else {
        panic!("expected a pass");
    };
    assert!(approval.to_bind().is_err());
    case.policy = case
        .policy
        .replace("\nthreshold = 2\n", "\nthreshold = 1\n");
    let Verdict::Pass(approval) = case.verdict() else {
        panic!("expected a pass");
    };
    assert!(approval.to_bind().is_ok());
}

#[test]
fn a_missing_countersignature_is_named() {
    let mut case = Case::passing();
    case.policy = case.policy.replace(
        "require = [\"builder\"]",
        "require = [\"builder\", \"collaborator\"]",
    );
    case.refused_by(&[Rule::Signatures], "signature of collaborator");
}

#[test]
fn a_signer_that_confidential_space_does_not_count_is_named() {
    let unseen = "will not count the signature of builder";
    assert!(!noted(&Case::passing().verdict(), unseen));
    let payload = |case: &Case| {
        let kind = COSIGN_SIGN;
        let payload = statement(REPOSITORY, &case.image.digest, kind, json!({}));
        bundle(&case.keys.builder, kind, payload)
    };
    let bundled = with_signature(payload).verdict();
    assert!(noted(
        &bundled,
        &format!("{unseen}: it is not under the tag")
    ));
    // The builder's signature over a payload that names an unknown key.
    let other_key = with_signature(|case| {
        let (builder, other_key) = (&case.keys.builder, &case.keys.unknown);
        let mut piece = legacy_signature(other_key, REPOSITORY, &case.image.digest);
        let signature = STANDARD.encode(builder.sign(&piece.bytes).unwrap());
        piece.form = Form::SimpleSigning { signature };
        piece
    });
    let other_key = other_key.verdict();
    assert!(noted(&other_key, &format!("{unseen}: its payload")));
    // Confidential Space reads no other tag.
    let moved = with_signature(|case| {
        let mut piece = legacy_signature(&case.keys.builder, REPOSITORY, &case.image.digest);
        piece.carrier = tag(".att");
        piece
    });
    assert!(noted(&moved.verdict(), unseen));
    for verdict in [bundled, other_key] {
        assert!(matches!(verdict, Verdict::Pass(_)));
    }
}

/// A collaborator with a key of each type, and a key on RSA that signs with PSS.
#[test]
fn a_key_of_each_type_counts() {
    let keys = KeyType::ALL.map(|key_type| (key_type, None));
    let pss = (KeyType::Rsa { bits: 2048 }, Some("rsa-pss-sha256"));
    for (key_type, algorithm) in keys.into_iter().chain([pss]) {
        let key = PrivateKey::generate_of(key_type).unwrap();
        let (key, line) = match algorithm {
            Some(name) => (
                key.with_algorithm(name.parse().unwrap()).unwrap(),
                format!("algorithm = \"{name}\"\n"),
            ),
            None => (key, String::new()),
        };
        let mut case = Case::passing();
        let before = case.keys.collaborator.public().to_pem();
        let pem = format!("{}\"\"\"\n{line}", key.public().to_pem());
        case.policy = case
            .policy
            .replacen(&format!("{before}\"\"\"\n"), &pem, 1)
            .replacen(
                "require = [\"builder\"]",
                "require = [\"builder\", \"collaborator\"]",
                1,
            );
        let signature = legacy_signature(&key, REPOSITORY, &case.image.digest);
        case.published.pieces.push(signature);
        let verdict = case.verdict();
        assert!(matches!(verdict, Verdict::Pass(_)), "{key_type}");
        let is_read = matches!(key_type, KeyType::P256 | KeyType::Rsa { .. });
        let unseen = "will not count the signature of collaborator: it reads ECDSA on P-256";
        assert_eq!(noted(&verdict, unseen), !is_read, "{key_type}");
        // The algorithm of the policy and no other.
        let other = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
        let other = other.with_algorithm(match key_type {
            KeyType::Rsa { .. } => "rsa-pkcs1-sha512".parse().unwrap(),
            _ => continue,
        });
        let mut case = case;
        case.published.pieces.pop();
        let signature = legacy_signature(&other.unwrap(), REPOSITORY, &case.image.digest);
        case.published.pieces.push(signature);
        case.refused_by(&[Rule::Signatures], "signature of collaborator");
    }
}
