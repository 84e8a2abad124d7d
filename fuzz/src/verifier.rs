use std::io;

use content::Digest;
use verifier::grant::Grant;
use verifier::policy::Policy;
use verifier::rebuild::record::Record;

use crate::check::accepted;

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
