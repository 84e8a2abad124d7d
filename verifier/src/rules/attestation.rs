//! The attestations that the policy requires with conditions (`[[attestation]]`): enough of the named principals have made
//! one, each is recent enough, and each says what the policy asks for.
//!
//! Each statement is judged by itself, and one that does not meet the conditions is a note. So leaving out a statement never
//! turns a refusal into a pass (in-toto, the monotonic principle), and adding one helps only by meeting the conditions itself.

use std::collections::{BTreeMap, BTreeSet};

use attest::Statement;
use attest::text::{unwrapped, with_other_texts};
use chrono::{DateTime, TimeDelta, Utc};
use content::{json, limits};
use expression::{Program, Timestamp, Variables};
use rego::Module;
use serde_json::Value as Json;
use trust::{Identity, Verified};

use super::statements;
use crate::evidence::{Evidence, SignedStatement};
use crate::fact::Objection;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Condition, Freshness, Policy, Required};
use crate::value::Value;

/// How far the clock of a signer may be ahead.
pub(super) const SKEW: TimeDelta = TimeDelta::minutes(5);

/// Checks each entry, as of `now`.
pub(super) fn check(evidence: &Evidence, policy: &Policy, now: DateTime<Utc>) -> Vec<Finding> {
    let entries = policy.required.iter().enumerate();
    entries
        .flat_map(|(index, required)| {
            let judge = Judge {
                rule: Rule::Attestation(index),
                required,
                evidence,
                policy,
                now,
            };
            judge.findings()
        })
        .collect()
}

struct Judge<'a> {
    rule: Rule,
    required: &'a Required,
    evidence: &'a Evidence,
    policy: &'a Policy,
    now: DateTime<Utc>,
}

impl Judge<'_> {
    fn findings(&self) -> Vec<Finding> {
        let (ours, others): (Vec<_>, Vec<_>) = self
            .statements()
            .partition(|statement| self.required.from.contains(statement.by()));
        let mut findings: Vec<_> = others.iter().map(|other| self.unasked(other)).collect();
        let mut attesters = BTreeSet::new();
        for statement in ours {
            let objections = self.objections(statement);
            if objections.is_empty() {
                attesters.insert(statement.by());
            } else {
                findings.push(self.refused(statement, objections));
            }
        }
        findings.push(self.decide(&attesters));
        findings
    }

    /// Statements of this type, each payload once for each principal.
    fn statements(&self) -> impl Iterator<Item = &Verified<SignedStatement>> {
        let all = self.evidence.attested.statements.iter();
        let of_type = all.filter(|found| found.value().predicate_type == self.required.kind.uri());
        let once: BTreeMap<_, _> = of_type
            .map(|found| ((found.by(), &found.value().payload), found))
            .collect();
        once.into_values()
    }

    fn decide(&self, attesters: &BTreeSet<&Identity>) -> Finding {
        let subject = Subject::Attesters(self.required.name.clone());
        let names = attesters
            .iter()
            .map(|by| self.policy.name_of(by).to_owned());
        let found = Value::Principals(names.collect());
        let needed = Value::Quorum {
            threshold: self.required.threshold,
            principals: self.required.from.len(),
        };
        match attesters.len() >= self.required.threshold {
            true => Finding::pass(self.rule, subject, needed, found),
            false => Finding::fail(self.rule, subject, needed, found),
        }
    }

    fn unasked(&self, statement: &Verified<SignedStatement>) -> Finding {
        let kind = self.required.name.clone();
        Finding::note(self.rule, self.subject(statement), kind, Value::Nothing)
    }

    fn refused(&self, statement: &Verified<SignedStatement>, why: Vec<Objection>) -> Finding {
        let subject = self.subject(statement);
        Finding::note(self.rule, subject, Value::Nothing, Value::Objections(why))
    }

    fn subject(&self, statement: &Verified<SignedStatement>) -> Subject {
        Subject::Attestation {
            by: self.policy.name_of(statement.by()).to_owned(),
            carrier: statement.value().carrier.clone(),
        }
    }

    /// Why a statement does not meet the conditions. All of them are checked.
    fn objections(&self, signed: &Verified<SignedStatement>) -> Vec<Objection> {
        let document = match Document::read(&signed.value().payload) {
            Ok(document) => document,
            Err(objection) => return vec![objection],
        };
        let subject = statements::subject(&document.subjects, self.evidence, self.policy);
        let claims = subject.into_iter().map(|mismatch| mismatch.into_claim());
        let claims = claims.map(Objection::Claim);
        let age = self.required.freshness.as_ref();
        let age = age.and_then(|limit| document.too_old(limit, authenticated(signed), self.now));
        let conditions = self.required.conditions.iter();
        let conditions = conditions.filter_map(|condition| match condition {
            Condition::Cel(program) => document.satisfies(program, self.now).err(),
            Condition::Rego(module, _) => document.allowed_by(module, self.now).err(),
        });
        claims.chain(age).chain(conditions).collect()
    }
}

