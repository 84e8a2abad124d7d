//! The text of findings.

mod damage;
mod fact;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::evidence::Timing;
use crate::fact::Claim;
use crate::finding::{Finding, Outcome, Rule, Subject};
use crate::value::{Thing, Value};

/// Maximum length of a detail, in characters. Longer text contains untrusted input, and is truncated.
const DETAIL_LIMIT: usize = 1200;
/// The options with which `cosign sign --key` writes the legacy layout, whose payload names the repository.
const COSIGN_FLAGS: &str = "`--new-bundle-format=false --use-signing-config=false`";

/// The text of a finding, on one line without control characters. For a failure, it says what was expected and
/// what was found.
pub fn detail(finding: &Finding) -> String {
    let (subject, expected) = (finding.subject(), finding.expected());
    let actual = finding.actual();
    let text = match finding.outcome() {
        Outcome::Pass => pass(subject, expected, actual),
        Outcome::Fail | Outcome::Pending => {
            format!("{subject}: expected {expected}, found {actual}")
        }
        Outcome::Note => note(subject, expected, actual),
        Outcome::Unknown => unknown(subject, expected),
        Outcome::Skipped => skipped(finding.rule()).to_owned(),
    };
    content::printable(&text, DETAIL_LIMIT)
}

fn skipped(rule: Rule) -> &'static str {
    match rule {
        Rule::Repository => {
            "a saved image has no repository; its signatures and statements must name that of the policy"
        }
        Rule::Rebuild => "the policy does not require a rebuild",
        Rule::Signatures => "the policy does not require a signature",
        _ => "the policy does not require this statement",
    }
}

fn unknown(subject: &Subject, expected: &Value) -> String {
    match subject {
        Subject::StatementBy { by, carrier } => {
            format!(
                "{expected} is signed by {by} ({carrier}); what it says was not compared with the image"
            )
        }
        Subject::Rebuild => "the image was not rebuilt".to_owned(),
        Subject::Advisories => "packages were not compared with advisories".to_owned(),
        _ => "config and layers were not fetched".to_owned(),
    }
}

fn pass(subject: &Subject, expected: &Value, actual: &Value) -> String {
    match (subject, expected, actual) {
        (Subject::Image, _, inventory) => format!("{inventory} match their digests"),
        (Subject::Repository, _, found) => format!("{found}, as the policy requires"),
        (
            Subject::Signers,
            Value::Quorum {
                threshold,
                principals,
            },
            Value::Principals(signers),
        ) => format!(
            "signed by {} ({} of {principals} principals, {threshold} required)",
            list(signers),
            signers.len()
        ),
        (
            Subject::Attesters(kind),
            Value::Quorum {
                threshold,
                principals,
            },
            Value::Principals(signers),
        ) => format!(
            "{kind} by {}, as the policy requires ({} of {principals} principals, {threshold} required)",
            list(signers),
            signers.len()
        ),
        (Subject::StatementBy { by, carrier }, expected, _) => {
            format!("{expected} by {by} matches image and policy ({carrier})")
        }
        (Subject::Rebuilt { commit, timing }, _, found) => {
            format!("{} has image digest {found}", rebuilt(commit, timing))
        }
        _ => format!("{subject}: {actual}"),
    }
}

fn note(subject: &Subject, expected: &Value, actual: &Value) -> String {
    match (subject, actual) {
        (Subject::PassedOver, what) => format!("ignored: {what}"),
        (Subject::Signature { by, carrier }, Value::Nothing) => format!(
            "not counted, {carrier}: the signature of {by} names no repository: expected {expected}; cosign 3 \
             omits the repository from its bundles unless it is run with {COSIGN_FLAGS}; without_repository = \"count\" in \
             the policy's [signatures] counts it"
        ),
        (Subject::Signature { by, carrier }, found) => format!(
            "not counted, {carrier}: the signature of {by} is for another repository: expected {expected}, \
             found {found}"
        ),
        (Subject::SeenByConfidentialSpace(by), why) => {
            format!("Confidential Space will not count the signature of {by}: {why}")
        }
        (Subject::Piece(carrier), why) => format!("not counted, {carrier}: {why}"),
        (Subject::PredicateType(carrier), found) => {
            format!("not counted, {carrier}: attached as {expected}, but signed as {found}")
        }
        (Subject::StatementBy { by, carrier }, Value::Nothing) => {
            format!("not counted, {carrier}: the policy does not accept attestations by {by}")
        }
        (Subject::StatementBy { carrier, .. }, claims) => {
            format!("not counted, {carrier}: another statement, which does not match: {claims}")
        }
        (Subject::Attestation { by, carrier }, Value::Nothing) => {
            format!("not counted, {carrier}: the policy does not accept {expected} by {by}")
        }
        (Subject::Attestation { by, carrier }, why) => {
            format!("not counted, {carrier}: the statement of {by}: {why}")
        }
        (Subject::Uncompared(what), _) => {
            format!("{what} were not compared, because there is no rebuild")
        }
        (Subject::FurtherDifferences, count) => format!("{count} more differences"),
        (Subject::Crates, found) => found.to_string(),
        _ => format!("{subject}: {actual}"),
    }
}

