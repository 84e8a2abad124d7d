use std::io;

use content::Digest;
use grant::Grant;
use verifier::check::{self, Images, Trust};
use verifier::policy::Policy;
use verifier::rebuild::record::Record;

use crate::check::accepted;

/// The root of the certificates in [`PKI_TOKEN`].
const PKI_ROOT: &[u8] = include_bytes!("pki_root.pem");
/// The only token under this root.
const PKI_TOKEN: &[u8] = include_bytes!("../corpus/pki_token/chain");
/// A time at which it is valid, in Unix seconds.
const PKI_TIME: u64 = 1_798_761_600;

/// A policy has the same digest each time it is read. Its key files do not exist.
pub fn policy(bytes: &[u8]) -> bool {
    let parse = || Policy::parse(bytes, &|_| Err(io::Error::from(io::ErrorKind::NotFound)));
    accepted(parse(), |policy| {
        assert!(!policy.principals().is_empty());
        let again = parse().expect("a policy is valid each time");
        assert_eq!(again.digest(), policy.digest());
    })
}

/// A grant never binds more than one image.
pub fn grant(bytes: &[u8]) -> bool {
    accepted(Grant::parse(bytes), |grant| {
        let digest = Digest::of(bytes);
        let member = grant.member(&digest).to_string();
        assert!(member.ends_with(&format!("/attribute.image_digest/{digest}")));
        assert!(!member.contains(|c: char| c.is_whitespace() || c.is_control()));
    })
}

/// The record of a rebuild is read as it was written.
pub fn rebuild_record(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("rebuild.json"), bytes).expect("a new file");
    accepted(Record::read(folder.path()), |record| {
        record.write(folder.path()).expect("records can be written");
        assert_eq!(Record::read(folder.path()).ok(), Some(record));
    })
}

/// No token is accepted but the one that was signed.
pub fn pki_token(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [file, root] = ["token", "root"].map(|name| folder.path().join(name));
    std::fs::write(&file, bytes).expect("a new file");
    std::fs::write(&root, PKI_ROOT).expect("a new file");
    let request = check::Token {
        file: &file,
        trust: Trust::Root(&root),
        at: PKI_TIME,
        audience: None,
        nonces: &[],
        images: Images::Production,
    };
    let is_accepted = check::token(&request, None).is_ok_and(|judgement| judgement.is_accepted());
    assert!(!is_accepted || bytes.trim_ascii_end() == PKI_TOKEN);
    is_accepted
}