/// The time that a log or a timestamp authority gives for the signature.
pub(super) fn authenticated(signed: &Verified<SignedStatement>) -> Option<DateTime<Utc>> {
    match signed.by() {
        Identity::Keyless(_) => Some(signed.at()),
        // Of a signature with a key, it is the time of the appraisal.
        _ => None,
    }
}

/// A statement, as it is signed and as its author meant it.
struct Document {
    subjects: Vec<attest::Subject>,
    statement: Json,
    /// The predicate with JSON in place of the text that contains it, if there is such a text.
    meant: Option<Json>,
}

impl Document {
    fn read(payload: &[u8]) -> Result<Self, Objection> {
        let unread = |error: attest::Error| Objection::Unread(error.to_string());
        let parsed = Statement::<Json>::parse(payload).map_err(unread)?;
        let statement = json::parse(payload, limits::STATEMENT);
        Ok(Self {
            meant: unwrapped(&parsed.predicate_type, &parsed.predicate).map_err(unread)?,
            statement: statement.map_err(|error| Objection::Unread(error.to_string()))?,
            subjects: parsed.subject,
        })
    }

    fn predicate(&self) -> &Json {
        self.meant.as_ref().unwrap_or(&self.statement["predicate"])
    }

    /// A statement is as old as the earlier of the time that it states and the authenticated time of its signature.
    fn too_old(
        &self,
        limit: &Freshness,
        authenticated: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<Objection> {
        let stated = match self.stated(&limit.pointers) {
            Ok(stated) => stated,
            Err(objection) => return Some(objection),
        };
        let Some(made) = stated.into_iter().chain(authenticated).min() else {
            return Some(Objection::Undated(limit.pointers.clone()));
        };
        if made > now + SKEW {
            return Some(Objection::Future(made));
        }
        let limit_text = limit.text.clone();
        (now - made > limit.limit).then_some(Objection::Old {
            made,
            limit: limit_text,
        })
    }

    /// The time that the predicate states. One that cannot be parsed is not absent.
    fn stated(&self, pointers: &[String]) -> Result<Option<DateTime<Utc>>, Objection> {
        let mut stated = pointers
            .iter()
            .filter_map(|pointer| self.predicate().pointer(pointer));
        let Some(found) = stated.find(|found| !found.is_null()) else {
            return Ok(None);
        };
        let time = found.as_str().map(DateTime::parse_from_rfc3339);
        match time {
            Some(Ok(time)) => Ok(Some(time.to_utc())),
            _ => Err(Objection::InvalidTime(found.to_string())),
        }
    }

    /// Evaluates an expression over the statement as it is signed and the predicate as it is meant.
    fn satisfies(&self, program: &Program, now: DateTime<Utc>) -> Result<(), Objection> {
        let variables = Variables::default()
            .with("statement", &self.statement)
            .and_then(|variables| variables.with("predicate", self.predicate()))
            .and_then(|variables| variables.with("now", &Timestamp(now.fixed_offset())));
        match variables.and_then(|variables| program.holds(variables)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Objection::False),
            Err(error) => Err(Objection::Failed(error.to_string())),
        }
    }

    /// Asks a module. It is given the statement with JSON in place of text first. Otherwise it is given the statement as it
    /// is signed, as cosign does, but only counts if it decides by the text: a module that would allow an empty text or
    /// an arbitrary one as well has found nothing to refuse because it looked for members of a string.
    fn allowed_by(&self, module: &Module, now: DateTime<Utc>) -> Result<(), Objection> {
        let ask = |statement: &Json| module.evaluate(statement, now);
        let Some(meant) = &self.meant else {
            return allowed(ask(&self.statement));
        };
        let refusal = match allowed(ask(&self.with(meant.clone()))) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let mut others = with_other_texts(&self.statement["predicate"]).into_iter();
        let reads_text = others.all(|other| allowed(ask(&self.with(other))).is_err());
        match reads_text && allowed(ask(&self.statement)).is_ok() {
            true => Ok(()),
            false => Err(refusal),
        }
    }

    fn with(&self, predicate: Json) -> Json {
        let mut statement = self.statement.clone();
        statement["predicate"] = predicate;
        statement
    }
}

/// Only `true` allows.
fn allowed(answer: Result<rego::Answer, rego::Error>) -> Result<(), Objection> {
    match answer {
        Ok(answer) if answer.allows() => Ok(()),
        Ok(answer) => Err(Objection::Refused(answer)),
        Err(error) => Err(Objection::Failed(error.to_string())),
    }
}
