//! The bill of materials agrees with the image: every file is listed with its digest, every listed file is in the image,
//! and crates and packages are those of the verifier's rebuild.

use std::collections::{BTreeMap, BTreeSet};

use attest::sbom::Item;
use attest::{Sbom, Statement};

use super::statements::{self, Kind, Mismatch};
use crate::contents::{Contents, ListedKind};
use crate::evidence::{Evidence, Rebuild};
use crate::fact::Claim;
use crate::policy::Policy;
use crate::value::{Thing, Value};

/// Mismatches of one kind that are listed. The rest are counted.
const SHOWN: usize = 8;

/// The rule for bills of materials.
pub(super) const KIND: Kind = Kind {
    predicate: Sbom::PREDICATE,
    examine,
    needs_rebuild: "crates and packages",
};

fn examine(payload: &[u8], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    let statement = match Statement::<Sbom>::parse(payload) {
        Ok(statement) => statement,
        Err(error) => return vec![Mismatch::unread(KIND.predicate, &error)],
    };
    let sbom = &statement.predicate;
    let mut mismatches = statements::subject(&statement.subject, evidence, policy);
    match image(evidence) {
        Some(contents) => mismatches.extend(files(sbom, contents)),
        None => mismatches.push(Mismatch::new(Claim::Files, Thing::Image, Value::Nothing)),
    }
    if let Rebuild::Done(rebuilt) = &evidence.rebuild {
        mismatches.extend(differences("crate", &crates(&rebuilt.sbom), &crates(sbom)));
        mismatches.extend(differences(
            "package",
            &packages(&rebuilt.sbom),
            &packages(sbom),
        ));
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

fn files(sbom: &Sbom, contents: &Contents) -> Vec<Mismatch> {
    let in_image: BTreeMap<String, Value> = contents
        .flatten()
        .into_iter()
        .filter_map(|(path, listed)| match &listed.kind {
            ListedKind::File { digest, .. } => Some((path.to_owned(), Value::Digest(*digest))),
            // Always a mismatch: `builder build` creates no hard link, and an SBOM cannot describe one.
            ListedKind::HardLink { target } => {
                Some((path.to_owned(), Value::LinkTo(target.clone())))
            }
            ListedKind::Directory | ListedKind::Symlink { .. } => None,
        })
        .collect();
    let listed: BTreeMap<String, Value> = sbom
        .files()
        .map(|(path, digest)| (rootless(path), Value::Digest(digest)))
        .collect();
    differences("file", &in_image, &listed)
}

/// Removes one leading slash: layers name files without it. A path with two slashes, or without any, is not the path of a
/// file in an image, and must not match one.
fn rootless(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(rootless) => rootless.to_owned(),
        None => format!("./{path}"),
    }
}

fn crates(sbom: &Sbom) -> BTreeMap<String, Value> {
    by_purl(sbom.crates())
}

fn packages(sbom: &Sbom) -> BTreeMap<String, Value> {
    by_purl(sbom.packages())
}

fn by_purl<'a>(items: impl Iterator<Item = &'a Item>) -> BTreeMap<String, Value> {
    items
        .map(|item| (item.purl.clone(), Value::Digest(item.digest)))
        .collect()
}

fn differences(
    kind: &'static str,
    ours: &BTreeMap<String, Value>,
    theirs: &BTreeMap<String, Value>,
) -> Vec<Mismatch> {
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut mismatches: Vec<Mismatch> = names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let side = |items: &BTreeMap<String, Value>| items.get(name).cloned();
            let [expected, found] =
                [ours, theirs].map(|items| side(items).unwrap_or(Value::Nothing));
            Mismatch::new(Claim::Component(kind, name.clone()), expected, found)
        })
        .collect();
    if mismatches.len() > SHOWN {
        let more = mismatches.len() - SHOWN;
        mismatches.truncate(SHOWN);
        let (none, more) = (Value::Count(0), Value::Count(more));
        mismatches.push(Mismatch::new(Claim::FurtherComponents(kind), none, more));
    }
    mismatches
}
