//! The bill of materials agrees with the image: every file is listed with its digest, every listed file is in the image,
//! and crates and packages are those of the verifier's rebuild.

use std::collections::{BTreeMap, BTreeSet};

use ::sbom::{Component, Document};
use attest::sbom::{self, Item};
use attest::{Sbom, Statement};
use content::Digest;

use super::statements::{self, Kind, Mismatch};
use crate::contents::Contents;
use crate::evidence::{Evidence, Rebuild};
use crate::fact::Claim;
use crate::inventory::{BUILT, Fault, Held, Inventory, View};
use crate::policy::Policy;
use crate::value::{Thing, Value};

/// Mismatches of one kind that are listed. The rest are counted.
const SHOWN: usize = 8;

/// The rule for bills of materials, in CycloneDX or SPDX.
pub(super) const KIND: Kind = Kind {
    predicate: Sbom::PREDICATE,
    types: &sbom::TYPES,
    examine,
    needs_rebuild: "crates and packages",
};

fn examine(payload: &[u8], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    let parsed = Statement::parse(payload)
        .and_then(|statement| Ok((sbom::document(&statement)?, statement.subject)));
    let (document, subject) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return vec![Mismatch::unread(KIND.predicate, &error)],
    };
    let mut mismatches = statements::subject(&subject, evidence, policy);
    match image(evidence) {
        Some(contents) => {
            let mut inventory = Inventory::of(contents, View::Layers);
            if let Rebuild::Done(rebuilt) = &evidence.rebuild {
                inventory = inventory.with_delivered(rebuilt.sbom.delivered().map(str::to_owned));
            }
            let report = inventory.check(&document, None);
            mismatches.extend(faults(report.faults));
            if matches!(evidence.rebuild, Rebuild::Done(_)) {
                mismatches.extend(unbuilt(report.unbuilt));
            }
        }
        None => mismatches.push(Mismatch::new(Claim::Files, Thing::Image, Value::Nothing)),
    }
    if let Rebuild::Done(rebuilt) = &evidence.rebuild {
        for (kind, prefix) in ["crate", "package", "module", "Python package", "base image"]
            .into_iter()
            .zip(BUILT)
        {
            let base = rebuilt.sbom.base();
            let base = base.filter(|base| base.purl.starts_with(prefix));
            let built = by_purl(rebuilt.sbom.of_type(prefix).chain(base));
            mismatches.extend(differences(kind, built, listed(&document, prefix)));
        }
    }
    mismatches
}

/// The rebuilt image if there is one: it is known to come from the source.
fn image(evidence: &Evidence) -> Option<&Contents> {
    match &evidence.rebuild {
        Rebuild::Done(rebuilt) => Some(&rebuilt.contents),
        _ => evidence.attested.contents.as_ref(),
    }
}

/// Disagreements about files, each with both sides, before all others, in words.
fn faults(faults: Vec<Fault>) -> Vec<Mismatch> {
    let (mut files, mut others) = (BTreeMap::new(), Vec::new());
    for fault in faults {
        match sides(&fault) {
            Some((path, sides)) => drop(files.insert(path, sides)),
            None => others.push(Mismatch::new(
                Claim::Components,
                Thing::Inventory,
                fault.to_string(),
            )),
        }
    }
    let mut mismatches = limited("file", mismatches("file", files));
    mismatches.extend(limited("component", others));
    mismatches
}

/// Components of which nothing is known: they are not in a rebuild of this source.
fn unbuilt(names: Vec<String>) -> Vec<Mismatch> {
    let mismatches = names.into_iter().map(|name| {
        let found = Value::Text("a component without files".to_owned());
        Mismatch::new(Claim::Component("component", name), Value::Nothing, found)
    });
    limited("component", mismatches.collect())
}

/// The path of a fault about one file, and what the image and the bill of materials have there.
fn sides(fault: &Fault) -> Option<(String, [Value; 2])> {
    let digest = |hex: &String| match Digest::from_hex(&hex.to_ascii_lowercase()) {
        Ok(digest) => Value::Digest(digest),
        Err(_) => Value::Text(hex.clone()),
    };
    let (path, held, listed) = match fault {
        Fault::Unlisted { path, held } => (path, Some(held), None),
        Fault::Absent { path, listed } => (
            path,
            None,
            Some(
                listed
                    .as_ref()
                    .map_or(Value::Text("a file".to_owned()), digest),
            ),
        ),
        Fault::Other { path, listed, held } => (path, Some(held), Some(digest(listed))),
        _ => return None,
    };
    let held = held.map_or(Value::Nothing, |held| match held {
        Held::File(digest) => Value::Digest(*digest),
        Held::HardLink(target) => Value::LinkTo(target.clone()),
    });
    Some((path.clone(), [held, listed.unwrap_or(Value::Nothing)]))
}

fn by_purl<'a>(items: impl Iterator<Item = &'a Item>) -> BTreeMap<String, Value> {
    items
        .map(|item| (item.purl.clone(), value(item.digest)))
        .collect()
}

/// The digests of the components whose package URL begins with `prefix`. One that is there twice, differs from any of a rebuild, and so
/// does one without a digest from one that has any.
fn listed(document: &Document, prefix: &str) -> BTreeMap<String, Value> {
    let mut listed: BTreeMap<String, Value> = BTreeMap::new();
    for component in &document.components {
        let purls = component.purls.iter();
        for purl in purls.filter(|purl| purl.starts_with(prefix)) {
            let value = match listed.contains_key(purl) {
                true => Value::Text("several components".to_owned()),
                false => digest(component),
            };
            listed.insert(purl.clone(), value);
        }
    }
    listed
}

fn digest(component: &Component) -> Value {
    let digest = component
        .digest("SHA-256")
        .and_then(|hex| Digest::from_hex(hex).ok());
    value(digest)
}

fn value(digest: Option<Digest>) -> Value {
    digest.map_or(Value::Text("no SHA-256".to_owned()), Value::Digest)
}

fn differences(
    kind: &'static str,
    ours: BTreeMap<String, Value>,
    theirs: BTreeMap<String, Value>,
) -> Vec<Mismatch> {
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let sides = names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let side = |items: &BTreeMap<String, Value>| items.get(name).cloned();
            let sides = [&ours, &theirs].map(|items| side(items).unwrap_or(Value::Nothing));
            (name.clone(), sides)
        });
    limited(kind, mismatches(kind, sides.collect()))
}

fn mismatches(kind: &'static str, differing: BTreeMap<String, [Value; 2]>) -> Vec<Mismatch> {
    let differing = differing.into_iter();
    differing
        .map(|(name, [expected, found])| {
            Mismatch::new(Claim::Component(kind, name), expected, found)
        })
        .collect()
}

fn limited(kind: &'static str, mut mismatches: Vec<Mismatch>) -> Vec<Mismatch> {
    if mismatches.len() > SHOWN {
        let more = mismatches.len() - SHOWN;
        mismatches.truncate(SHOWN);
        let (none, more) = (Value::Count(0), Value::Count(more));
        mismatches.push(Mismatch::new(Claim::FurtherComponents(kind), none, more));
    }
    mismatches
}
