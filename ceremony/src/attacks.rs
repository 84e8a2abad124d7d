//! The attacks, and the check that must refuse each. An attack that succeeds, or that is refused by another check, fails
//! the ceremony.

mod before_launch;
mod launched;
mod materials;
mod parties;

use std::path::Path;

use serde_json::Value;

use crate::Error;
use crate::acts::Published;
use crate::cast::Cast;
use crate::launch;
use crate::prologue::Cloud;
use crate::stage::{Said, Stage};
use crate::transcript::Transcript;
use before_launch::{
    changed_byte, changed_source, missing_countersignature, tampered_crate, unknown_key,
};
use launched::{
    debug_image, foreign_key, missing_countersignature_bound, moved_tag, overridden_command,
    replayed_token, revoked_digest,
};
use parties::{
    forged_countersignature, missing_party, quorum_of_one, signature_of_another_digest,
    tutorial_provider,
};

/// The state after all steps: everything is published, countersigned and bound.
pub struct Scene<'a> {
    /// The stage.
    pub stage: &'a Stage,
    /// The transcript.
    pub transcript: &'a mut Transcript,
    /// The parties.
    pub cast: &'a Cast,
    /// The emulated cloud.
    pub cloud: &'a Cloud,
    /// The builder's source.
    pub source: &'a Path,
    /// The builder's layout.
    pub layout: &'a Path,
    /// The first collaborator's own rebuild.
    pub rebuilt: &'a Path,
    /// The image that all parties signed.
    pub image: &'a Published,
    /// The builder's store of inputs.
    pub store: &'a Path,
    /// The image with other terms, if an attack has built it.
    pub forged: Option<Published>,
    /// The next release, if an attack has built it.
    pub next: Option<Published>,
}

/// One attack.
pub struct Attack {
    /// Its name, for `--attack`.
    pub name: &'static str,
    /// A description of the attack.
    pub deed: &'static str,
    /// The program or service that must refuse it, and the check.
    pub place: &'static str,
    play: fn(&mut Scene<'_>) -> Result<Outcome, Error>,
}

/// How an attack ended.
pub enum Outcome {
    /// The expected check refused it, with this message.
    Refused(String),
    /// The expected check did not refuse it. The value describes what happened.
    NotRefused(String),
}

impl Attack {
    /// Runs the attack.
    ///
    /// # Errors
    /// The attack could not be carried out.
    pub fn play(&self, scene: &mut Scene<'_>) -> Result<Outcome, Error> {
        launch::drain(scene.cast)?;
        (self.play)(scene)
    }
}

/// All attacks, in the order in which `all` runs them. The last one removes a binding.
pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "changed-byte",
        deed: "the registry changes one byte of the pushed image",
        place: "verifier: integrity",
        play: changed_byte,
    },
    Attack {
        name: "changed-source",
        deed: "the builder signs an image that was built from other source than provenance names",
        place: "verifier: rebuild",
        play: changed_source,
    },
    Attack {
        name: "tampered-crate",
        deed: "one byte of a crate archive is changed",
        place: "builder: inputs",
        play: tampered_crate,
    },
    Attack {
        name: "unknown-key",
        deed: "the image is signed with an unknown key",
        place: "verifier: signatures",
        play: unknown_key,
    },
    Attack {
        name: "missing-countersignature",
        deed: "the next release is signed by the builder, but not countersigned by collaborator-2",
        place: "verifier: countersign",
        play: missing_countersignature,
    },
    Attack {
        name: "forged-countersignature",
        deed: "the builder, who publishes for collaborator-2, signs the next release in its name with another key",
        place: "verifier: countersign",
        play: forged_countersignature,
    },
    Attack {
        name: "quorum-of-one",
        deed: "the builder signs twice where the policy requires two of three parties",
        place: "verifier: signatures",
        play: quorum_of_one,
    },
    Attack {
        name: "tutorial-provider",
        deed: "collaborator-1 takes the attribute condition of Google's tutorial for its provider, and sends its data",
        place: "client: provider",
        play: tutorial_provider,
    },
    Attack {
        name: "missing-countersignature-bound",
        deed: "an image without countersignatures is bound by the owners of the keys, and launched",
        place: "workload: late binding",
        play: missing_countersignature_bound,
    },
    Attack {
        name: "missing-party",
        deed: "an image that all but collaborator-2 have signed is bound by the owners of the keys, and launched",
        place: "workload: late binding",
        play: missing_party,
    },
    Attack {
        name: "signature-of-another-digest",
        deed: "the operator passes collaborator-2's signature on the last release as an argument of the next one",
        place: "workload: late binding",
        play: signature_of_another_digest,
    },
    Attack {
        name: "moved-tag",
        deed: "the tag is moved to another image after the verdict",
        place: "Cloud KMS",
        play: moved_tag,
    },
    Attack {
        name: "debug-image",
        deed: "the operator launches the image on a debug machine",
        place: "STS: attribute condition",
        play: debug_image,
    },
    Attack {
        name: "overridden-command",
        deed: "the operator overrides the command",
        place: "launcher: launch policy",
        play: overridden_command,
    },
    Attack {
        name: "replayed-token",
        deed: "collaborator-1's token is sent to collaborator-2's identity provider",
        place: "STS: audience",
        play: replayed_token,
    },
    Attack {
        name: "foreign-key",
        deed: "a message of collaborator-1 names collaborator-2's key",
        place: "workload: inbox",
        play: foreign_key,
    },
    Attack {
        name: "revoked-digest",
        deed: "collaborator-1 revokes the digest, and the operator launches the image",
        place: "Cloud KMS",
        play: revoked_digest,
    },
];

