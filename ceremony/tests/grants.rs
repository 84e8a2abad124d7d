//! `verifier authorize --plan`, `rotate`, `audit` and `revoke` against the emulator.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../src/cloud.rs"]
#[allow(dead_code, reason = "only the ceremony uses all of it")]
mod cloud;
#[path = "../src/error.rs"]
#[allow(dead_code, reason = "only the ceremony has all of these errors")]
mod error;
#[allow(dead_code, reason = "only other tests use all of it")]
mod rehearsal;

use std::process::{Command, Output};

use error::Error;
use rehearsal::{EARLIER, Rehearsal, Release};
use serde_json::{Value, json};

#[track_caller]
fn report(output: &Output, status: i32) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn countersigned(rehearsal: &Rehearsal) -> Release<'_> {
    let release = rehearsal.publish("data");
    report(&release.countersign().output().unwrap(), 0);
    release
}

/// The member of an image that was bound earlier.
fn old(release: &Release<'_>) -> String {
    let member = release.member();
    let (set, _) = member.rsplit_once(':').unwrap();
    format!("{set}:{}", "0".repeat(64))
}

#[test]
fn a_plan_shows_what_a_binding_would_change_and_changes_nothing() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    rehearsal.proxy.release();
    let planned = report(&release.planned().output().unwrap(), 0);
    assert_eq!(rehearsal.proxy.writes(), [""; 0]);
    assert_eq!(release.members(), [EARLIER]);
    assert_eq!(planned["binding"]["applied"], false);
    let plan = &planned["binding"]["plan"];
    let change = json!({
        "change": "add",
        "role": cloud::DECRYPTER,
        "member": release.member(),
        "condition": null,
    });
    assert_eq!(plan["changes"], json!([change]));
    assert_eq!(plan["unchanged"], 1);
    report(&release.authorize().output().unwrap(), 0);
    let again = report(&release.planned().output().unwrap(), 0);
    assert_eq!(again["binding"]["plan"]["changes"], json!([]));
}

#[test]
fn a_rotation_binds_the_new_image_before_it_retires_the_old_ones() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    let (old, new) = (old(&release), release.member());
    release.bind(&old);
    rehearsal.proxy.release();
    let planned = report(&release.rotate(&["--keep", "1h"]).output().unwrap(), 0);
    assert_eq!(planned["rotation"]["applied"], false);
    assert_eq!(rehearsal.proxy.writes(), [""; 0]);

    // A verifier that is killed after its first write leaves both images bound.
    let reached = rehearsal.proxy.hold(1);
    let mut child = release
        .rotate(&["--keep", "1h", "--apply"])
        .spawn()
        .unwrap();
    reached
        .recv_timeout(std::time::Duration::from_secs(60))
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    rehearsal.proxy.release();
    let mut all = vec![old.clone(), new.clone(), EARLIER.to_owned()];
    all.sort();
    assert_eq!(release.members(), all);

    let rotated = report(
        &release
            .rotate(&["--keep", "1h", "--apply"])
            .output()
            .unwrap(),
        0,
    );
    assert_eq!(
        rotated["rotation"]["changed"],
        json!({"new_image": false, "other_images": true})
    );
    let conditions = release.conditions(&old);
    let [Some(condition)] = &conditions[..] else {
        panic!("{conditions:?}");
    };
    assert!(
        condition.starts_with("request.time < timestamp('"),
        "{condition}"
    );
    assert_eq!(release.conditions(&new), [None]);
    assert_eq!(release.conditions(EARLIER), [None]);

    report(&release.rotate(&["--apply"]).output().unwrap(), 0);
    let mut left = [new, EARLIER.to_owned()];
    left.sort();
    assert_eq!(release.members(), left);
}

/// What a command prints, and what it says, for people.
#[track_caller]
fn words(command: &Command) -> (String, String) {
    let output = Release::in_words(command).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = text(output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    (text(output.stdout), said)
}

const OTHERS: &str = "this command looks at the policy of the key, under the role of the grant, by digest; `verifier audit` shows who else \
                      may decrypt";

#[test]
fn a_rotation_is_told_in_words() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    let (old, new) = (old(&release), release.member());
    release.bind(&old);
    rehearsal.proxy.release();
    let role = cloud::DECRYPTER;

    let (planned, said) = words(&release.rotate(&[]));
    let changes = format!("  {role}\n    - {old}\n    + {new}\nunchanged: 1 other member(s)\n");
    assert!(planned.starts_with("policy of projects/"), "{planned}");
    assert!(planned.ends_with(&changes), "{planned}");
    assert!(
        said.ends_with("\nnothing was changed: --apply changes it\n"),
        "{said}"
    );

    let (planned, said) = words(&release.rotate(&["--keep", "1h", "--apply"]));
    assert!(
        planned.contains(&format!("{role}, if request.time < timestamp('")),
        "{planned}"
    );
    let [.., added, retired, others] = &said.lines().collect::<Vec<_>>()[..] else {
        panic!("{said}");
    };
    assert_eq!(*added, "the new image has the role");
    let start =
        format!("in the policy of the key, other images of the pool have {role} by digest until 2");
    assert!(
        retired.starts_with(&start) && retired.ends_with("Z at the latest"),
        "{retired}"
    );
    assert_eq!(*others, OTHERS);

    let (_, said) = words(&release.rotate(&["--apply"]));
    let gone = format!(
        "in the policy of the key, no other image of the pool has {role} by digest any more"
    );
    let end = format!("\nthe new image already had the role\n{gone}\n{OTHERS}\n");
    assert!(said.ends_with(&end), "{said}");

    let (planned, said) = words(&release.rotate(&["--apply"]));
    assert!(
        planned.ends_with("cryptoKeys/data stays as it is\n"),
        "{planned}"
    );
    let end =
        format!("\nthe new image already had the role\nno other image was changed\n{OTHERS}\n");
    assert!(said.ends_with(&end), "{said}");
}

