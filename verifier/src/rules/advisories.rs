//! No advisory that the policy refuses is about a package of the image, unless a principal in `vex_from` has answered it.

use advisories::{Found, vex};
use chrono::{DateTime, Utc};

use self::answers::{Answers, Collected};
use crate::advisories::scan::{Concern, Known, Scan};
use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Advisories, Policy};
use crate::value::Value;

mod answers;

const RULE: Rule = Rule::Advisories;
/// Findings of one kind that are listed. The rest are counted.
const SHOWN: usize = 100;

/// Checks the packages of the image, as of `now`. Without a comparison there is no finding, which is a refusal.
pub(super) fn check(evidence: &Evidence, policy: &Policy, now: DateTime<Utc>) -> Vec<Finding> {
    let (Some(wanted), Some(scan)) = (&policy.advisories, &evidence.advisories) else {
        return Vec::new();
    };
    let Collected {
        answers,
        unclear,
        mut notes,
    } = answers::collect(evidence, policy, wanted, now);
    let judge = Judge {
        wanted,
        scan,
        answers,
        image: evidence.attested.image.digest,
        now,
    };
    notes.extend(judge.findings(unclear));
    notes
}

struct Judge<'a> {
    wanted: &'a Advisories,
    scan: &'a Scan,
    answers: Vec<Answers<'a>>,
    image: content::Digest,
    now: DateTime<Utc>,
}

impl Judge<'_> {
    /// The findings, with those on documents of which it is not known what they say.
    fn findings(&self, unclear: Vec<Finding>) -> Vec<Finding> {
        let mut fails = unclear;
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

    /// Ecosystems of packages of which the database has nothing: another was unpacked, or none.
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
