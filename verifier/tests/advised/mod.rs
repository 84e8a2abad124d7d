//! An image of which a database has an advisory, and documents that answer it.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::Path;

use serde_json::{Value, json};
use signature::PrivateKey;
use tempfile::TempDir;
use verifier::advisories::scanned;
use verifier::appraise::appraise;
use verifier::evidence::{Evidence, Rebuild};
use verifier::examine::examine;
use verifier::finding::Outcome;
use verifier::policy::{InvalidPolicy, Policy};
use verifier::report::detail;
use verifier::verdict::Verdict;

use crate::case::{Case, NOW, REPOSITORY, bundle, statement};

pub const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// The package that the advisory is about; the image's list has it.
pub const PURL: &str = "pkg:cargo/p256@0.14.0";

pub struct Advised {
    pub case: Case,
    pub folder: TempDir,
}

/// An advisory about versions of `p256` before 0.14.1.
pub fn advisory() -> Value {
    json!({
        "id": "RUSTSEC-1969-0001", "modified": "1969-12-01T00:00:00Z", "aliases": ["CVE-1969-1"],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": [{
            "package": {"ecosystem": "crates.io", "name": "p256"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.14.1"}]}],
        }],
    })
}

/// A document that says that `product` is not affected.
pub fn vex(product: &str) -> Value {
    json!({
        "@context": OPENVEX, "@id": "https://vex.example/1", "author": "a", "version": 1,
        "timestamp": "1969-12-02T00:00:00Z",
        "statements": [{
            "vulnerability": {"name": "CVE-1969-1"}, "products": [{"@id": product}],
            "status": "not_affected", "justification": "vulnerable_code_not_present",
        }],
    })
}

/// A document in CycloneDX that says so.
pub fn cyclonedx(reference: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"timestamp": "1969-12-02T00:00:00Z"},
        "vulnerabilities": [{
            "id": "CVE-1969-1", "affects": [{"ref": reference}],
            "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
        }],
    })
}

impl Advised {
    /// The passing case under a policy with these lines in `[advisories]`, and the advisory.
    pub fn new(lines: &str) -> Self {
        let mut case = Case::passing();
        case.policy += &format!("[advisories]\ndatabase = \"osv\"\n{lines}\n");
        let advised = Self {
            case,
            folder: TempDir::new().unwrap(),
        };
        advised.write("osv/crates/RUSTSEC-1969-0001.json", &advisory());
        advised
    }

    pub fn write(&self, name: &str, value: &Value) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, value.to_string()).unwrap();
    }

    /// Attaches a document to the image, in CycloneDX if it says so, and otherwise in OpenVEX.
    pub fn attest(&mut self, key: fn(&Case) -> &PrivateKey, value: Value) {
        let kind = match value.get("bomFormat") {
            Some(_) => CYCLONEDX,
            None => OPENVEX,
        };
        let payload = statement(REPOSITORY, &self.case.image.digest, kind, value);
        let piece = bundle(key(&self.case), kind, payload);
        self.case.published.pieces.push(piece);
    }

    pub fn policy(&self) -> Result<Policy, InvalidPolicy> {
        let read = |path: &Path| std::fs::read(self.folder.path().join(path));
        let policy = Policy::parse(self.case.policy.as_bytes(), &read);
        Ok(policy?.below(self.folder.path()))
    }

    pub fn verdict(&self) -> Result<Verdict, verifier::Error> {
        let policy = self.policy().unwrap();
        let attested = examine(self.case.published.clone(), policy.principals(), NOW);
        let evidence = Evidence::new(attested, self.case.rebuild.clone());
        let evidence = scanned(evidence, &policy, NOW)?;
        Ok(Verdict::of(appraise(&evidence, &policy, NOW)))
    }

    /// No rebuild, and none required.
    pub fn without_rebuild(mut self) -> Self {
        let required = "[rebuild]\nrequire = true";
        self.case.policy = self
            .case
            .policy
            .replace(required, "[rebuild]\nrequire = false");
        self.case.rebuild = Rebuild::Absent;
        self
    }

    /// The findings of the rule, with their outcomes; the other rules pass.
    pub fn said(&self) -> String {
        let verdict = match self.verdict() {
            Ok(verdict) => verdict,
            Err(error) => return error.to_string(),
        };
        let findings = verdict.findings().iter();
        let told = findings
            .filter(|one| one.rule().name() == "advisories" || one.outcome() == Outcome::Fail);
        let lines = told.map(|one| format!("{} {}: {}", one.outcome(), one.rule(), detail(one)));
        lines.collect::<Vec<_>>().join("\n")
    }
}
