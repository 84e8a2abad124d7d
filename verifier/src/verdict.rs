//! The verdict: pass or fail. If an error prevents an answer, there is no verdict.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use content::Digest;
use oci::ImageRef;

use crate::appraise::Appraisal;
use crate::finding::{Finding, Outcome, Rule, Subject};
use crate::value::{Thing, Value};

/// The result of an appraisal.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The image meets all requirements of the policy.
    Pass(Approval),
    /// The image does not meet at least one requirement.
    Fail(Refusal),
}

/// Permission to countersign one image. Only [`Verdict::of`] creates one.
#[derive(Clone, Debug)]
pub struct Approval {
    image: ImageRef,
    policy: Digest,
    at: DateTime<Utc>,
    findings: Vec<Finding>,
}

/// Permission to bind one image: an approval, and the countersignatures that the policy requires for a binding. Only
/// [`Approval::to_bind`] creates one.
#[derive(Clone, Debug)]
pub struct Countersigned(Approval);

/// The reasons for a refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    image: ImageRef,
    policy: Digest,
    findings: Vec<Finding>,
}

impl Verdict {
    /// Converts an appraisal to a verdict. A rule without a finding did not run, which is a failure.
    pub fn of(appraisal: Appraisal) -> Self {
        let Appraisal {
            image,
            policy,
            at,
            rules,
            findings,
        } = appraisal;
        let decides = |outcome| !matches!(outcome, Outcome::Note | Outcome::Unknown);
        let findings = complete(rules, findings, decides);
        match has_failure(&findings) {
            true => Self::Fail(Refusal {
                image,
                policy,
                findings,
            }),
            false => Self::Pass(Approval {
                image,
                policy,
                at,
                findings,
            }),
        }
    }

    /// All findings, in the order of the rules.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Pass(approval) => &approval.findings,
            Self::Fail(refusal) => &refusal.findings,
        }
    }

    /// The image that was appraised.
    pub fn image(&self) -> &ImageRef {
        match self {
            Self::Pass(approval) => &approval.image,
            Self::Fail(refusal) => &refusal.image,
        }
    }

    /// The digest of the policy that it was appraised by.
    pub fn policy(&self) -> &Digest {
        match self {
            Self::Pass(approval) => &approval.policy,
            Self::Fail(refusal) => &refusal.policy,
        }
    }
}

impl Approval {
    /// The image that may be bound: this digest and no other.
    pub fn image(&self) -> &ImageRef {
        &self.image
    }

    /// The digest of the policy that was met.
    pub fn policy(&self) -> &Digest {
        &self.policy
    }

    /// The time for which the image was appraised.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Permission to bind the image, if no countersignature is missing.
    ///
    /// # Errors
    /// The refusal that names those who have not signed yet.
    pub fn to_bind(self) -> Result<Countersigned, Refusal> {
        let mut findings = self.findings.iter();
        if !findings.any(|finding| finding.outcome() == Outcome::Pending) {
            return Ok(Countersigned(self));
        }
        Err(Refusal {
            image: self.image,
            policy: self.policy,
            findings: self.findings.into_iter().map(Finding::due).collect(),
        })
    }
}

impl Countersigned {
    /// The approval.
    pub fn approval(&self) -> &Approval {
        &self.0
    }
}

/// Adds a failure for each of `rules` that has no finding with an outcome that `decides`, and sorts by rule.
pub(crate) fn complete(
    rules: impl IntoIterator<Item = Rule>,
    mut findings: Vec<Finding>,
    decides: impl Fn(Outcome) -> bool,
) -> Vec<Finding> {
    let decided: BTreeSet<Rule> = findings
        .iter()
        .filter(|finding| decides(finding.outcome()))
        .map(Finding::rule)
        .collect();
    let silent = rules.into_iter().filter(|rule| !decided.contains(rule));
    findings.extend(
        silent.map(|rule| Finding::fail(rule, Subject::Rule, Thing::Finding, Value::Nothing)),
    );
    findings.sort_by_key(Finding::rule);
    findings
}

/// Whether at least one finding is a failure.
pub(crate) fn has_failure(findings: &[Finding]) -> bool {
    let mut findings = findings.iter();
    findings.any(|finding| finding.outcome() == Outcome::Fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appraisal(findings: Vec<Finding>) -> Appraisal {
        let digest = Digest::of(b"image");
        Appraisal {
            image: format!("127.0.0.1:5000/a/b@{digest}").parse().unwrap(),
            policy: Digest::of(b"policy"),
            at: DateTime::UNIX_EPOCH,
            rules: rules().collect(),
            findings,
        }
    }

    fn rules() -> impl Iterator<Item = Rule> {
        Rule::all().chain([Rule::Attestation(0), Rule::Attestation(1)])
    }

    fn all_pass() -> Vec<Finding> {
        let pass = |rule| Finding::pass(rule, Subject::Rule, Value::Nothing, Value::Nothing);
        rules().map(pass).collect()
    }

    #[test]
    fn all_rules_passed_is_a_pass() {
        assert!(matches!(
            Verdict::of(appraisal(all_pass())),
            Verdict::Pass(_)
        ));
    }

    #[test]
    fn one_failure_is_a_refusal_whatever_else_passed() {
        let mut findings = all_pass();
        findings.insert(0, Finding::fail(Rule::Rebuild, Subject::Image, "a", "b"));
        assert!(matches!(Verdict::of(appraisal(findings)), Verdict::Fail(_)));
    }

    #[test]
    fn what_is_pending_stops_the_binding_and_not_the_verdict() {
        let findings = all_pass();
        let approved = |findings| match Verdict::of(appraisal(findings)) {
            Verdict::Pass(approval) => approval,
            Verdict::Fail(refusal) => panic!("{refusal:?}"),
        };
        assert!(approved(findings.clone()).to_bind().is_ok());
        let rule = Rule::Countersignatures;
        let pending = Finding::pending(rule, Subject::Signers, "a", "b");
        let findings = [findings, vec![pending]].concat();
        let refusal = approved(findings).to_bind().unwrap_err();
        let verdict = Verdict::Fail(refusal);
        let failed: Vec<_> = verdict
            .findings()
            .iter()
            .filter(|finding| finding.outcome() == Outcome::Fail)
            .map(Finding::rule)
            .collect();
        assert_eq!(failed, [rule]);
    }

    #[test]
    fn a_rule_that_did_not_run_is_a_refusal() {
        for missing in rules() {
            let mut findings = all_pass();
            findings.retain(|finding| finding.rule() != missing);
            findings.push(Finding::note(missing, Subject::Rule, "", ""));
            findings.push(Finding::unknown(missing, Subject::Rule));
            let verdict = Verdict::of(appraisal(findings));
            assert!(matches!(verdict, Verdict::Fail(_)), "{missing}");
        }
    }
}
