//! Which documents answer advisories: those of the policy, and those that principals whom it names have attested.

use std::borrow::Cow;

use advisories::vex;
use attest::Statement;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use trust::Verified;

use super::super::attestation::{SKEW, authenticated};
use super::super::statements;
use crate::evidence::{Evidence, SignedStatement};
use crate::fact::Objection;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Advisories, Policy};
use crate::value::Value;

/// What a document must be whose signer may answer: it may take answers back.
const NEEDED: &str =
    "an answer that can be read and is not dated in the future, since it may take others back";

/// A document that answers advisories, and whose it is.
pub(super) struct Answers<'a> {
    pub(super) by: String,
    pub(super) document: Cow<'a, vex::Document>,
}

/// The documents that were found.
pub(super) struct Collected<'a> {
    /// Those that count.
    pub(super) answers: Vec<Answers<'a>>,
    /// Failures: what the signer says last is not known.
    pub(super) unclear: Vec<Finding>,
    /// Notes on those that do not count.
    pub(super) notes: Vec<Finding>,
}

/// Why an attested document does not count.
enum Unused {
    /// It says nothing about this image, or not any more.
    Passed(Vec<Objection>),
    /// It may say something about this image that is newer than all others.
    Unclear(Objection),
}

/// The documents about the image, as of `now`.
pub(super) fn collect<'a>(
    evidence: &Evidence,
    policy: &Policy,
    wanted: &'a Advisories,
    now: DateTime<Utc>,
) -> Collected<'a> {
    let own = wanted.answers.iter().map(|answers| Answers {
        by: answers.path.display().to_string(),
        document: Cow::Borrowed(&answers.document),
    });
    let mut collected = Collected {
        answers: own.collect(),
        unclear: Vec::new(),
        notes: Vec::new(),
    };
    for statement in &evidence.attested.statements {
        let Some(Answer { format, parsed }) = Answer::of(statement) else {
            continue;
        };
        let by = policy.name_of(statement.by()).to_owned();
        let carrier = statement.value().carrier.clone();
        let subject = Subject::Attestation {
            by: by.clone(),
            carrier,
        };
        if !wanted.from.contains(statement.by()) {
            let note = Finding::note(Rule::Advisories, subject, format, Value::Nothing);
            collected.notes.push(note);
            continue;
        }
        let asked = Asked {
            evidence,
            policy,
            wanted,
            now,
        };
        match asked.document(statement, parsed) {
            Ok(document) => collected.answers.push(Answers {
                by,
                document: Cow::Owned(document),
            }),
            Err(why) => collected.reject(subject, why),
        }
    }
    collected
}

/// A statement that answers advisories.
struct Answer {
    /// The format of its predicate.
    format: &'static str,
    parsed: Result<Statement<Json>, attest::Error>,
}

impl Answer {
    fn of(statement: &Verified<SignedStatement>) -> Option<Self> {
        let kind = statement.value().predicate_type.as_str();
        if !vex::TYPES.contains(&kind) {
            return None;
        }
        let parsed = Statement::<Json>::parse(&statement.value().payload);
        let predicate = parsed.as_ref().ok().map(|parsed| &parsed.predicate);
        let format = vex::format_of(kind, predicate)?;
        Some(Self { format, parsed })
    }
}

impl Collected<'_> {
    fn reject(&mut self, subject: Subject, why: Unused) {
        match why {
            Unused::Passed(why) => {
                let why = Value::Objections(why);
                let note = Finding::note(Rule::Advisories, subject, Value::Nothing, why);
                self.notes.push(note);
            }
            Unused::Unclear(why) => {
                let why = Value::Objections(vec![why]);
                self.unclear
                    .push(Finding::fail(Rule::Advisories, subject, NEEDED, why));
            }
        }
    }
}

/// What documents are judged by.
struct Asked<'a> {
    evidence: &'a Evidence,
    policy: &'a Policy,
    wanted: &'a Advisories,
    now: DateTime<Utc>,
}

impl Asked<'_> {
    /// An attested document, or why it does not count.
    fn document(
        &self,
        statement: &Verified<SignedStatement>,
        parsed: Result<Statement<Json>, attest::Error>,
    ) -> Result<vex::Document, Unused> {
        let signed = authenticated(statement);
        let unread = |error: &dyn std::fmt::Display| match self.old(signed) {
            Some(old) => Unused::Passed(vec![Objection::Unread(error.to_string()), old]),
            None => Unused::Unclear(Objection::Unread(error.to_string())),
        };
        let parsed = parsed.map_err(|error| unread(&error))?;
        let mismatches = statements::subject(&parsed.subject, self.evidence, self.policy);
        if !mismatches.is_empty() {
            let claims = mismatches.into_iter();
            let claims = claims.map(|mismatch| Objection::Claim(mismatch.into_claim()));
            return Err(Unused::Passed(claims.collect()));
        }
        let document = vex::Document::from_value(&parsed.predicate);
        let document = document.map_err(|error| unread(&error))?;
        let made = signed.into_iter().chain([document.at()]).min();
        if let Some(made) = made.filter(|made| *made > self.now + SKEW) {
            return Err(Unused::Unclear(Objection::Future(made)));
        }
        match self.old(made) {
            Some(old) => Err(Unused::Passed(vec![old])),
            None => Ok(document),
        }
    }

    /// That a document was made too long ago, if its time is known.
    fn old(&self, made: Option<DateTime<Utc>>) -> Option<Objection> {
        let (made, limit) = (made?, self.wanted.vex_max_age.as_ref()?);
        let is_old = self.now - made > limit.limit;
        is_old.then(|| Objection::Old {
            made,
            limit: limit.text.clone(),
        })
    }
}
