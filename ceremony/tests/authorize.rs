//! `verifier countersign` and `verifier authorize` of an image that passes, against the emulator: once without interruption, and
//! once for each request that changes something, with the verifier killed there and run again.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../src/cloud.rs"]
#[allow(dead_code, reason = "only the ceremony uses all of it")]
mod cloud;
#[path = "../src/error.rs"]
#[allow(dead_code, reason = "only the ceremony has all of these errors")]
mod error;
#[path = "authorize/images.rs"]
mod images;
#[allow(dead_code, reason = "only other tests use all of it")]
mod rehearsal;

use std::collections::BTreeMap;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use error::Error;
use rehearsal::{EARLIER, Rehearsal, Release};
use serde_json::Value;

/// More writing requests than one authorization needs.
const MOST: usize = 60;

/// How many rehearsals share the requests.
const SHARES: usize = 4;

/// The signatures and statements that the image has in the end, once each.
const PUBLISHED: [&str; 10] = [
    "builder: signature under the tag",
    "builder: https://slsa.dev/provenance/v1 under the tag",
    "builder: https://cyclonedx.org/bom under the tag",
    "builder: https://sigstore.dev/cosign/sign/v1 in a bundle",
    "builder: https://slsa.dev/provenance/v1 in a bundle",
    "builder: https://cyclonedx.org/bom in a bundle",
    "collaborator: signature under the tag",
    "collaborator: https://slsa.dev/verification_summary/v1 under the tag",
    "collaborator: https://sigstore.dev/cosign/sign/v1 in a bundle",
    "collaborator: https://slsa.dev/verification_summary/v1 in a bundle",
];

fn once_each<'a>(pieces: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let pieces = pieces.into_iter();
    pieces.map(|piece| (piece.to_owned(), 1)).collect()
}

/// The report of a command that must pass.
#[track_caller]
fn passed(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "pass", "{report}");
    report
}

/// Countersigns and binds; both must pass. Returns the report of the binding.
#[track_caller]
fn complete(release: &Release<'_>) -> Value {
    passed(&release.countersign().output().unwrap());
    passed(&release.authorize().output().unwrap())
}

/// Everything is signed and bound, nothing twice, and the earlier member is kept.
#[track_caller]
fn check_end(release: &Release<'_>, report: &Value) {
    let member = release.member();
    assert_eq!(report["binding"]["member"], member);
    assert_eq!(report["binding"]["applied"], true);
    assert_eq!(release.members(), [member, EARLIER.to_owned()]);
    assert_eq!(release.pieces(), once_each(PUBLISHED));
    passed(&release.verify_countersigned());
}

#[test]
fn a_pass_countersigns_and_binds_and_can_be_repeated() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    assert_eq!(release.members(), [EARLIER]);
    let before = PUBLISHED
        .into_iter()
        .filter(|piece| piece.starts_with("builder"));
    assert_eq!(release.pieces(), once_each(before));
    let refused = release.verify_countersigned();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let refused = release.authorize().output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(report["verdict"], "fail", "{report}");
    assert_eq!(release.members(), [EARLIER]);

    rehearsal.proxy.release();
    let report = complete(&release);
    check_end(&release, &report);
    let writes = rehearsal.proxy.writes();
    let bound = writes
        .iter()
        .filter(|write| write.ends_with(":setIamPolicy"));
    assert_eq!(bound.count(), 1, "{writes:?}");
    assert!(
        writes.last().unwrap().ends_with(":setIamPolicy"),
        "{writes:?}"
    );

    // The key's signatures differ each time; still the second run has nothing to write.
    rehearsal.proxy.release();
    let report = complete(&release);
    check_end(&release, &report);
    assert_eq!(rehearsal.proxy.writes(), [""; 0]);
}

