//! The chain from a trusted key to a package: the key has signed the release file, the release file names the digest
//! of the package list, and the package list names name, version, path, size and digest of each package. Each build
//! checks it offline.

use content::Digest;

use super::error::ChainError;
use super::evidence::Evidence;
use super::listed;
use super::release::Release;
use super::signature;
use super::signers::Signers;
use crate::lock::index::SignedIndex;
use crate::lock::packages::Package;
use crate::lock::signature::Signature;
use crate::spec::Section;

/// Maximum size of an unpacked package list, in bytes; Debian's have 60 MB.
const LIST: u64 = 256 << 20;

/// Checks that the archive has signed each of `packages`.
///
/// # Errors
/// The first break in the chain, or gpgv cannot be run.
pub fn check(
    evidence: &Evidence,
    locked: &SignedIndex,
    packages: &[&Package],
    section: Section<'_>,
    signers: &Signers,
) -> Result<(), ChainError> {
    let trusted = trusted(locked, signers)?;
    let (release, signatures) = open(&evidence.release, &evidence.keyring, signers)?;
    if !trusted.iter().any(|named| signatures.contains(named)) {
        let Signature { key, time } = trusted[0];
        return Err(ChainError::broken(format_args!(
            "checking Image.lock: expected InRelease to be signed by {key} at {time}, found only other signatures"
        )));
    }
    release.check(section.suite, locked.date)?;
    let list = list(&release, section, &evidence.packages)?;
    listed::check(&list, packages).map_err(ChainError::Broken)
}

/// The signatures in a lock by trusted keys; at least one.
///
/// # Errors
/// The lock names no trusted key.
pub fn trusted<'a>(
    locked: &'a SignedIndex,
    signers: &Signers,
) -> Result<Vec<&'a Signature>, ChainError> {
    let named = locked.signatures.iter();
    let trusted: Vec<_> = named.filter(|one| signers.contains(&one.key)).collect();
    match trusted.is_empty() {
        true => Err(ChainError::untrusted(&names(&locked.signatures))),
        false => Ok(trusted),
    }
}

/// The first keys of signatures, for an error message.
fn names(signatures: &[Signature]) -> String {
    let keys = signatures.iter().take(4).map(|one| one.key.to_string());
    let keys: Vec<_> = keys.collect();
    match keys.is_empty() {
        true => "no key".to_owned(),
        false => keys.join(", "),
    }
}

/// The release file, and the signatures on it by trusted keys.
///
/// # Errors
/// No trusted key has signed it, or gpgv cannot be run.
pub(super) fn open(
    release: &[u8],
    keyring: &[u8],
    signers: &Signers,
) -> Result<(Release, Vec<Signature>), ChainError> {
    let signed = signature::verify(release, keyring)?;
    let mut signatures = signed.signatures;
    signatures.retain(|one| signers.contains(&one.key));
    signatures.sort();
    signatures.dedup();
    match signatures.is_empty() {
        true => Err(ChainError::Unsigned { said: signed.said }),
        false => Ok((Release::new(signed.text), signatures)),
    }
}

