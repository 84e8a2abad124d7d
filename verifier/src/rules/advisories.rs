//! No advisory that the policy refuses is about a package of the image, unless someone whom the policy names has answered it.

use advisories::{Found, vex};
use attest::Statement;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::attestation::{SKEW, authenticated};
use super::statements;
use crate::advisories::scan::{Concern, Known, Scan};
use crate::evidence::{Evidence, SignedStatement};
use crate::fact::Objection;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Advisories, Policy};
use crate::value::Value;
use trust::Verified;

const RULE: Rule = Rule::Advisories;
/// Findings of one kind that are listed. The rest are counted.
const SHOWN: usize = 100;

/// Checks the packages of the image, as of `now`. Without a comparison there is no finding, which is a refusal.
pub(super) fn check(evidence: &Evidence, policy: &Policy, now: DateTime<Utc>) -> Vec<Finding> {
    let (Some(wanted), Some(scan)) = (&policy.advisories, &evidence.advisories) else {
        return Vec::new();
    };
    let (answers, mut findings) = answers(evidence, policy, wanted, now);
    let judge = Judge {
        wanted,
        scan,
        answers,
        image: evidence.attested.image.digest,
        now,
    };
    findings.extend(judge.findings());
    findings
}

/// A document that answers advisories, and whose it is.
struct Answers<'a> {
    by: String,
    document: std::borrow::Cow<'a, vex::Document>,
}

struct Judge<'a> {
    wanted: &'a Advisories,
    scan: &'a Scan,
    answers: Vec<Answers<'a>>,
    image: content::Digest,
    now: DateTime<Utc>,
}

impl Judge<'_> {
    fn findings(&self) -> Vec<Finding> {
        let mut fails = Vec::new();
        fails.extend(self.unknown());
        fails.extend(self.missing());
        fails.extend(self.old());
        fails.extend(self.unsourced());
        fails.extend(self.scan.without_release.iter().map(|purl| {
            let expected =
                "a release of Debian, as `distro` in the package URL or as advisories.debian";
            Finding::fail(
                RULE,
                Subject::Package(purl.clone()),
                expected,
                Value::Nothing,
            )
        }));
        let mut notes = Vec::new();
        for concern in &self.scan.concerns {
            match self.excuse(concern) {
                Some(why) => notes.push(Finding::note(RULE, subject(concern), Value::Nothing, why)),
                None => fails.push(refused(concern)),
            }
        }
        let is_good = fails.is_empty();
        let mut findings = limited(fails, Finding::fail);
        findings.extend(limited(notes, Finding::note));
        if is_good {
            findings.push(self.pass());
        }
        if self.scan.others > 0 {
            let count = self.scan.others;
            let text = format!(
                "{count} components are not compared: they have no package URL with a version of crates.io, Debian, Go or PyPI"
            );
            findings.push(Finding::note(
                RULE,
                Subject::Advisories,
                Value::Nothing,
                text,
            ));
        }
        findings
    }

    fn pass(&self) -> Finding {
        let known = self.scan.known.iter().map(|(ecosystem, known)| {
            format!("; {} of {ecosystem}, {}", known.advisories, newest(known))
        });
        let compared = self.scan.compared;
        let text = format!(
            "{compared} packages were compared with advisories{}",
            known.collect::<String>()
        );
        Finding::pass(RULE, Subject::Advisories, Value::Nothing, text)
    }

    fn unknown(&self) -> Option<Finding> {
        let expected = "a bill of materials or a rebuild, which list packages";
        let none = || Finding::fail(RULE, Subject::Advisories, expected, Value::Nothing);
        (!self.scan.are_known).then(none)
    }

    /// Lists that do not say which source packages those of Debian were built from.
    fn unsourced(&self) -> Option<Finding> {
        let first = self.scan.without_source.first()?;
        let count = self.scan.without_source.len();
        let expected = "the source packages of packages of Debian, as `upstream` in package URLs, which `builder build` writes \
                        after `builder lock` was run again";
        let found = format!("{count} package URLs without, such as {first}");
        Some(Finding::fail(RULE, Subject::Advisories, expected, found))
    }

    /// Ecosystems of packages of which the database has nothing: another one was unpacked, or none.
    fn missing(&self) -> impl Iterator<Item = Finding> {
        self.scan.missing().map(|ecosystem| {
            let expected = format!("advisories of {ecosystem} in the database");
            Finding::fail(RULE, Subject::Advisories, expected, Value::Nothing)
        })
    }

    /// Ecosystems of packages whose newest advisory is too old.
    fn old(&self) -> Vec<Finding> {
        let Some(limit) = &self.wanted.max_age else {
            return Vec::new();
        };
        let is_old = |known: &Known| match known.newest {
            Some(newest) => self.now - newest > limit.limit,
            None => known.advisories > 0,
        };
        let old = self.scan.known.iter().filter(|(_, known)| is_old(known));
        let old = old.map(|(ecosystem, known)| {
            let expected = format!("one of {ecosystem} modified in the last {}", limit.text);
            Finding::fail(RULE, Subject::Advisories, expected, newest(known))
        });
        old.collect()
    }

    /// Why an advisory is not refused.
    fn excuse(&self, concern: &Concern) -> Option<String> {
        if !self.wanted.fail.contains(&concern.advisory.level) {
            return Some("the policy does not refuse this level".to_owned());
        }
        let documents = self.answers.iter().map(|answers| &*answers.document);
        let image = Some(&self.image);
        let (index, answer) = vex::answer(
            documents,
            &concern.advisory,
            &concern.package,
            image,
            self.now,
        )?;
        Some(format!(
            "{answer}, by the VEX of {}",
            self.answers[index].by
        ))
    }
}