/// The registry lets the collaborator only read: the builder publishes what the collaborator signed, and the binding needs no
/// write access either.
#[test]
fn a_party_without_write_access_countersigns_and_binds() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    let before = release.pieces();
    rehearsal.proxy.deny_pushes();
    let mut countersign = release.countersign();
    let output = countersign.current_dir(rehearsal.folder()).output();
    let report = passed(output.as_ref().unwrap());
    let kept = &report["countersignature"];
    assert_eq!(kept["published"], false, "{report}");
    assert!(kept["denied"].as_str().unwrap().contains("403"), "{report}");
    assert_eq!(release.pieces(), before);
    let said = String::from_utf8_lossy(&output.as_ref().unwrap().stderr).into_owned();
    let refused = release.authorize().output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");

    rehearsal.proxy.release();
    let commands = said
        .lines()
        .filter_map(|line| line.split_once("builder attach "));
    let commands: Vec<_> = commands.map(|(_, words)| words).collect();
    assert_eq!(commands.len(), 3, "{said}");
    for words in commands {
        let mut attach = rehearsal::program("builder");
        attach
            .arg("attach")
            .args(words.split(' '))
            .arg("--plain-http");
        let attached = attach.current_dir(rehearsal.folder()).output().unwrap();
        assert!(attached.status.success(), "{attached:?}");
    }

    rehearsal.proxy.deny_pushes();
    check_end(&release, &passed(&release.authorize().output().unwrap()));
}

/// Who carries the collaborator's signature to the registry can sign there with a key of its own, and nothing is bound.
#[test]
fn a_countersignature_that_its_carrier_forged_binds_nothing() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    let mut keygen = rehearsal::program("builder");
    keygen.arg("keygen").arg(rehearsal.path("carrier"));
    assert!(keygen.output().unwrap().status.success());
    let mut sign = rehearsal::program("builder");
    sign.args(["sign", &release.reference(), "--plain-http", "--key"]);
    sign.arg(rehearsal.path("carrier.key"));
    assert!(sign.output().unwrap().status.success());
    let refused = release.authorize().output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(failed(&report), ["countersign"], "{report}");
    assert_eq!(release.members(), [EARLIER]);
}

/// The policy requires two parties. One that signs twice is one.
#[test]
fn one_party_that_signs_twice_is_no_quorum() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    let mut sign = rehearsal::program("builder");
    sign.args(["sign", &release.reference(), "--plain-http"]);
    // Without it, the first signature would be found and kept.
    sign.args(["--annotation", "number=2", "--key"]);
    sign.arg(rehearsal.path("builder.key"));
    assert!(sign.output().unwrap().status.success());
    let twice = "builder: signature under the tag";
    assert_eq!(release.pieces()[twice], 2);
    let policy = release.policy(&["builder"]);
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("threshold = 1", "threshold = 2")).unwrap();
    let mut verify = rehearsal::program("verifier");
    verify.args([
        "verify",
        &release.reference(),
        "--plain-http",
        "--json",
        "--policy",
    ]);
    let refused = verify.arg(&policy).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(failed(&report), ["signatures"], "{report}");
    assert!(report.to_string().contains("at least 2 of 2"), "{report}");
}

/// The rules that refused, once each.
fn failed(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    let failed = findings.filter(|finding| finding["outcome"] == "fail");
    let mut rules: Vec<_> = failed
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    rules.dedup();
    rules
}

/// The same with a repository of the collaborator's own, which its policy or its grant names: no other party has to publish anything.
#[test]
fn a_party_without_write_access_publishes_in_a_repository_of_its_own() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    let before = release.pieces();
    let own = release.own_repository();
    let named = release.with_evidence(&own);
    rehearsal.proxy.deny_pushes();
    let mut countersign = named.countersign();
    let report = passed(&countersign.args(["--to", &own]).output().unwrap());
    let kept = &report["countersignature"];
    assert_eq!(
        (&kept["published"], &kept["repository"]),
        (&Value::Bool(true), &Value::from(own.as_str()))
    );
    assert_eq!(release.pieces(), before);

    let refused = release.authorize().output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let mut by_grant = release.authorize();
    let grant = release.grant();
    let text = std::fs::read_to_string(&grant).unwrap();
    let evidence = format!("{text}[evidence]\nrepositories = [{own:?}]\n");
    std::fs::write(&grant, evidence).unwrap();
    passed(&by_grant.output().unwrap());
    let report = passed(&named.authorize().output().unwrap());
    let findings = report["findings"].as_array().unwrap().iter();
    let mut countersigned = findings.filter(|finding| finding["rule"] == "countersign");
    assert_eq!(countersigned.next().unwrap()["outcome"], "pass", "{report}");
    assert_eq!(release.members(), [release.member(), EARLIER.to_owned()]);

    // What was published elsewhere can be published where the image is later, and is then shown by both.
    let mut tree = rehearsal::program("builder");
    tree.arg("tree")
        .arg(release.reference())
        .args(["--plain-http", "--json", "--evidence", &own]);
    let tree = tree.output().unwrap();
    let said = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.status.success() && said.contains(&own), "{tree:?}");
    assert!(said.contains("tee-signed-image-repos"), "{said}");
}