/// The unpacked package list.
///
/// # Errors
/// The archive has signed another list, or the list is too long.
pub(super) fn list(
    release: &Release,
    section: Section<'_>,
    packed: &[u8],
) -> Result<String, ChainError> {
    let file = list_name(section);
    let expected = release.file(&file)?.sha256;
    let found = Digest::of(packed);
    if found != expected {
        return Err(ChainError::broken(format_args!(
            "checking {file}: expected {expected}, the digest in InRelease, found {found}"
        )));
    }
    let reader = liblzma::read::XzDecoder::new_multi_decoder(packed);
    let bytes = content::read_limited(reader, LIST)
        .map_err(|error| ChainError::broken(format_args!("unpacking package list: {error}")))?;
    // Descriptions may have any encoding; the fields that are read are ASCII.
    let text = String::from_utf8(bytes);
    Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The name of the package list in a release file.
pub(super) fn list_name(section: Section<'_>) -> String {
    let (component, architecture) = (section.component, section.architecture);
    format!("{component}/binary-{architecture}/Packages.xz")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::debian::ArchiveError;
    use crate::lock::signature::Fingerprint;
    use std::path::{Path, PathBuf};

    /// An index of `testdata/archive`, and its lock. Each test breaks one link.
    struct Case {
        evidence: Evidence,
        locked: SignedIndex,
        packages: Vec<Package>,
        section: Section<'static>,
        signers: Signers,
    }

    fn data(name: &str) -> Vec<u8> {
        std::fs::read(folder().join(name)).unwrap()
    }

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/archive")
    }

    fn key(name: &str) -> Fingerprint {
        let text = String::from_utf8(data("signers")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    }

    fn package(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            suite: None,
            source: None,
            version: "1.0-1".to_owned(),
            path: format!("pool/main/{name}_1.0-1_amd64.deb").parse().unwrap(),
            sha256: Digest::of(name.as_bytes()),
            size: 7,
        }
    }

    impl Case {
        fn new() -> Self {
            Self::signed_by("own", "InRelease", "keyring.gpg")
        }

        fn signed_by(signer: &str, release: &str, keyring: &str) -> Self {
            let evidence = Evidence {
                release: data(release),
                packages: data("Packages.xz"),
                keyring: data(keyring),
            };
            let signature = Signature {
                key: key(signer),
                time: "2026-07-06T12:00:00Z".parse().unwrap(),
            };
            let date = "2026-07-07T00:00:00Z".parse().unwrap();
            Self {
                locked: evidence.index(None, vec![signature], date),
                evidence,
                packages: ["one", "two"].map(package).to_vec(),
                section: Section {
                    suite: "test",
                    component: "main",
                    architecture: "amd64",
                },
                signers: Signers::with(&[key(signer)]),
            }
        }

        fn check(&self) -> Result<(), ChainError> {
            check(
                &self.evidence,
                &self.locked,
                &self.packages.iter().collect::<Vec<_>>(),
                self.section,
                &self.signers,
            )
        }

        /// The error of the chain after one change.
        fn broken(change: impl FnOnce(&mut Self)) -> ChainError {
            let mut case = Self::new();
            change(&mut case);
            case.check().unwrap_err()
        }
    }

    /// Replaces a text of the release file by one of the same length.
    fn edit(bytes: &mut Vec<u8>, from: &str, to: &str) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from));
        *bytes = text.replacen(from, to, 1).into_bytes();
    }

    #[test]
    fn one_good_signature_of_a_trusted_key_is_enough() {
        // gpgv exits with status 2, because the keyring does not have the key of the other signature.
        Case::new().check().unwrap();
        // The other signature alone is also enough, and so is one by a key that has expired since.
        Case::signed_by("other", "InRelease", "other.gpg")
            .check()
            .unwrap();
        Case::signed_by("expired", "InRelease.expired", "expired.gpg")
            .check()
            .unwrap();
    }

    #[test]
    fn a_bad_signature_is_refused() {
        let error =
            Case::broken(|case| edit(&mut case.evidence.release, "Origin: Test", "Origin: Tost"));
        assert!(matches!(error, ChainError::Unsigned { .. }), "{error}");
        assert!(error.to_string().contains("BAD signature"), "{error}");
        let error = Case::broken(|case| {
            let one = case.evidence.release.clone();
            case.evidence.release = [&one[..], b"\n", &one].concat();
        });
        let form = "parsing InRelease: expected one signed message and nothing else";
        assert_eq!(error.to_string(), form);
        let error = Case::broken(|case| case.evidence.release.clear());
        assert_eq!(error.to_string(), form);
    }

    #[test]
    fn a_fingerprint_that_is_not_pinned_is_refused() {
        // A lock cannot make its signers trusted.
        let error = Case::broken(|case| case.signers = Signers::with(&[]));
        let expected = format!(
            "checking Image.lock: its package index is signed by {}, which is not trusted",
            key("own")
        );
        assert_eq!(error.to_string(), expected);
        let error = Case::broken(|case| case.locked.signatures.clear());
        assert!(error.to_string().contains("signed by no key"), "{error}");
        // A lock that names Debian's key, with a keyring that does not contain it.
        let error = Case::broken(|case| {
            case.signers = Signers::with(&[]);
            let debian = "4CB50190207B4758A3F73A796ED0E7B82643E131";
            case.locked.signatures[0].key = debian.parse().unwrap();
        });
        assert!(matches!(error, ChainError::Unsigned { .. }), "{error}");
        // A trusted key, but not the one that the lock names.
        let error = Case::broken(|case| {
            case.signers = Signers::with(&[key("own"), key("other")]);
            case.locked.signatures[0].key = key("other");
        });
        let other = |key: &Fingerprint, time: &str| {
            format!(
                "checking Image.lock: expected InRelease to be signed by {key} at {time}, found only other signatures"
            )
        };
        let expected = other(&key("other"), "2026-07-06T12:00:00Z");
        assert_eq!(error.to_string(), expected);
        let error = Case::broken(|case| {
            case.locked.signatures[0].time = "2026-07-06T12:00:01Z".parse().unwrap();
        });
        let expected = other(&key("own"), "2026-07-06T12:00:01Z");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn another_keyring_is_refused() {
        for keyring in ["other.gpg", "revoked.gpg", "Packages.xz"] {
            let error = Case::broken(|case| case.evidence.keyring = data(keyring));
            assert!(
                matches!(error, ChainError::Unsigned { .. }),
                "{keyring}: {error}"
            );
        }
    }

    #[test]
    fn a_release_of_another_suite_or_time_is_refused() {
        let error = Case::broken(|case| case.section.suite = "bookworm");
        assert_eq!(
            error.to_string(),
            "checking InRelease: expected suite bookworm, found test"
        );
        let date =
            |text: &'static str| Case::broken(|case| case.locked.date = text.parse().unwrap());
        let error = date("2026-12-05T12:00:01Z");
        assert_eq!(
            error.to_string(),
            "checking InRelease: it expired at Sat, 05 Dec 2026 12:00:00 UTC, before it was locked at \
             2026-12-05T12:00:01Z"
        );
        let mut last = Case::new();
        last.locked.date = "2026-12-05T12:00:00Z".parse().unwrap();
        last.check().unwrap();
    }

    #[test]
    fn another_package_list_is_refused() {
        let error = Case::broken(|case| case.evidence.packages.push(0));
        let packages = data("Packages.xz");
        assert_eq!(
            error.to_string(),
            format!(
                "checking main/binary-amd64/Packages.xz: expected {}, the digest in InRelease, found {}",
                Digest::of(&packages),
                Digest::of(&[&packages[..], b"\0"].concat())
            )
        );
        let error = Case::broken(|case| case.section.component = "contrib");
        assert_eq!(
            error.to_string(),
            "reading InRelease: it does not name contrib/binary-amd64/Packages.xz"
        );
    }

    #[test]
    fn other_packages_are_refused() {
        let error = Case::broken(|case| case.packages.push(package("three")));
        assert_eq!(
            error.to_string(),
            "checking package three: it is not in the signed package index"
        );
        let error = Case::broken(|case| case.packages[1].sha256 = Digest::of(b"smuggled"));
        let expected = "checking package two: expected SHA-256 ";
        assert!(error.to_string().starts_with(expected), "{error}");
        let error = Case::broken(|case| case.packages[0].source = "three".parse().ok());
        let expected = "checking package one: expected source one, as the signed package index \
                        says, found three in Image.lock";
        assert_eq!(error.to_string(), expected);
        let error = Case::broken(|case| case.packages[0].version = "1.0-2".to_owned());
        let expected = "checking package one: expected version 1.0-1, as the signed package index \
                        says, found 1.0-2 in Image.lock";
        assert_eq!(error.to_string(), expected);
        assert!(error.is_about_lock());
        assert_eq!(
            error.hint(),
            Some("run `builder lock` again: it writes what the archive has signed")
        );
    }

    #[test]
    fn the_current_index_is_verified_by_the_same_chain() {
        let Case { evidence, .. } = Case::new();
        let refused = open(&evidence.release, &evidence.keyring, &Signers::with(&[]));
        let refused = ArchiveError::from(refused.unwrap_err());
        assert!(matches!(
            refused,
            ArchiveError::Served(ChainError::Unsigned { .. })
        ));
    }
}