/// When the newest advisory was modified, in words.
fn newest(known: &Known) -> String {
    match known.newest {
        Some(newest) => format!("the newest of {}", newest.to_rfc3339()),
        None => "all dated in the future".to_owned(),
    }
}

/// At most [`SHOWN`] findings, and the number of the others.
fn limited(
    mut findings: Vec<Finding>,
    make: fn(Rule, Subject, Value, Value) -> Finding,
) -> Vec<Finding> {
    if findings.len() > SHOWN {
        let more = findings.len() - SHOWN;
        findings.truncate(SHOWN);
        let text = Value::Text(format!("{more} more advisories"));
        findings.push(make(RULE, Subject::Advisories, Value::Count(0), text));
    }
    findings
}

fn subject(concern: &Concern) -> Subject {
    let advisory = &concern.advisory;
    let others = advisory
        .aliases
        .iter()
        .filter(|alias| **alias != advisory.id);
    Subject::Advisory {
        ids: std::iter::once(&advisory.id)
            .chain(others)
            .cloned()
            .collect(),
        level: advisory.level,
        purl: concern.package.purl.clone(),
    }
}

/// What is expected in place of the version that an advisory is about.
pub(crate) fn expected(concern: &Concern) -> String {
    match &concern.advisory.found {
        Found::Affected { fixed: Some(fixed) } => format!("version {fixed}"),
        Found::Affected { fixed: None } => {
            "an answer in a VEX document, since there is no fixed version".to_owned()
        }
        Found::Unclear => "a version that can be compared".to_owned(),
    }
}

fn refused(concern: &Concern) -> Finding {
    let found = concern.package.version.as_str();
    Finding::fail(RULE, subject(concern), expected(concern), found)
}

/// The documents that count, and notes on those that do not.
fn answers<'a>(
    evidence: &Evidence,
    policy: &Policy,
    wanted: &'a Advisories,
    now: DateTime<Utc>,
) -> (Vec<Answers<'a>>, Vec<Finding>) {
    let own = wanted.answers.iter().map(|answers| Answers {
        by: answers.path.display().to_string(),
        document: std::borrow::Cow::Borrowed(&answers.document),
    });
    let (mut counted, mut notes): (Vec<_>, Vec<_>) = (own.collect(), Vec::new());
    for statement in &evidence.attested.statements {
        if !vex::TYPES.contains(&statement.value().predicate_type.as_str()) {
            continue;
        }
        let by = policy.name_of(statement.by()).to_owned();
        let carrier = statement.value().carrier.clone();
        let subject = Subject::Attestation {
            by: by.clone(),
            carrier,
        };
        if !wanted.from.contains(statement.by()) {
            notes.push(Finding::note(RULE, subject, "openvex", Value::Nothing));
            continue;
        }
        match attested(statement, evidence, policy, wanted, now) {
            Ok(document) => counted.push(Answers {
                by,
                document: std::borrow::Cow::Owned(document),
            }),
            Err(why) => {
                let why = Value::Objections(why);
                notes.push(Finding::note(RULE, subject, Value::Nothing, why));
            }
        }
    }
    (counted, notes)
}

/// An attested document, or why it does not count.
fn attested(
    statement: &Verified<SignedStatement>,
    evidence: &Evidence,
    policy: &Policy,
    wanted: &Advisories,
    now: DateTime<Utc>,
) -> Result<vex::Document, Vec<Objection>> {
    let unread = |error: &dyn std::fmt::Display| vec![Objection::Unread(error.to_string())];
    let parsed =
        Statement::<Json>::parse(&statement.value().payload).map_err(|error| unread(&error))?;
    let document = vex::Document::from_value(&parsed.predicate).map_err(|error| unread(&error))?;
    let mismatches = statements::subject(&parsed.subject, evidence, policy).into_iter();
    let claims = mismatches.map(|mismatch| Objection::Claim(mismatch.into_claim()));
    let mut why: Vec<_> = claims.collect();
    let made = authenticated(statement)
        .into_iter()
        .chain([document.at()])
        .min();
    if let Some(made) = made.filter(|made| *made > now + SKEW) {
        why.push(Objection::Future(made));
    }
    if let (Some(made), Some(limit)) = (made, &wanted.vex_max_age)
        && now - made > limit.limit
    {
        let limit = limit.text.clone();
        why.push(Objection::Old { made, limit });
    }
    match why.is_empty() {
        true => Ok(document),
        false => Err(why),
    }
}
