//! Which certificates are refused, and which name the signer.

use super::*;

type CertificateChange = fn(&mut CertificateParams);

/// Changes of a certificate that the authority signs all the same.
const CERTIFICATES: &[(&str, CertificateChange, Reason)] = &[
    (
        "another subject",
        |p| p.subject_alt_names = vec![uri("https://forge.example/a/b@refs/heads/maintenance")],
        Reason::Identity,
    ),
    (
        "two subjects",
        |p| p.subject_alt_names.push(uri("https://other.example")),
        Reason::Certificate,
    ),
    (
        "no subject",
        |p| p.subject_alt_names.clear(),
        Reason::Certificate,
    ),
    (
        "a subject of another kind",
        |p| p.subject_alt_names = vec![SanType::DnsName(SUBJECT.try_into().unwrap())],
        Reason::Certificate,
    ),
    ("no issuer", |p| p.custom_extensions.clear(), Reason::Issuer),
    (
        "in a log that the root does not have",
        |p| {
            let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
            let list = rcgen::CustomExtension::from_oid_content(&oid, vec![4, 2, 0, 0]);
            p.custom_extensions.push(list);
        },
        Reason::CertificateLog,
    ),
    (
        "another use",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        Reason::CertificateChain,
    ),
    (
        "no use",
        |p| p.extended_key_usages.clear(),
        Reason::CertificateChain,
    ),
    (
        "an authority",
        |p| p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        Reason::CertificateChain,
    ),
    (
        "expired",
        |p| p.not_after = rcgen::date_time_ymd(2026, 1, 1),
        Reason::CertificateChain,
    ),
    (
        "not yet valid",
        |p| p.not_before = rcgen::date_time_ymd(2026, 1, 2),
        Reason::CertificateChain,
    ),
];

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

#[test]
fn refuses_another_certificate() {
    let world = World::new();
    let mut wrong = Vec::new();
    for (name, change, reason) in CERTIFICATES {
        let mut params = params();
        change(&mut params);
        let judged = judge(&world.root(), &world.bundle_by(&world.leaf(&params))).map(drop);
        if judged != Err(*reason) {
            wrong.push(format!("{name}: {judged:?}, not {reason:?}"));
        }
    }
    let unknown = World::new().leaf(&params());
    let judged = judge(&world.root(), &world.bundle_by(&unknown)).map(drop);
    assert_eq!(judged, Err(Reason::CertificateChain));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A user name has a domain, and lies in a name of its own kind.
#[test]
fn a_subject_may_be_a_user_name_or_an_address() {
    let world = World::new();
    let names = [
        SanType::OtherName((
            vec![1, 3, 6, 1, 4, 1, 57264, 1, 7],
            rcgen::OtherNameValue::Utf8String("a!issuer.example".to_owned()),
        )),
        SanType::Rfc822Name("a@issuer.example".try_into().unwrap()),
    ];
    for (name, subject) in names
        .into_iter()
        .zip(["a!issuer.example", "a@issuer.example"])
    {
        let mut params = params();
        params.subject_alt_names = vec![name];
        let bundle = world.bundle_by(&world.leaf(&params)).to_string();
        let judge = |subject| {
            let issuer = Some(ISSUER.to_owned());
            judge_as(&world.root(), &bundle, &Trusted { issuer, subject }, now()).map(drop)
        };
        assert_eq!(judge(Subject::Exact(subject.to_owned())), Ok(()));
        let pattern = |text| Subject::Pattern(Pattern::new(text).unwrap());
        assert_eq!(judge(pattern(r"^a[!@]issuer\.example$")), Ok(()));
        assert_eq!(judge(pattern("^issuer$")), Err(Reason::Identity));
    }
}

#[test]
fn an_issuer_is_compared_exactly() {
    let world = World::new();
    let bundle = world.bundle().to_string();
    for issuer in [
        "",
        "https://issuer.example/",
        "https://Issuer.example",
        "https://issuer",
    ] {
        let trusted = Trusted {
            issuer: Some(issuer.to_owned()),
            subject: Subject::Exact(SUBJECT.to_owned()),
        };
        let judged = judge_as(&world.root(), &bundle, &trusted, now()).map(drop);
        assert_eq!(judged, Err(Reason::Issuer), "{issuer}");
    }
}

/// No issuer is not any issuer.
#[test]
fn a_certificate_may_have_to_name_no_issuer() {
    let world = World::new();
    let judge = |bundle: Value| {
        let trusted = Trusted {
            issuer: None,
            subject: Subject::Exact(SUBJECT.to_owned()),
        };
        judge_as(&world.root(), &bundle.to_string(), &trusted, now()).map(drop)
    };
    assert_eq!(judge(world.bundle()), Err(Reason::Issuer));
    let mut params = params();
    params.custom_extensions.clear();
    assert_eq!(judge(world.bundle_by(&world.leaf(&params))), Ok(()));
}

/// An authority that the root contains is not one whose certificate never expires (CVE-2026-24122).
#[test]
fn an_authority_of_the_root_is_valid_when_it_signs() {
    let world = World::new();
    type Change = fn(&mut CertificateParams);
    let cases: [(Change, Result<(), Reason>); 3] = [
        (|_| {}, Ok(())),
        (
            |p| p.not_after = rcgen::date_time_ymd(2026, 1, 1),
            Err(Reason::CertificateChain),
        ),
        (
            |p| p.not_before = rcgen::date_time_ymd(2026, 1, 2),
            Err(Reason::CertificateChain),
        ),
    ];
    for (change, expected) in cases {
        let mut authority = CertificateParams::default();
        change(&mut authority);
        let (authority, root) = world.intermediate(authority);
        let bundle = world.bundle_by(&world::leaf_by(&authority, &params()));
        assert_eq!(judge(&root, &bundle).map(drop), expected);
    }
    let mut root = world.root();
    root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AAAA".into();
    let judged = judge(&root, &world.bundle()).map(drop);
    assert_eq!(judged, Err(Reason::Root));
}