/// A repository that the policy names and that cannot be read is an error, and never means that nothing is there.
#[test]
fn evidence_that_cannot_be_read_is_no_absence() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    passed(&release.countersign().output().unwrap());
    let closed = release.with_evidence("127.0.0.1:1/collaborator/evidence");
    let output = closed.authorize().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("reading evidence in 127.0.0.1:1/collaborator/evidence"),
        "{said}"
    );
    assert_eq!(release.members(), [EARLIER]);
    let empty = release.with_evidence(&release.own_repository());
    passed(&empty.authorize().output().unwrap());
}

#[test]
fn a_countersignature_is_written_into_a_new_folder_on_request() {
    let rehearsal = Rehearsal::new();
    let release = rehearsal.publish("data");
    let before = release.pieces();
    let keep = || {
        let mut countersign = release.countersign();
        countersign.arg("--output").arg(rehearsal.path("kept"));
        countersign.output().unwrap()
    };
    let report = passed(&keep());
    assert_eq!(report["countersignature"]["denied"], Value::Null);
    assert_eq!(release.pieces(), before);
    let again = keep();
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("exists already"), "{said}");
}

/// After the verdict, between the signatures, before the binding and after it: a second run completes
/// what is missing. The steps are shared, since a client waits after each change of a tag.
#[test]
fn a_verifier_that_is_killed_between_two_steps_can_be_run_again() {
    std::thread::scope(|scope| {
        for first in 0..SHARES {
            scope.spawn(move || kill_after(first));
        }
    });
}

/// Kills the verifier after `first` requests that change something, after [`SHARES`] more, and so on until it is complete.
fn kill_after(first: usize) {
    let rehearsal = Rehearsal::new();
    for writes in (first..MOST).step_by(SHARES) {
        let release = rehearsal.publish(&format!("data-{writes}"));
        let reached = rehearsal.proxy.hold(writes);
        let steps = [release.countersign(), release.authorize()];
        let was_killed = steps.into_iter().any(|mut command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            kill_when(&reached, command.spawn().unwrap())
        });
        let done = rehearsal.proxy.writes();
        rehearsal.proxy.release();
        if was_killed {
            check_killed(&release, writes, &done);
        } else {
            assert!(done.len() < writes, "{done:?}");
            assert!(writes > 6, "{done:?}");
        }
        check_end(&release, &complete(&release));
        if !was_killed {
            return;
        }
    }
    panic!("not complete after {MOST} requests");
}

/// The key has the binding only after the last request, and everything else is published by then.
#[track_caller]
fn check_killed(release: &Release<'_>, writes: usize, done: &[String]) {
    let last = done.last().map_or("", String::as_str);
    let is_bound = writes > 0 && last.ends_with(":setIamPolicy");
    let members = 1 + usize::from(is_bound);
    assert_eq!(release.members().len(), members, "{done:?}");
    if is_bound {
        assert_eq!(release.pieces(), once_each(PUBLISHED));
    }
}

/// Kills `child` when `reached` receives a message. Returns whether that was before `child` ended.
fn kill_when(reached: &Receiver<()>, mut child: Child) -> bool {
    loop {
        match reached.try_recv() {
            Ok(()) => {
                child.kill().unwrap();
                child.wait().unwrap();
                return true;
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        if child.try_wait().unwrap().is_some() {
            return reached.try_recv().is_ok();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
