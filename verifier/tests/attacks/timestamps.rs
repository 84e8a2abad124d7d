//! Timestamps of RFC 3161, which openssl makes.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

use crate::bundles::reason;
use crate::world::{World, judge_as, params, pem, trusted};
use crate::{Case, SKIPPED};

pub const CASES: &[Case] = &[
    ("timestamp_as_it_should_be", || {
        stamped(|own, _| (own.clone(), Vec::new()))
    }),
    ("timestamp_with_the_certificate_of_another_fail", || {
        stamped(|own, stranger| (stranger.clone(), own.der.clone()))
    }),
    ("timestamp_by_a_namesake_fail", || {
        // Issuer and serial number, by which a signed message names its certificate, are those of the other.
        stamped(|_, stranger| (stranger.clone(), Vec::new()))
    }),
];

/// An authority's certificate with its key, and that of the authority above it.
#[derive(Clone)]
struct Authority {
    der: Vec<u8>,
    key: Vec<u8>,
    above: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let mut own = CertificateParams::default();
        (own.not_before, own.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1));
        own.serial_number = Some(SerialNumber::from(7));
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // The only use is timestamps (RFC 3161, section 2.3), as `id-kp-timeStamping`.
        let content = vec![0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8];
        let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
        usage.set_criticality(true);
        own.custom_extensions = vec![usage];
        let key = KeyPair::generate().unwrap();
        let der = own.signed_by(&key, &root).unwrap().der().to_vec();
        Self {
            der,
            key: key.serialize_der(),
            above: root.der().to_vec(),
        }
    }
}

/// A bundle with a timestamp by the authority that `choose` makes of the trusted one and a stranger with the same name
/// and serial number, with another certificate in it if that is not empty.
fn stamped(choose: impl FnOnce(&Authority, &Authority) -> (Authority, Vec<u8>)) -> String {
    let world = World::new();
    let [own, stranger] = [(); 2].map(|()| Authority::new());
    let (signer, beside) = choose(&own, &stranger);
    let mut certificate = params();
    (certificate.not_before, certificate.not_after) =
        (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1));
    let mut bundle = world.bundle_by(&world.leaf(&certificate));
    let signature = bundle["messageSignature"]["signature"].as_str().unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let Some(timestamp) = timestamp(&signer, &beside, &signature) else {
        testkit::skip("attacks on timestamps", "openssl is not installed");
        return SKIPPED.to_owned();
    };
    let material = &mut bundle["verificationMaterial"];
    material["tlogEntries"] = json!([]);
    material["timestampVerificationData"] =
        json!({"rfc3161Timestamps": [{"signedTimestamp": STANDARD.encode(timestamp)}]});
    let later = Utc::now() + TimeDelta::days(1);
    reason(judge_as(
        &root(&world, &own),
        &bundle.to_string(),
        &trusted(),
        later,
    ))
}

/// A root with a timestamp authority and no log.
fn root(world: &World, authority: &Authority) -> Value {
    let mut root = world.root();
    root["tlogs"] = json!([]);
    let chain = [&authority.der, &authority.above];
    let chain = chain.map(|der| json!({ "rawBytes": STANDARD.encode(der) }));
    root["timestampAuthorities"] = json!([{
        "subject": { "organization": "example", "commonName": "tsa" },
        "uri": "https://tsa.example",
        "certChain": { "certificates": chain },
        "validFor": { "start": "2020-01-01T00:00:00Z" },
    }]);
    root
}

const CONFIGURATION: &str = "[a]\nserial = serial\ndigests = sha256\ndefault_policy = 1.2.3.4\n\
                             signer_digest = sha256\ness_cert_id_alg = sha256\n";

/// The response of an authority over `signed`; `None` without openssl.
fn timestamp(authority: &Authority, beside: &[u8], signed: &[u8]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("signed", signed);
    write("serial", b"01\n");
    write("a.cnf", CONFIGURATION.as_bytes());
    write(
        "signer.pem",
        pem_lines("CERTIFICATE", &authority.der).as_bytes(),
    );
    write(
        "signer.key",
        pem_lines("PRIVATE KEY", &authority.key).as_bytes(),
    );
    write("beside.pem", pem_lines("CERTIFICATE", beside).as_bytes());
    openssl(
        folder.path(),
        "ts -query -data signed -sha256 -cert -out query",
    )?;
    let chain = match beside {
        [] => "",
        _ => "-chain beside.pem",
    };
    let reply =
        "ts -reply -config a.cnf -section a -queryfile query -signer signer.pem -inkey signer.key";
    openssl(folder.path(), &format!("{reply} -out reply {chain}"))?;
    Some(std::fs::read(folder.path().join("reply")).unwrap())
}

/// PEM with lines of 64 characters, as openssl wants them.
fn pem_lines(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines: Vec<_> = lines
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    pem(label, der).replace(&text, &lines.join("\n"))
}

fn openssl(folder: &Path, arguments: &str) -> Option<()> {
    let mut command = Command::new("openssl");
    let output = command
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {told}");
    Some(())
}
