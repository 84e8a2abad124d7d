//! The bill of materials against the bytes: every file of the image is listed with its digest, every
//! listed file is in the image, and crates and packages are those of our rebuild.

use std::collections::{BTreeMap, BTreeSet};

use attest::sbom::Item;
use attest::{Sbom, Statement};

use super::statements::{self, Kind, Mismatch};
use crate::contents::{Contents, ListedKind};
use crate::evidence::{Evidence, Rebuild};
use crate::policy::Policy;

/// Mismatches of one kind that are spelled out.
const SHOWN: usize = 8;

/// Judges the statements.
pub(super) const KIND: Kind = Kind {
    predicate: Sbom::PREDICATE,
    examine,
    needs_rebuild: "crates and packages",
};

fn examine(payload: &[u8], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    let statement = match Statement::<Sbom>::parse(payload) {
        Ok(statement) => statement,
        Err(error) => return vec![Mismatch::new("statement", "CycloneDX", error)],
    };
    let sbom = &statement.predicate;
    let mut mismatches = statements::subject(&statement.subject, evidence, policy);
    match image(evidence) {
        Some(contents) => mismatches.extend(files(sbom, contents)),
        None => mismatches.push(Mismatch::new("files", "an image to compare with", "none")),
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

/// Our own bytes where there are any: those are known to come from the source.
fn image(evidence: &Evidence) -> Option<&Contents> {
    match &evidence.rebuild {
        Rebuild::Done(rebuilt) => Some(&rebuilt.contents),
        _ => evidence.attested.contents.as_ref(),
    }
}

fn files(sbom: &Sbom, contents: &Contents) -> Vec<Mismatch> {
    let in_image: BTreeMap<String, String> = contents
        .flatten()
        .into_iter()
        .filter_map(|(path, listed)| match &listed.kind {
            ListedKind::File { digest, .. } => Some((path.to_owned(), digest.to_string())),
            // A second name is a second file to whoever opens it; no bill of ours lists one.
            ListedKind::HardLink { target } => Some((path.to_owned(), format!("link to {target}"))),
            ListedKind::Directory | ListedKind::Symlink { .. } => None,
        })
        .collect();
    let listed: BTreeMap<String, String> = sbom
        .files()
        .map(|(path, digest)| (rootless(path), digest.to_string()))
        .collect();
    differences("file", &in_image, &listed)
}

/// Layers name files without the leading slash. One slash alone is taken off: two are another path, and
/// so is none, which stands for no file of an image and takes the place of none.
fn rootless(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(rootless) => rootless.to_owned(),
        None => format!("./{path}"),
    }
}

fn crates(sbom: &Sbom) -> BTreeMap<String, String> {
    by_purl(sbom.crates())
}

fn packages(sbom: &Sbom) -> BTreeMap<String, String> {
    by_purl(sbom.packages())
}

fn by_purl<'a>(items: impl Iterator<Item = &'a Item>) -> BTreeMap<String, String> {
    items
        .map(|item| (item.purl.clone(), item.digest.to_string()))
        .collect()
}

fn differences(
    kind: &str,
    ours: &BTreeMap<String, String>,
    theirs: &BTreeMap<String, String>,
) -> Vec<Mismatch> {
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let nothing = "nothing".to_owned();
    let mut mismatches: Vec<Mismatch> = names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let expected = ours.get(name).unwrap_or(&nothing);
            let found = theirs.get(name).unwrap_or(&nothing);
            Mismatch::new(format!("{kind} {name}"), expected, found)
        })
        .collect();
    if mismatches.len() > SHOWN {
        let more = mismatches.len() - SHOWN;
        mismatches.truncate(SHOWN);
        mismatches.push(Mismatch::new(format!("{kind}s beyond these"), 0, more));
    }
    mismatches
}
