//! What is published for an image: which signatures and statements count, and for what.

use std::io::Write as _;

use attest::predicate::COSIGN_SIGN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use signature::envelope::{Envelope, IN_TOTO, pae};
use verifier::finding::Outcome;
use verifier::published::{Form, Piece};
use verifier::report::detail;
use verifier::verdict::Verdict;

use crate::case::{
    Case as Image, REPOSITORY, bundle, honest_predicates, legacy_signature, piece, referrer,
    sealed, statement, tag,
};
use crate::{ACCEPTED, Case, certified, world};

pub const CASES: &[Case] = &[
    ("image_as_it_should_be", || said(&Image::passing())),
    // 4
    ("bundle_alone_as_it_should_be", || {
        signed(|image| vec![bundled_signature(image)])
    }),
    ("legacy_signature_alone_as_it_should_be", || {
        signed(|image| {
            let good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
            vec![legacy_payload(
                image,
                String::from_utf8(good.bytes).unwrap(),
            )]
        })
    }),
    ("sbom_as_signature_fail", || {
        signed(|image| {
            let [_, (sbom, bill)] = honest_predicates();
            vec![bundle(
                &image.keys.builder,
                COSIGN_SIGN,
                about(image, sbom, bill),
            )]
        })
    }),
    ("payload_of_another_type_fail", || {
        signed(|image| {
            let good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
            let text = String::from_utf8(good.bytes).unwrap();
            let payload = text.replacen(
                "cosign container image signature",
                "atomic container signature",
                1,
            );
            vec![legacy_payload(image, payload)]
        })
    }),
    // 5
    ("junk_beside_signatures", || {
        let mut image = Image::passing();
        let junk =
            |form, bytes: &[u8]| piece(referrer(bytes), form, Some(COSIGN_SIGN), bytes.to_vec());
        image.published.pieces.insert(0, junk(Form::Bundle, b"{}"));
        image
            .published
            .pieces
            .insert(0, junk(Form::Envelope, b"null"));
        let unknown = legacy_signature(&image.keys.unknown, REPOSITORY, &image.image.digest);
        image.published.pieces.insert(0, unknown);
        said(&image)
    }),
    // 8
    ("one_key_in_two_layouts_fail", || {
        let mut image = Image::passing();
        image.policy = image.policy.replace("threshold = 1", "threshold = 2");
        said(&image)
    }),
    (
        "one_subject_with_two_certificates_fail",
        one_subject_with_two_certificates,
    ),
    // 11
    ("compressed_bundle_fail", || {
        signed(|image| {
            let good = bundled_signature(image).bytes;
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&good).unwrap();
            let bytes = gzip.finish().unwrap();
            vec![piece(
                referrer(&bytes),
                Form::Bundle,
                Some(COSIGN_SIGN),
                bytes,
            )]
        })
    }),
    // 13
    ("signature_for_another_repository_fail", || {
        signed(|image| {
            let elsewhere = "127.0.0.1:5000/old/workload";
            vec![legacy_signature(
                &image.keys.builder,
                elsewhere,
                &image.image.digest,
            )]
        })
    }),
    ("bundle_for_no_repository_fail", || {
        signed(|image| {
            let payload = about(image, COSIGN_SIGN, json!({}));
            let payload = edited(&payload, |statement| {
                statement["subject"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("name");
            });
            vec![bundle(&image.keys.builder, COSIGN_SIGN, payload)]
        })
    }),
    ("image_in_another_repository_fail", || {
        let mut image = Image::passing();
        let moved = format!("127.0.0.1:5000/old/workload@{}", image.image.digest);
        image.published.image = moved.parse().unwrap();
        said(&image)
    }),
    ("signature_over_another_image_fail", || {
        signed(|image| {
            vec![legacy_signature(
                &image.keys.builder,
                REPOSITORY,
                &Digest::of(b"old"),
            )]
        })
    }),
    // 15
    ("subject_with_another_algorithm_fail", || {
        subject(|digest| json!([{"name": REPOSITORY, "digest": {"sha512": digest}}]))
    }),
    ("subject_in_capitals_fail", || {
        subject(|digest| json!([{"name": REPOSITORY, "digest": {"sha256": digest.to_uppercase()}}]))
    }),
    ("subject_that_is_cut_fail", || {
        subject(|digest| json!([{"name": REPOSITORY, "digest": {"sha256": digest[..32]}}]))
    }),
    ("subject_without_digest_fail", || {
        subject(|_| json!([{"name": REPOSITORY, "digest": {}}]))
    }),
    ("subject_with_null_fail", || {
        subject(|_| json!([{"name": REPOSITORY, "digest": null}]))
    }),
    ("null_for_subjects_fail", || subject(|_| Value::Null)),
    ("subject_with_two_digests_of_a_name_fail", || {
        signed(|image| {
            let payload = String::from_utf8(about(image, COSIGN_SIGN, json!({}))).unwrap();
            let twice = payload.replacen(r#"{"sha256":"#, r#"{"sha256":"00","sha256":"#, 1);
            assert_ne!(twice, payload);
            vec![bundle(&image.keys.builder, COSIGN_SIGN, twice.into_bytes())]
        })
    }),
    // 16
    ("another_subject_beside_the_image_fail", || {
        subject(|digest| {
            json!([
                {"name": REPOSITORY, "digest": {"sha256": digest}},
                {"name": "other", "digest": {"sha256": Digest::of(b"other").hex()}},
            ])
        })
    }),
    // 17
    ("envelope_as_it_should_be", || {
        enveloped(IN_TOTO, |payload| pae(IN_TOTO, payload))
    }),
    ("payload_type_of_an_envelope_fail", || {
        enveloped("text/plain", |payload| pae("text/plain", payload))
    }),
    ("payload_type_that_was_not_signed_fail", || {
        enveloped(IN_TOTO, |payload| pae("text/plain", payload))
    }),
    ("signature_over_the_payload_alone_fail", || {
        enveloped(IN_TOTO, <[u8]>::to_vec)
    }),
    // 18
    ("payload_with_a_name_in_another_case_fail", || {
        respelled(
            r#""image":"#,
            r#""Image":{"docker-manifest-digest":"sha256:00"},"image":"#,
        )
    }),
    ("payload_with_trailing_bytes_fail", || {
        signed(|image| {
            let good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
            let text = String::from_utf8(good.bytes).unwrap();
            vec![legacy_payload(image, format!("{text}{{}}"))]
        })
    }),
    // 19
    ("key_in_the_payload_fail", || {
        signed(|image| {
            vec![legacy_signature(
                &image.keys.unknown,
                REPOSITORY,
                &image.image.digest,
            )]
        })
    }),
    ("hint_of_another_key_fail", || {
        signed(|image| {
            let envelope = sealed(&image.keys.unknown, about(image, COSIGN_SIGN, json!({})));
            let bundle = signature::bundle::Bundle::new(envelope);
            let bytes = bundle.to_bytes(image.keys.builder.public()).unwrap();
            vec![piece(
                referrer(&bytes),
                Form::Bundle,
                Some(COSIGN_SIGN),
                bytes,
            )]
        })
    }),
    // 29
    ("signed_payload_in_another_spelling_fail", || {
        signed(|image| {
            let mut good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
            let text = String::from_utf8(good.bytes).unwrap();
            good.bytes = text.replacen(':', ": ", 1).into_bytes();
            good.digest = Digest::of(&good.bytes);
            vec![good]
        })
    }),
    ("signed_payload_with_a_line_end_fail", || {
        signed(|image| {
            let mut good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
            good.bytes.push(b'\n');
            good.digest = Digest::of(&good.bytes);
            vec![good]
        })
    }),
    // 30
    ("nothing_published_fail", || said(&Image::bare())),
    ("image_that_was_not_read_fail", || {
        let mut image = Image::passing();
        image.published.contents = None;
        said(&image)
    }),
];

/// The failures, and the notes on what did not count.
pub fn said(image: &Image) -> String {
    let verdict = image.verdict();
    let told = told(&verdict);
    match verdict {
        Verdict::Pass(_) => format!("{ACCEPTED}\n{told}"),
        Verdict::Fail(_) => told,
    }
}

fn told(verdict: &Verdict) -> String {
    let findings = verdict.findings().iter();
    let told = findings.filter(|one| matches!(one.outcome(), Outcome::Fail | Outcome::Note));
    let lines = told.map(|one| format!("{}: {}", one.rule(), detail(one)));
    lines.collect::<Vec<_>>().join("\n")
}

pub fn about(image: &Image, kind: &str, predicate: Value) -> Vec<u8> {
    statement(REPOSITORY, &image.image.digest, kind, predicate)
}

fn edited(payload: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut statement = serde_json::from_slice(payload).unwrap();
    edit(&mut statement);
    statement.to_string().into_bytes()
}

/// An image whose only possible signatures are these.
fn signed(make: impl Fn(&Image) -> Vec<Piece>) -> String {
    let mut image = Image::passing();
    image.published.pieces.drain(..2);
    let made = make(&image);
    image.published.pieces.extend(made);
    said(&image)
}

/// A signature whose statement has the subjects that `make` makes of the image's digest in hex.
fn subject(make: impl Fn(&str) -> Value) -> String {
    signed(|image| {
        let payload = about(image, COSIGN_SIGN, json!({}));
        let subjects = make(&image.image.digest.hex());
        let payload = edited(&payload, |statement| statement["subject"] = subjects);
        vec![bundle(&image.keys.builder, COSIGN_SIGN, payload)]
    })
}

fn bundled_signature(image: &Image) -> Piece {
    let payload = about(image, COSIGN_SIGN, json!({}));
    bundle(&image.keys.builder, COSIGN_SIGN, payload)
}

/// An envelope that states the type `kind`, with the builder's signature over what `encode` makes of the payload.
fn enveloped(kind: &str, encode: fn(&[u8]) -> Vec<u8>) -> String {
    signed(|image| {
        let payload = about(image, COSIGN_SIGN, json!({}));
        let signature = image.keys.builder.sign(&encode(&payload)).unwrap();
        let envelope = Envelope::new(kind, payload, "", signature);
        let bytes = envelope.to_bytes().unwrap();
        vec![piece(tag(".att"), Form::Envelope, Some(COSIGN_SIGN), bytes)]
    })
}

/// A payload that the builder has indeed signed.
fn legacy_payload(image: &Image, payload: String) -> Piece {
    let payload = payload.into_bytes();
    let signature = STANDARD.encode(image.keys.builder.sign(&payload).unwrap());
    piece(
        tag(".sig"),
        Form::SimpleSigning { signature },
        None,
        payload,
    )
}

fn respelled(from: &str, to: &str) -> String {
    signed(|image| {
        let good = legacy_signature(&image.keys.builder, REPOSITORY, &image.image.digest);
        let text = String::from_utf8(good.bytes).unwrap();
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text);
        vec![legacy_payload(image, other)]
    })
}

fn one_subject_with_two_certificates() -> String {
    let world = world::World::new();
    let mut image = Image::passing();
    let digest = image.image.digest;
    let [one, other] = [(); 2].map(|()| world.leaf(&world::params()));
    let pieces = &mut image.published.pieces;
    pieces.drain(..2);
    pieces.push(certified::bundle(&world, &one, &digest));
    pieces.push(certified::legacy(&world, &other, &digest));
    let text = certified::policy_text(&image);
    let text = text.replacen(
        "require = [\"builder\", \"workflow\"]",
        "require = [\"workflow\"]",
        1,
    );
    let policy = certified::parse(&text, &world.root()).unwrap();
    let attested = verifier::examine::examine(image.published, policy.principals(), world::now());
    let evidence = verifier::evidence::Evidence::new(attested, image.rebuild);
    let findings = verifier::appraise::appraise(&evidence, &policy, world::now());
    told(&Verdict::of(findings))
}
