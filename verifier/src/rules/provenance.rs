//! The image was built as the policy requires: by this builder, with this build type, from this source. Its inputs are
//! those of the verifier's rebuild.

use std::collections::{BTreeMap, BTreeSet};

use attest::provenance::{IMAGE, Provenance, ResourceDescriptor};
use attest::{ImageName, Statement};
use serde_json::Value as Json;

use super::statements::{self, Kind, Mismatch};
use crate::evidence::{Evidence, Rebuild, Rebuilt};
use crate::fact::Claim;
use crate::policy::Policy;
use crate::value::Value;

/// The rule for provenance.
pub(super) const KIND: Kind = Kind {
    predicate: Provenance::PREDICATE,
    types: &[Provenance::PREDICATE.uri],
    examine,
    needs_rebuild: "resolved dependencies",
};

/// The algorithm of a digest that is a git commit (in-toto, `digest_set`).
const COMMIT: &str = "gitCommit";

/// The source: the first dependency that is a git commit. Those after it are repositories that the build takes crates from
/// (`docs/build-type-v1.md`, "Resolved dependencies").
fn source_of(provenance: &Provenance) -> Option<&ResourceDescriptor> {
    let mut dependencies = provenance.build_definition.resolved_dependencies.iter();
    dependencies.find(|dependency| dependency.digest.contains_key(COMMIT))
}

/// The commit of the source.
pub fn commit_of(provenance: &Provenance) -> Option<&str> {
    let commit = source_of(provenance)?.digest.get(COMMIT)?;
    Some(commit)
}

/// The name of the image, among those that its source describes, if it is one that can be built.
pub fn image_of(provenance: &Provenance) -> Option<ImageName> {
    let parameters = &provenance.build_definition.external_parameters;
    parameters.get(IMAGE)?.as_str()?.parse().ok()
}

fn examine(payload: &[u8], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    let statement = match Statement::<Provenance>::parse(payload) {
        Ok(statement) => statement,
        Err(error) => return vec![Mismatch::unread(KIND.predicate, &error)],
    };
    let provenance = &statement.predicate;
    let mut mismatches = statements::subject(&statement.subject, evidence, policy);
    mismatches.extend(builder(provenance, policy));
    mismatches.extend(parameters(provenance, policy));
    mismatches.extend(source(provenance, policy));
    mismatches.extend(commit(provenance, policy));
    if let Rebuild::Done(rebuilt) = &evidence.rebuild {
        mismatches.extend(inputs(provenance, rebuilt));
    }
    mismatches
}

fn builder(provenance: &Provenance, policy: &Policy) -> Vec<Mismatch> {
    let id = &provenance.run_details.builder.id;
    let build_type = &provenance.build_definition.build_type;
    let expected = [
        (Claim::BuilderId, &policy.builder_id, id),
        (Claim::BuildType, &policy.build_type, build_type),
    ];
    let differs = expected
        .into_iter()
        .filter(|(_, expected, found)| expected != found);
    differs
        .map(|(claim, expected, found)| Mismatch::new(claim, &**expected, &**found))
        .collect()
}

/// Compares the external parameters, which the user of the builder chooses. A parameter that the policy does not name
/// could have any effect, and is a mismatch.
fn parameters(provenance: &Provenance, policy: &Policy) -> Vec<Mismatch> {
    let mut expected = policy.parameters.clone();
    expected.insert("source".to_owned(), Json::from(policy.source_uri.as_str()));
    expected.insert(
        "directory".to_owned(),
        Json::from(policy.directory.as_str()),
    );
    let found = &provenance.build_definition.external_parameters;
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            let claim = Claim::Parameter(name.clone());
            Mismatch::new(claim, expected.get(name), found.get(name))
        })
        .collect()
}

/// Checks that the source is the one in the policy.
fn source(provenance: &Provenance, policy: &Policy) -> Option<Mismatch> {
    let found = source_of(provenance).map(|source| source.uri.as_deref().unwrap_or("no uri"));
    let differs = found != Some(&*policy.source_uri);
    differs.then(|| Mismatch::new(Claim::Source, &*policy.source_uri, found))
}

/// Compares the commit with the one that the policy pins, if any.
fn commit(provenance: &Provenance, policy: &Policy) -> Option<Mismatch> {
    let pinned = policy.commit.as_ref()?.as_str();
    match commit_of(provenance) {
        Some(commit) if commit == pinned => None,
        other => Some(Mismatch::new(Claim::Commit, pinned, other)),
    }
}

/// Compares each dependency with those of the rebuild. The source may have another URI in the rebuild, so only its
/// digests are compared.
fn inputs(provenance: &Provenance, rebuilt: &Rebuilt) -> Vec<Mismatch> {
    let theirs = by_name(provenance);
    let ours = by_name(&rebuilt.provenance);
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let claim = Claim::Dependency(name.clone());
            Mismatch::new(claim, digests(ours.get(name)), digests(theirs.get(name)))
        })
        .collect()
}

type Digests<'a> = Vec<&'a BTreeMap<String, String>>;

fn by_name(provenance: &Provenance) -> BTreeMap<String, Digests<'_>> {
    let source = source_of(provenance);
    let mut named: BTreeMap<String, Digests<'_>> = BTreeMap::new();
    for dependency in &provenance.build_definition.resolved_dependencies {
        let is_source = source.is_some_and(|source| std::ptr::eq(source, dependency));
        let name = match is_source {
            true => "source".to_owned(),
            false => name(dependency),
        };
        named.entry(name).or_default().push(&dependency.digest);
    }
    named
}

fn name(dependency: &ResourceDescriptor) -> String {
    let name = dependency.uri.as_ref().or(dependency.name.as_ref());
    name.cloned()
        .unwrap_or_else(|| "(without a name)".to_owned())
}

fn digests(digests: Option<&Digests<'_>>) -> Value {
    let all = |digests: &Digests<'_>| digests.iter().map(|one| (*one).clone()).collect();
    digests.map_or(Value::Nothing, |digests| Value::Digests(all(digests)))
}
