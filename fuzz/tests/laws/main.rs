//! Property tests: laws that hold for every value. Values are made from random bytes, which are printed if a law fails.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod images;
mod locks;

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use attest::Sbom;
use attest::sbom::{DebianPackage, crate_purl, package_purl};
use builder::inputs::debian::{Index, Suites};
use builder::lock::Lock;
use builder::lock::crates::Crate;
use builder::lock::packages::Package;
use builder::lock::time::Time;
use confidential::event_log::{self, Event, Register, RestartPolicy, Variable};
use content::{Digest, json};
use oci::layer::{Content, Entry, EntryPath, Executable, Kind, MemberKind};
use oci::{ImageRef, Reference};
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use signature::envelope::pae;
use verifier::policy::Policy;

/// Checks a law with values from several hundred random strings of bytes; one that breaks it is made shorter.
#[track_caller]
fn law(check: impl Fn(&mut Unstructured<'_>) -> Result<()>) {
    let config = Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let bytes = proptest::collection::vec(any::<u8>(), 0..2000);
    let checked = TestRunner::new(config).run(&bytes, |bytes| {
        // Too few bytes for a value check nothing.
        let _ = check(&mut Unstructured::new(&bytes));
        Ok(())
    });
    checked.unwrap();
}

fn digest(u: &mut Unstructured<'_>) -> Result<Digest> {
    Ok(Digest::from_bytes(u.arbitrary()?))
}

/// 1 to `most` characters of `alphabet`.
fn word(u: &mut Unstructured<'_>, alphabet: &[u8], most: usize) -> Result<String> {
    let length = u.int_in_range(1..=most)?;
    let letters = (0..length).map(|_| u.choose(alphabet).map(|&byte| char::from(byte)));
    letters.collect()
}

fn several<T>(
    u: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = u.int_in_range(0..=most)?;
    (0..count).map(|_| one(u)).collect()
}

/// The same items in another order.
fn shuffled<T>(u: &mut Unstructured<'_>, mut items: Vec<T>) -> Result<Vec<T>> {
    for last in (1..items.len()).rev() {
        items.swap(last, u.int_in_range(0..=last)?);
    }
    Ok(items)
}

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const NAME: &[u8] = b"abcxyz0189";

#[test]
fn a_digest_is_read_as_it_was_printed() {
    law(|u| {
        let digest = digest(u)?;
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(Digest::from_hex(&digest.hex()), Ok(digest));
        Ok(())
    });
}

/// A value without fractions, whose names do not differ only in case.
fn value(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let kinds = if depth == 0 { 4 } else { 6 };
    Ok(match u.int_in_range(0..=kinds - 1)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => match u.arbitrary()? {
            true => u.arbitrary::<i64>()?.into(),
            false => u.arbitrary::<u64>()?.into(),
        },
        3 => u.arbitrary::<&str>()?.into(),
        4 => several(u, 4, |u| value(u, depth - 1))?.into(),
        _ => {
            let member = |u: &mut Unstructured<'_>| Ok((word(u, LOWER, 3)?, value(u, depth - 1)?));
            Value::Object(several(u, 4, member)?.into_iter().collect())
        }
    })
}

/// The value as text, with white space, and with its members in another order.
fn written(u: &mut Unstructured<'_>, value: &Value) -> Result<String> {
    Ok(match value {
        Value::Array(items) => {
            let items: Result<Vec<_>> = items.iter().map(|item| written(u, item)).collect();
            format!("[ {} ]", items?.join(" ,\n"))
        }
        Value::Object(members) => {
            let members = shuffled(u, members.iter().collect())?;
            let members = members.into_iter().map(|(name, item)| {
                let name = Value::from(name.as_str());
                Ok(format!("{name}\t: {}", written(u, item)?))
            });
            format!("{{ {} }}", members.collect::<Result<Vec<_>>>()?.join(" , "))
        }
        scalar => scalar.to_string(),
    })
}

#[test]
fn equal_json_has_one_canonical_form() {
    law(|u| {
        let value = value(u, 4)?;
        let canonical = json::canonical(&value).unwrap();
        let text = written(u, &value)?;
        let parsed: Value = json::parse(text.as_bytes(), u64::MAX).unwrap();
        assert_eq!(parsed, value);
        assert_eq!(json::canonical(&parsed).unwrap(), canonical);
        let parsed: Value = json::parse(&canonical, u64::MAX).unwrap();
        assert_eq!(parsed, value);
        Ok(())
    });
}

#[test]
fn json_with_a_name_twice_is_refused() {
    law(|u| {
        let (name, one, other) = (word(u, LOWER, 3)?, value(u, 1)?, value(u, 1)?);
        let text = format!("[{{\"{name}\":{one},\"z-\":0,\"{name}\":{other}}}]");
        let error = json::parse::<Value>(text.as_bytes(), u64::MAX).unwrap_err();
        let expected = format!("key {name:?} appears twice in one object");
        assert!(error.to_string().contains(&expected), "{error}");
        Ok(())
    });
}

