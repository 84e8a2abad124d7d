//! Certificates: their authorities, periods, names and logs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless::{Pattern, Subject, Trusted};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use serde_json::{Value, json};

use crate::Case;
use crate::bundles::reason;
use crate::world::{self, ISSUER, SUBJECT, World, judge, judge_as, leaf_by, now, params};

pub const CASES: &[Case] = &[
    // 6
    ("expired_intermediate_fail", || {
        below(|authority| authority.not_after = date_time_ymd(2026, 1, 1))
    }),
    ("intermediate_of_the_future_fail", || {
        below(|authority| authority.not_before = date_time_ymd(2026, 1, 2))
    }),
    ("intermediate_as_it_should_be", || below(|_| {})),
    // 7
    ("expired_certificate_fail", || {
        leaf(|certificate| certificate.not_after = date_time_ymd(2026, 1, 1))
    }),
    ("certificate_of_the_future_fail", || {
        leaf(|certificate| certificate.not_before = date_time_ymd(2026, 1, 2))
    }),
    ("log_after_its_period_fail", || {
        period("/tlogs/0/publicKey/validFor", Some("2025-12-31T00:00:00Z"))
    }),
    ("authority_after_its_period_fail", || {
        let place = "/certificateAuthorities/0/validFor";
        period(place, Some("2025-12-31T00:00:00Z"))
    }),
    ("signature_of_the_future_fail", || {
        let world = World::new();
        let before = now() - chrono::TimeDelta::days(30);
        let bundle = world.bundle().to_string();
        reason(judge_as(&world.root(), &bundle, &world::trusted(), before))
    }),
    // 19
    ("certificate_of_another_authority_fail", || {
        let world = World::new();
        let stranger = World::new().leaf(&params());
        reason(judge(&world.root(), &world.bundle_by(&stranger)))
    }),
    ("authority_in_the_bundle_fail", authority_in_the_bundle),
    // 20
    ("unanchored_pattern_fail", || {
        crate::said(Pattern::new("https://forge.example/a/b"))
    }),
    ("pattern_anchored_in_one_alternative_fail", || {
        let pattern = Pattern::new("^https://x.example$|https://forge.example/a/b.*$").unwrap();
        trusting(ISSUER, Subject::Pattern(pattern))
    }),
    ("branch_that_is_called_like_a_reference_fail", || {
        named("https://forge.example/a/b@refs/heads/refs/heads/main")
    }),
    ("subject_that_only_begins_so_fail", || {
        named(&format!("{SUBJECT}-2"))
    }),
    ("no_issuer_is_not_any_issuer_fail", || {
        let trusted = Trusted {
            issuer: None,
            subject: Subject::Exact(SUBJECT.to_owned()),
        };
        let world = World::new();
        let bundle = world.bundle().to_string();
        reason(judge_as(&world.root(), &bundle, &trusted, now()))
    }),
    ("empty_issuer_is_not_any_issuer_fail", || {
        trusting("", Subject::Exact(SUBJECT.to_owned()))
    }),
    ("issuer_in_the_older_extension_only_for_show_fail", || {
        leaf(|certificate| {
            certificate.custom_extensions = vec![
                world::issuer("https://other.example"),
                // Fulcio's older extension has the text without a type around it.
                CustomExtension::from_oid_content(
                    &[1, 3, 6, 1, 4, 1, 57264, 1, 1],
                    ISSUER.as_bytes().to_vec(),
                ),
            ];
        })
    }),
    ("two_subjects_in_a_certificate_fail", || {
        leaf(|certificate| {
            let other = SanType::URI("https://other.example".try_into().unwrap());
            certificate.subject_alt_names.push(other);
        })
    }),
    // 22
    ("authority_as_signer_fail", || {
        leaf(|certificate| {
            certificate.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        })
    }),
    ("certificate_for_servers_fail", || {
        leaf(|certificate| {
            certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        })
    }),
    ("certificate_for_anything_fail", || {
        leaf(|certificate| certificate.extended_key_usages.clear())
    }),
    ("unknown_critical_extension_fail", || {
        leaf(|certificate| {
            let content = vec![5, 0];
            let mut unknown =
                CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999], content);
            unknown.set_criticality(true);
            certificate.custom_extensions.push(unknown);
        })
    }),
    ("certificate_in_no_log_fail", || {
        let world = World::new();
        let mut root = world.root();
        root["ctlogs"] = root["tlogs"].clone();
        reason(judge(&root, &world.bundle()))
    }),
];

fn leaf(change: impl FnOnce(&mut CertificateParams)) -> String {
    let world = World::new();
    let mut params = params();
    change(&mut params);
    reason(judge(&world.root(), &world.bundle_by(&world.leaf(&params))))
}

fn named(subject: &str) -> String {
    leaf(|certificate| {
        certificate.subject_alt_names = vec![SanType::URI(subject.try_into().unwrap())];
    })
}

/// A certificate by an authority below that of the root.
fn below(change: impl FnOnce(&mut CertificateParams)) -> String {
    let world = World::new();
    let mut authority = CertificateParams::default();
    change(&mut authority);
    let (authority, root) = world.intermediate(authority);
    let signer = leaf_by(&authority, &params());
    reason(judge(&root, &world.bundle_by(&signer)))
}

fn period(place: &str, end: Option<&str>) -> String {
    let world = World::new();
    let mut root = world.root();
    *root.pointer_mut(place).unwrap() = json!({"start": "2025-01-01T00:00:00Z", "end": end});
    reason(judge(&root, &world.bundle()))
}

fn trusting(issuer: &str, subject: Subject) -> String {
    let world = World::new();
    let mut other = params();
    let name = "xhttps://forge.example/a/b";
    if matches!(subject, Subject::Pattern(_)) {
        other.subject_alt_names = vec![SanType::URI(name.try_into().unwrap())];
    }
    let issuer = Some(issuer.to_owned());
    let bundle = world.bundle_by(&world.leaf(&other)).to_string();
    let trusted = Trusted { issuer, subject };
    reason(judge_as(&world.root(), &bundle, &trusted, now()))
}

/// The attacker's authority comes with the certificate, as in bundles of version 0.1.
fn authority_in_the_bundle() -> String {
    let (world, stranger) = (World::new(), World::new());
    let leaf = stranger.leaf(&params());
    let mut bundle = world.bundle_by(&leaf);
    let theirs = &stranger.root()["certificateAuthorities"][0]["certChain"]["certificates"][0];
    let own = json!({ "rawBytes": STANDARD.encode(&leaf.der) });
    let material: &mut Value = &mut bundle["verificationMaterial"];
    material.as_object_mut().unwrap().remove("certificate");
    material["x509CertificateChain"] = json!({ "certificates": [own, theirs] });
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into();
    reason(judge(&world.root(), &bundle))
}