/// Names a rebuild. An earlier one is named as such: the verifier did not make it.
fn rebuilt(commit: &str, timing: &Timing) -> String {
    match timing {
        Timing::Now => format!("the rebuild of commit {commit}"),
        Timing::Earlier { layout, source } => {
            let layout = layout.display();
            format!("an earlier rebuild of commit {commit} of {source} ({layout})")
        }
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "no principal".to_owned(),
        names => names.join(", "),
    }
}

impl Display for Subject {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule => out.write_str("rule"),
            Self::Image => out.write_str("image"),
            Self::Part(part) => part.fmt(out),
            Self::PassedOver => out.write_str("ignored"),
            Self::Repository => out.write_str("repository"),
            Self::Signers => out.write_str("principals that signed the image"),
            Self::SignatureBy(name) | Self::SeenByConfidentialSpace(name) => {
                write!(out, "signature of {name}")
            }
            Self::Signature { by, carrier } => write!(out, "signature of {by}, {carrier}"),
            Self::Piece(carrier) => write!(out, "signature or statement, {carrier}"),
            Self::Statement => out.write_str("statement about this image"),
            Self::StatementBy { by, carrier } => write!(out, "statement of {by}, {carrier}"),
            Self::Attesters(kind) => write!(
                out,
                "principals whose attestation of type {kind} meets the policy"
            ),
            Self::Attestation { by, carrier } => write!(out, "attestation of {by}, {carrier}"),
            Self::PredicateType(carrier) => write!(out, "signed predicate type, {carrier}"),
            Self::Claim(claim) => claim.fmt(out),
            Self::Uncompared(what) => out.write_str(what),
            Self::Advisories => out.write_str("advisories"),
            Self::Advisory { ids, level, purl } => {
                write!(out, "{} ({level}) about {purl}", ids.join(", "))
            }
            Self::Package(purl) => write!(out, "package {purl}"),
            Self::Rebuild => out.write_str("rebuild"),
            Self::Source => out.write_str("source"),
            Self::PathInCommit { path, commit } => write!(out, "{path} in commit {commit}"),
            Self::RebuildOf(commit) => write!(out, "rebuild of commit {commit}"),
            Self::RebuiltCommit => out.write_str("commit that was rebuilt"),
            Self::RebuiltDirectory => out.write_str("directory that was rebuilt"),
            Self::RebuiltImage => out.write_str("name of the image that was rebuilt"),
            Self::Rebuilt { commit, timing } => {
                write!(out, "image digest of {}", rebuilt(commit, timing))
            }
            Self::Crates => out.write_str("crates of the rebuild"),
            Self::Place(place) => place.fmt(out),
            Self::FurtherDifferences => out.write_str("further differences"),
        }
    }
}

impl Display for Claim {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => out.write_str("statement"),
            Self::Subjects => out.write_str("subjects"),
            Self::SubjectDigest => out.write_str("subject digest"),
            Self::SubjectName => out.write_str("subject name"),
            Self::BuilderId => out.write_str("builder.id"),
            Self::BuildType => out.write_str("buildType"),
            Self::Parameter(name) => write!(out, "externalParameters.{name}"),
            Self::Source => out.write_str("source"),
            Self::Commit => out.write_str("commit"),
            Self::Dependency(name) => write!(out, "resolvedDependencies, {name}"),
            Self::Files => out.write_str("files"),
            Self::Components => out.write_str("components"),
            Self::Component(kind, name) => write!(out, "{kind} {name}"),
            Self::FurtherComponents(kind) => write!(out, "further {kind}s"),
        }
    }
}