/// An entry as a reader sees it: path, and the content of a file or the target of a link.
type Seen = (EntryPath, Option<Vec<u8>>, Option<String>);

/// DSSE, protocol.md: `PAE(type, body)`. Two different pairs have different encodings.
#[test]
fn what_is_signed_names_type_and_body() {
    law(|u| {
        let (kind, body): (&str, &[u8]) = (u.arbitrary()?, u.arbitrary()?);
        let encoded = pae(kind, body);
        let (lengths, rest) = (
            format!("DSSEv1 {} {kind} {} ", kind.len(), body.len()),
            body,
        );
        assert_eq!(encoded, [lengths.as_bytes(), rest].concat());
        let joined: Vec<u8> = [kind.as_bytes(), body].concat();
        let at = u.int_in_range(0..=joined.len())?;
        if let Ok(other) = std::str::from_utf8(&joined[..at]) {
            assert_eq!(pae(other, &joined[at..]) == encoded, at == kind.len());
        }
        Ok(())
    });
}

/// A Debian package that was built from a source of the same name and version.
fn debian<'a>(name: &'a str, version: &'a str) -> DebianPackage<'a> {
    DebianPackage {
        name,
        version,
        architecture: "amd64",
        distribution: Some("debian-12"),
        source: Some(name),
    }
}

#[test]
fn package_urls_differ_where_packages_do() {
    law(|u| {
        let part = |u: &mut Unstructured<'_>| word(u, b"a0@/?#%&=+.-_~: ", 4);
        let one = (part(u)?, part(u)?);
        let other = (part(u)?, part(u)?);
        let urls = [&one, &other].map(|(name, version)| crate_purl(name, version));
        assert_eq!(urls[0] == urls[1], one == other);
        let deb = [&one, &other].map(|(name, version)| package_purl(&debian(name, version)));
        assert_eq!(deb[0] == deb[1], one == other);
        for url in urls.iter().chain(&deb) {
            assert!(!url.contains(['#', ' ', '+']), "{url}");
            assert_eq!(url.matches('@').count(), 1, "{url}");
        }
        Ok(())
    });
}

#[test]
fn a_bill_of_materials_is_read_as_it_was_written() {
    law(|u| {
        let mut sbom = Sbom::new();
        for path in several(u, 4, |u| word(u, LOWER, 6))? {
            sbom.add_file(&format!("/{path}"), digest(u)?);
        }
        for name in several(u, 4, |u| word(u, NAME, 6))? {
            let version = format!("{}.0.0+b", u.arbitrary::<u8>()?);
            sbom.add_crate(&name, &version, digest(u)?);
            sbom.add_package(&debian(&name, &version), digest(u)?);
        }
        let again = Sbom::parse(&sbom.to_bytes().unwrap()).unwrap();
        assert!(again.files().eq(sbom.files()));
        assert!(again.crates().eq(sbom.crates()));
        assert!(again.packages().eq(sbom.packages()));
        Ok(())
    });
}

fn event(u: &mut Unstructured<'_>) -> Result<Event> {
    let text = |u: &mut Unstructured<'_>| Ok(u.arbitrary::<&str>()?.to_owned());
    Ok(match u.int_in_range(0..=8)? {
        0 => Event::ImageRef(text(u)?),
        1 => Event::ImageDigest(digest(u)?),
        2 => Event::RestartPolicy(*u.choose(&[RestartPolicy::Never, RestartPolicy::OnFailure])?),
        3 => Event::ImageId(digest(u)?),
        4 => Event::Arg(text(u)?),
        5 => Event::EnvVar(Variable::new(&word(u, LOWER, 4)?, &text(u)?).unwrap()),
        6 => Event::LaunchSeparator,
        7 => Event::GpuCcMode(text(u)?),
        _ => Event::GpuDeviceAttestationBinding(u.arbitrary()?),
    })
}

#[test]
fn an_event_log_is_read_as_it_was_written() {
    law(|u| {
        let events = several(u, 8, event)?;
        for (register, other) in [
            (Register::Pcr, Register::Rtmr),
            (Register::Rtmr, Register::Pcr),
        ] {
            let log = event_log::encode(&events, register);
            assert_eq!(event_log::decode(&log, register).unwrap(), events);
            let by_other = event_log::decode(&log, other);
            assert_eq!(by_other.is_ok(), events.is_empty(), "{by_other:?}");
        }
        Ok(())
    });
}

/// A threshold is at least 1 and at most the number of principals.
#[test]
fn a_threshold_is_within_reach_and_not_zero() {
    let policy = include_str!("../../corpus/policy/policy");
    law(|u| {
        let threshold = u.int_in_range(0..=4)?;
        let text = policy.replace("threshold = 1", &format!("threshold = {threshold}"));
        let parsed = Policy::parse(text.as_bytes(), &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        });
        match (threshold, parsed) {
            (1, parsed) => drop(parsed.unwrap()),
            (_, parsed) => {
                let error = parsed.err().unwrap().to_string();
                let expected = "parsing policy: signatures.threshold: expected 1 to 1";
                assert!(error.starts_with(expected), "{error}");
            }
        }
        Ok(())
    });
}