/// Whether a verifier refused by this rule and no other, with a finding that contains all of
/// `words`.
fn refused_by(said: &Said, rule: &str, words: &[&str]) -> Outcome {
    let report: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    let findings = report["findings"].as_array().into_iter().flatten();
    let failed: Vec<_> = findings.filter(|f| f["outcome"] == "fail").collect();
    let detail = |finding: &Value| finding["detail"].as_str().unwrap_or_default().to_owned();
    let mut details = failed.iter().map(|finding| detail(finding));
    let found = details.find(|detail| words.iter().all(|word| detail.contains(word)));
    let is_alone = failed.iter().all(|finding| finding["rule"] == rule);
    match found {
        Some(detail) if is_alone && said.code == Some(1) && report["verdict"] == "fail" => {
            Outcome::Refused(detail)
        }
        _ => Outcome::NotRefused(format!(
            "expected exit status 1 by {rule} alone with {words:?}, found {:?}:\n{}",
            said.code, said.stderr
        )),
    }
}

/// Whether a program ended with `code` and one of its lines holds all of `words`.
fn refused(said: &Said, code: i32, words: &[&str]) -> Outcome {
    let lines = || said.stderr.lines().chain(said.stdout.lines());
    let found = lines().find(|line| words.iter().all(|word| line.contains(word)));
    match found {
        Some(line) if said.code == Some(code) => Outcome::Refused(line.trim().to_owned()),
        _ => Outcome::NotRefused(format!(
            "expected exit status {code} and a line with {words:?}, found {:?}:\n{}{}",
            said.code, said.stdout, said.stderr
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(findings: &[(&str, &str, &str)]) -> Said {
        let finding = |(rule, outcome, detail): &(&str, &str, &str)| json!({"rule": rule, "outcome": outcome, "detail": detail});
        let findings: Vec<_> = findings.iter().map(finding).collect();
        Said {
            code: Some(1),
            stdout: json!({"verdict": "fail", "findings": findings}).to_string(),
            stderr: String::new(),
        }
    }

    fn is_refused(said: &Said) -> bool {
        matches!(
            refused_by(said, "signatures", &["builder"]),
            Outcome::Refused(_)
        )
    }

    #[test]
    fn only_a_refusal_by_the_expected_rule_counts() {
        let fail = ("signatures", "fail", "signature of builder: none");
        assert!(is_refused(&verdict(&[fail, ("sbom", "pass", "")])));
        assert!(!is_refused(&verdict(&[fail, ("sbom", "fail", "")])));
        assert!(!is_refused(&verdict(&[
            ("signatures", "note", "builder"),
            ("sbom", "fail", "")
        ])));
        assert!(!is_refused(&verdict(&[("signatures", "fail", "too few")])));
        let code = Some(2);
        assert!(!is_refused(&Said {
            code,
            ..verdict(&[fail])
        }));
    }
}