impl Display for Value {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str("none"),
            Self::Text(text) => out.write_str(text),
            Self::Digest(digest) => digest.fmt(out),
            Self::Count(count) => count.fmt(out),
            Self::Bytes(size) => write!(out, "{size} bytes"),
            Self::AtMost(limit) => write!(out, "at most {limit}"),
            Self::More => out.write_str("more"),
            Self::A(thing) => thing.fmt(out),
            Self::Json(value) => value.fmt(out),
            Self::Digests(all) => {
                let words: Vec<_> = all.iter().map(digests).collect();
                out.write_str(&words.join(", "))
            }
            Self::LinkTo(target) => write!(out, "link to {target}"),
            Self::Inventory {
                layers,
                entries,
                pieces,
            } => write!(
                out,
                "manifest, config, {layers} layer(s) with {entries} entries and {pieces} signature(s) or statement(s)"
            ),
            Self::Signature { by, image } => {
                write!(
                    out,
                    "one by {by} over {} in {}",
                    image.digest, image.repository
                )
            }
            Self::Quorum {
                threshold,
                principals,
            } => write!(out, "at least {threshold} of {principals}"),
            Self::Principals(names) => write!(out, "{} ({})", names.len(), list(names)),
            Self::Statement { predicate, by } => {
                write!(out, "{} signed by {}", predicate.uri, by.join(" or "))
            }
            Self::Claims(claims) => {
                let words: Vec<_> = claims.iter().map(ToString::to_string).collect();
                out.write_str(&words.join(", "))
            }
            Self::Reason(reason) => reason.fmt(out),
            Self::Objections(objections) => {
                let words: Vec<_> = objections.iter().map(ToString::to_string).collect();
                out.write_str(&words.join("; "))
            }
            Self::Visibility(visibility) => visibility.fmt(out),
            Self::Registry(check) => check.fmt(out),
            Self::CommitIn { commit, source } => write!(out, "commit {commit} in {source}"),
            Self::Pinned(commit) => write!(out, "{commit}, which the policy pins"),
            Self::Refusal(reason) => write!(out, "a refusal by the builder: {reason}"),
        }
    }
}

fn digests(digests: &BTreeMap<String, String>) -> String {
    let pairs = digests.iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    pairs.join(" ")
}

impl Display for Thing {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Manifest => "an OCI image manifest",
            Self::Manifests => "OCI manifests",
            Self::Config => "the config of the manifest",
            Self::Image => "an image",
            Self::Inventory => "what is in the image",
            Self::OwnRebuild => "one by this verifier",
            Self::Directory => "a directory",
            Self::SymbolicLink => "a symbolic link",
            Self::Predicate(predicate) => predicate.uri,
            Self::Finding => "a finding",
        })
    }
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;
    use crate::compare::Place;
    use crate::damage::Part;

    #[test]
    fn a_failure_names_both_sides() {
        let digests = [b"a", b"b"].map(|bytes| Digest::of(bytes));
        let subject = Subject::Part(Part::Manifest);
        let finding = Finding::fail(Rule::Rebuild, subject, digests[0], digests[1]);
        let [expected, found] = digests;
        let words = format!("manifest: expected {expected}, found {found}");
        assert_eq!(detail(&finding), words);
    }

    #[test]
    fn a_name_cannot_steer_a_terminal() {
        let place = Subject::Place(Place::Config("/a\u{1b}[2J\n\u{202e}b".to_owned()));
        let finding = Finding::fail(Rule::Rebuild, place, "1", "2");
        let words = "config /a\\u{1b}[2J\\u{a}\\u{202e}b: expected 1, found 2";
        assert_eq!(detail(&finding), words);
    }

    #[test]
    fn a_detail_is_cut_at_the_limit() {
        let text = "x".repeat(1 << 20);
        let finding = Finding::note(Rule::Rebuild, Subject::PassedOver, Value::Nothing, text);
        assert_eq!(detail(&finding).chars().count(), DETAIL_LIMIT + 1);
    }
}