#[test]
fn a_revocation_is_told_in_words() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    report(&release.authorize().output().unwrap(), 0);
    let digest = release.digest();
    let (role, key) = (
        cloud::DECRYPTER,
        "projects/collaborator/locations/global/keyRings/ring/cryptoKeys/data",
    );
    let gone = format!("binding of {digest} to {role} removed from the policy of {key}\n");
    let absent = format!("the policy of {key} has no binding of {digest} to {role}\n");
    for first in [gone, absent] {
        let (printed, said) = words(&release.revoke());
        assert_eq!(printed, "");
        let rest = said.strip_prefix(&first);
        let rest = rest.unwrap_or_else(|| panic!("{said}"));
        let [measured, others, tokens, pool] = &rest.lines().collect::<Vec<_>>()[..] else {
            panic!("{rest}");
        };
        assert!(
            measured.starts_with("not measured, for lack of --probe: "),
            "{measured}"
        );
        assert_eq!(*others, OTHERS);
        assert!(
            tokens.starts_with("access tokens stay valid for up to an hour, "),
            "{tokens}"
        );
        assert!(pool.ends_with(" --location=global --disabled"), "{pool}");
    }
}

#[test]
fn an_audit_names_all_that_is_not_as_granted() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    let verdicts = rehearsal.path("verdicts");
    std::fs::create_dir(&verdicts).unwrap();
    let verdict = release.authorize().output().unwrap();
    report(&verdict, 0);
    std::fs::write(verdicts.join("data.json"), &verdict.stdout).unwrap();
    release.make_provider("attest");
    let codes = |status| {
        let audited = report(&release.audit(&verdicts).output().unwrap(), status);
        let observed = audited["observations"].as_array().unwrap().clone();
        let failed = observed.into_iter().filter(|it| it["outcome"] == "FAIL");
        let codes = failed.map(|it| it["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes(0), [""; 0]);
    release.bind(&old(&release));
    assert_eq!(codes(1), ["unknown-image"]);
    release.make_provider("second");
    assert_eq!(codes(1), ["unknown-image", "other-provider"]);
    release.change_pool("PATCH", "?updateMask=disabled", &json!({"disabled": true}));
    assert_eq!(codes(1), ["unknown-image", "pool-closed", "other-provider"]);
    release.change_pool("DELETE", "", &Value::Null);
    assert_eq!(codes(1), ["unknown-image", "pool-closed", "other-provider"]);
}

#[test]
fn an_audit_names_who_inherits_a_role_from_the_project() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    let verdicts = rehearsal.path("verdicts");
    std::fs::create_dir(&verdicts).unwrap();
    let verdict = release.authorize().output().unwrap();
    std::fs::write(verdicts.join("data.json"), &verdict.stdout).unwrap();
    release.make_provider("attest");
    let of_project = |status| {
        let audited = report(&release.audit(&verdicts).output().unwrap(), status);
        let is_unread = audited["as_granted"].is_null();
        assert_eq!(
            (is_unread, &audited["unread"]),
            (status == 2, &json!(usize::from(is_unread)))
        );
        let observed = audited["observations"].as_array().unwrap().clone();
        let found = observed.into_iter().filter(|it| it["place"] == "project");
        let found = found.inspect(|it| assert_eq!(it["resource"], "projects/collaborator"));
        let codes = found.map(|it| it["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    // The owner of the project owns the key, as other_members says.
    assert_eq!(of_project(0), ["accepted"]);
    let eve = "user:eve@one.example";
    for (role, code) in [
        (cloud::DECRYPTER, "not-attested"),
        ("roles/cloudkms.admin", "administrator"),
        ("roles/resourcemanager.projectIamAdmin", "administrator"),
    ] {
        release.bind_above(&[json!({"role": role, "members": [eve]})]);
        assert_eq!(of_project(1), ["accepted", code], "{role}");
    }
    let mut alone = release.audit(&verdicts);
    let alone = report(&alone.arg("--without-ancestors").output().unwrap(), 0);
    assert_eq!(alone["as_granted"], true);
    let not_read = alone["not_read"].as_str().unwrap();
    assert!(
        not_read.starts_with("policies of the project"),
        "{not_read}"
    );
    let observed = alone["observations"].as_array().unwrap();
    assert!(
        observed.iter().all(|it| it["place"] != "project"),
        "{alone}"
    );
    // What this role allows is looked up.
    release.bind_above(&[json!({"role": "roles/pubsub.publisher", "members": [eve]})]);
    assert_eq!(of_project(0), ["accepted"]);
    release.bind_above(&[json!({"role": cloud::DECRYPTER, "members": [old(&release)]})]);
    assert_eq!(of_project(1), ["accepted", "unknown-image"]);
    release.bind_above(&[]);
    assert_eq!(of_project(0), ["accepted"]);
}

#[test]
fn a_revocation_says_what_it_measured() {
    let rehearsal = Rehearsal::new();
    let release = countersigned(&rehearsal);
    report(&release.authorize().output().unwrap(), 0);
    let revoked = release.revoke().output().unwrap();
    let said = String::from_utf8_lossy(&revoked.stderr).into_owned();
    let revoked = report(&revoked, 0);
    assert_eq!(
        (&revoked["was_bound"], &revoked["policy_is_without_it"]),
        (&json!(true), &json!(true))
    );
    assert!(said.contains("not measured, for lack of --probe"), "{said}");
    assert!(
        said.contains("workload-identity-pools update confidential-space"),
        "{said}"
    );
    assert_eq!(release.members(), [EARLIER]);
}
