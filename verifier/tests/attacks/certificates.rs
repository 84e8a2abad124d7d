//! Certificates: their authorities, periods, names and logs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use content::Digest;
use keyless::{Pattern, Subject, Trusted};
use rcgen::{
    CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, KeyPair, SanType, SerialNumber,
    date_time_ymd,
};
use serde_json::{Value, json};
use signature::PrivateKey;

use crate::Case;
use crate::bundles::reason;
use crate::world::{self, ISSUER, NEXT_DAY, SUBJECT, World, judge, judge_as, leaf_by, now, params};

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
    ("certificate_in_a_log_as_it_should_be", || {
        promised(|_, _| {})
    }),
    ("promise_of_another_log_fail", || {
        promised(|world, promise| promise.signer = &world.log)
    }),
    ("promise_for_another_certificate_fail", || {
        promised(|world, promise| promise.certificate = world.leaf(&params()).der)
    }),
    ("promise_for_another_authority_fail", || {
        promised(|_, promise| promise.authority = World::new().authority_key())
    }),
    ("promise_twice_fail", || {
        promised(|_, promise| promise.count = 2)
    }),
    ("promise_by_a_log_that_has_ended_fail", || {
        promised(|_, promise| promise.time = LOG_END + 1)
    }),
];

/// When the period of the log for certificates ends, in seconds since 1970.
const LOG_END: u64 = NEXT_DAY as u64;

/// A log's promise to include a certificate (RFC 6962, section 3.2).
struct Promise<'a> {
    signer: &'a PrivateKey,
    /// The certificate without the promise.
    certificate: Vec<u8>,
    /// The key of the authority that issues it.
    authority: Vec<u8>,
    /// In seconds since 1970.
    time: u64,
    count: usize,
}

impl Promise<'_> {
    /// The extension with the promise, by the log with this ID.
    fn extension(&self, log: &Digest) -> CustomExtension {
        let time = (self.time * 1000).to_be_bytes();
        let authority = Digest::of(&self.authority);
        let signed = [
            &[0, 0][..],
            &time,
            &[0, 1],
            authority.as_bytes(),
            &prefixed::<3>(contents_to_sign(&self.certificate)),
            &[0, 0],
        ];
        let signature = self.signer.sign(&signed.concat()).unwrap();
        let promise = [
            &[0][..],
            log.as_bytes(),
            &time,
            // No extensions; ECDSA with SHA-256.
            &[0, 0, 4, 3],
            &prefixed::<2>(&signature),
        ];
        let list = prefixed::<2>(&promise.concat()).repeat(self.count);
        let list = prefixed::<2>(&list);
        let content = match u8::try_from(list.len()).unwrap() {
            short @ ..=0x7f => [&[4, short], &list[..]].concat(),
            length => [&[4, 0x81, length], &list[..]].concat(),
        };
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], content)
    }
}

/// Bytes after their length in `N` bytes.
fn prefixed<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - N..], bytes].concat()
}

/// The part of a certificate that its authority signs, in DER.
fn contents_to_sign(certificate: &[u8]) -> &[u8] {
    let (start, _) = header(certificate);
    let inner = &certificate[start..];
    let (start, length) = header(inner);
    &inner[..start + length]
}

/// Where the content of a DER value begins, and its length.
fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ ..=0x7f => (2, short.into()),
        0x81 => (3, der[2].into()),
        _ => (4, u16::from_be_bytes([der[2], der[3]]).into()),
    }
}

/// A certificate with a promise of the log for certificates.
fn promised(change: impl for<'a> FnOnce(&'a World, &mut Promise<'a>)) -> String {
    let world = World::new();
    let pair = KeyPair::generate().unwrap();
    let mut certificate = params();
    certificate.serial_number = Some(SerialNumber::from(7));
    let mut promise = Promise {
        signer: &world.other_log,
        certificate: world.leaf_for(&pair, &certificate).der,
        authority: world.authority_key(),
        time: LOG_END - 1,
        count: 1,
    };
    change(&world, &mut promise);
    let log = world.other_log.public().key_id();
    certificate.custom_extensions.push(promise.extension(&log));
    let mut root = world.root();
    root["ctlogs"] = json!([root["tlogs"][1]]);
    let end = DateTime::from_timestamp(NEXT_DAY, 0).unwrap();
    root["ctlogs"][0]["publicKey"]["validFor"]["end"] = end.to_rfc3339().into();
    let leaf = world.leaf_for(&pair, &certificate);
    reason(judge(&root, &world.bundle_by(&leaf)))
}

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
