use content::Digest;
use serde_json::json;

use super::*;
use crate::live::{Above, Binding, Condition, Key, Pool, Provider, Status, Unread};
use crate::role::Roles;

const GRANT: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
protection_level = "HSM"
other_members = ["serviceAccount:owner@one.iam.gserviceaccount.com", "allUsers", "allAuthenticatedUsers"]
[provider]
project = "collaborator-1"
id = "attest"
audience = "https://collaborator-1.example/countersign"
hardware = ["INTEL_TDX"]
"#;
const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";
const POOL: &str =
    "iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/trusted";

fn grant() -> Grant {
    Grant::parse(GRANT.as_bytes()).unwrap()
}

fn provider(id: &str, state: &str) -> Provider {
    let mut body = json!(grant().provider().unwrap().body());
    body["name"] = json!(format!("{}/providers/{id}", grant().pool()));
    body["state"] = json!(state);
    serde_json::from_value(body).unwrap()
}

fn pool(state: &str, disabled: bool) -> Option<Pool> {
    let state = state.to_owned();
    let status = Status { state, disabled };
    Some(Pool { status })
}

fn live(members: &[&str]) -> Live {
    Live {
        key: Key {
            purpose: "ENCRYPT_DECRYPT".to_owned(),
            protection: "HSM".to_owned(),
            primary: Some("ENABLED".to_owned()),
        },
        key_policy: policy(ROLE, members),
        ring_policy: Policy::default(),
        above: Vec::new(),
        pool: pool("ACTIVE", false),
        providers: vec![provider("attest", "ACTIVE")],
        roles: Roles::default(),
    }
}

fn policy(role: &str, members: &[&str]) -> Policy {
    let binding = Binding {
        role: role.to_owned(),
        members: members.iter().map(|&member| member.to_owned()).collect(),
        condition: None,
    };
    Policy {
        bindings: vec![binding],
    }
}

/// The condition of the first binding of the key.
fn set_condition(live: &mut Live, expression: &str) {
    let expression = expression.to_owned();
    live.key_policy.bindings[0].condition = Some(Condition { expression });
}

fn verdicts() -> Verdicts {
    Verdicts {
        approved: [b"good".as_slice(), b"both"].map(Digest::of).into(),
        refused: [b"both".as_slice(), b"bad"].map(Digest::of).into(),
    }
}

fn image(name: &str) -> String {
    let digest = Digest::of(name.as_bytes());
    format!("principalSet://{POOL}/attribute.image_digest/{digest}")
}

fn now() -> DateTime<Utc> {
    "2026-11-29T06:00:00Z".parse().unwrap()
}

fn inspected(live: &Live, verdicts: Option<&Verdicts>) -> Vec<Observation> {
    let grant = grant();
    let inspection = Inspection {
        grant: &grant,
        verdicts,
        now: now(),
    };
    inspection.of(live).unwrap()
}

/// The codes of all findings that are not a pass, and whether everything is as granted.
fn audited(live: &Live) -> (Vec<&'static str>, bool) {
    let all = inspected(live, Some(&verdicts()));
    let others = all
        .iter()
        .filter(|it| it.finding.outcome() != Outcome::Pass);
    let codes = others.map(|it| it.finding.code()).collect();
    let is_failed = |it: &Observation| it.finding.outcome() == Outcome::Fail;
    (codes, !all.iter().any(is_failed))
}

/// Whether data may be sent.
fn is_sendable(live: &Live) -> bool {
    let all = inspected(live, Some(&verdicts()));
    !all.iter().any(|it| it.finding.forbids_sending())
}

#[test]
fn a_binding_with_a_verdict_is_as_granted() {
    let owner = "serviceAccount:owner@one.iam.gserviceaccount.com";
    let live = live(&[&image("good"), owner]);
    assert_eq!(audited(&live), (vec!["accepted"], true));
    assert!(is_sendable(&live));
    let unchecked = inspected(&live, None);
    let code = |it: &&Observation| it.finding.code() == "unchecked";
    assert_eq!(unchecked.iter().filter(code).count(), 1);
    assert!(unchecked.iter().any(|it| it.finding.forbids_sending()));
}

#[test]
fn members_that_are_no_approved_image_are_named() {
    let other_pool = image("good").replace("/trusted/", "/other/");
    let subject = format!("principal://{POOL}/subject/x");
    let reference = format!("principalSet://{POOL}/attribute.image_reference/x");
    let deleted = format!("deleted:{}?uid=1", image("good"));
    let workforce =
        "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/eve";
    for (member, code) in [
        (image("unknown"), "unknown-image"),
        (image("bad"), "refused-image"),
        (image("both"), "refused-image"),
        (format!("principalSet://{POOL}/*"), "whole-pool"),
        (subject, "not-an-image"),
        (reference, "not-an-image"),
        (
            format!("principalSet://{POOL}/attribute.image_digest/latest"),
            "not-an-image",
        ),
        (other_pool, "other-pool"),
        (
            "principal://iam.googleapis.com/nonsense".to_owned(),
            "other-pool",
        ),
        ("user:eve@one.example".to_owned(), "not-attested"),
        ("allUsers".to_owned(), "not-attested"),
        (deleted, "deleted-member"),
        (format!("deleted:{workforce}"), "deleted-member"),
        (
            "deleted:user:eve@one.example?uid=1".to_owned(),
            "deleted-member",
        ),
        (workforce.to_owned(), "workforce"),
        (
            "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*".to_owned(),
            "workforce",
        ),
        // By the project's ID, IAM knows no member.
        (image("good").replace("1234", "one"), "other-pool"),
        (image("good").to_uppercase(), "not-attested"),
        (format!("{}/", image("good")), "not-an-image"),
        ("projectOwner:one".to_owned(), "not-attested"),
    ] {
        let live = live(&[&image("good"), &member]);
        assert_eq!(audited(&live), (vec![code], false), "{member}");
        assert!(!is_sendable(&live), "{member}");
    }
}

#[test]
fn approved_images_that_are_not_bound_are_noted() {
    assert_eq!(audited(&live(&[])), (vec!["unbound"], true));
}

#[test]
fn conditions_are_windows_that_have_not_ended() {
    for (expression, expected, is_open) in [
        (
            "request.time < timestamp('2026-11-29T07:00:00Z')",
            (vec![], true),
            true,
        ),
        (
            "request.time < timestamp('2026-11-29T05:00:00Z')",
            (vec!["window-ended"], false),
            true,
        ),
        (
            "request.time > timestamp('2026-11-29T05:00:00Z')",
            (vec!["other-condition"], false),
            false,
        ),
        (
            "(true) || (true) && request.time < timestamp('2026-11-29T07:00:00Z')",
            (vec!["other-condition"], false),
            false,
        ),
    ] {
        let mut live = live(&[&image("good")]);
        set_condition(&mut live, expression);
        assert_eq!(audited(&live), expected, "{expression}");
        assert_eq!(is_sendable(&live), is_open, "{expression}");
        for (name, code) in [("unknown", "unknown-image"), ("bad", "refused-image")] {
            live.key_policy.bindings[0].members = vec![image(name)];
            let (codes, _) = audited(&live);
            assert!(codes.contains(&code), "{expression}: {codes:?}");
            assert!(!is_sendable(&live), "{expression}");
        }
    }
}

#[test]
fn an_image_is_bound_by_the_role_of_the_grant_at_all_times_or_in_a_window() {
    let grant = grant();
    let inspection = Inspection {
        grant: &grant,
        verdicts: None,
        now: now(),
    };
    let is_bound = |live: &Live, name: &str| {
        let image = Digest::of(name.as_bytes());
        let all = inspection.for_image(live, &image).unwrap();
        !all.iter().any(|it| it.finding.code() == "missing")
    };
    let mut bound = live(&[&image("good")]);
    assert!(is_bound(&bound, "good"));
    assert!(!is_bound(&bound, "bad"));
    for (expression, expected) in [
        ("request.time < timestamp('2026-11-29T07:00:00Z')", true),
        ("request.time < timestamp('2026-11-29T06:00:00Z')", false),
        ("true", false),
    ] {
        set_condition(&mut bound, expression);
        assert_eq!(is_bound(&bound, "good"), expected, "{expression}");
    }
    bound.key_policy = policy("roles/owner", &[&image("good")]);
    assert!(!is_bound(&bound, "good"));
}

#[test]
fn roles_are_those_of_the_grant() {
    let eve = "user:eve@one.example".to_owned();
    let owner = "serviceAccount:owner@one.iam.gserviceaccount.com".to_owned();
    for (role, member, expected) in [
        (
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            image("good"),
            (vec!["other-role"], false),
        ),
        (
            "roles/cloudkms.cryptoKeyEncrypter",
            image("good"),
            (vec![], true),
        ),
        (
            "roles/cloudkms.admin",
            eve.clone(),
            (vec!["administrator"], false),
        ),
        ("roles/owner", eve.clone(), (vec!["not-attested"], false)),
        (
            "projects/one/roles/own",
            eve.clone(),
            (vec!["unknown-role"], true),
        ),
        (
            "roles/cloudkms.admin",
            owner.clone(),
            (vec!["accepted"], true),
        ),
        ("projects/one/roles/own", owner, (vec!["accepted"], true)),
        (
            "roles/cloudkms.admin",
            "allUsers".to_owned(),
            (vec!["administrator"], false),
        ),
        (
            "projects/one/roles/own",
            "allAuthenticatedUsers".to_owned(),
            (vec!["unknown-role"], true),
        ),
        ("roles/cloudkms.viewer", eve, (vec![], true)),
    ] {
        let mut live = live(&[&image("good")]);
        live.ring_policy = policy(role, &[&member]);
        assert_eq!(audited(&live), expected, "{role}");
    }
}

#[test]
fn what_a_workload_administers_is_found() {
    for role in [
        "roles/cloudkms.admin",
        "roles/iam.workloadIdentityPoolAdmin",
    ] {
        let mut live = live(&[&image("good")]);
        live.ring_policy = policy(role, &[&image("good")]);
        assert_eq!(audited(&live), (vec!["other-role"], false), "{role}");
    }
}

#[test]
fn what_a_role_allows_is_learned() {
    let eve = "user:eve@one.example";
    let role = "projects/one/roles/own";
    let mut live = live(&[&image("good")]);
    live.ring_policy = policy(role, &[eve]);
    let unread = Unread {
        fault: "reading projects/one/roles/own: status 403: no".to_owned(),
        hint: "ask",
    };
    live.roles.learn(role.to_owned(), Err(unread));
    let all = inspected(&live, Some(&verdicts()));
    let found = all.iter().find(|it| it.finding.code() == "unknown-role");
    let found = found.unwrap();
    assert_eq!(found.finding.outcome(), Outcome::Unread);
    let reason = "not known: reading projects/one/roles/own: status 403: no; ask";
    assert!(found.to_string().ends_with(reason), "{found}");
    assert!(!is_sendable(&live));
    live.roles.learn(
        role.to_owned(),
        Ok(vec!["logging.logEntries.create".to_owned()]),
    );
    assert_eq!(audited(&live), (vec![], true));
    let decrypt = "cloudkms.cryptoKeyVersions.useToDecrypt".to_owned();
    live.roles.learn(role.to_owned(), Ok(vec![decrypt]));
    assert_eq!(audited(&live), (vec!["not-attested"], false));
}

#[test]
fn what_the_project_is_in_counts_and_what_is_unread_is_not_a_pass() {
    let mut live = live(&[&image("good")]);
    let above = |level, name: &str, policy| Above {
        level,
        name: name.to_owned(),
        policy,
    };
    let eve = policy("roles/cloudkms.cryptoOperator", &["user:eve@one.example"]);
    let unread = Unread {
        fault: "status 403".to_owned(),
        hint: "ask",
    };
    live.above = vec![
        above(Level::Project, "projects/one", Ok(Policy::default())),
        above(Level::Folder, "folders/12", Ok(eve)),
    ];
    assert_eq!(audited(&live), (vec!["not-attested"], false));
    let all = inspected(&live, Some(&verdicts()));
    let found = all.iter().find(|it| it.finding.code() == "not-attested");
    let found = found.unwrap();
    assert_eq!(found.place, Place::Above(Level::Folder));
    assert!(found.to_string().starts_with("in folders/12: user:eve"));
    live.above = vec![above(Level::Organization, "organizations/3", Err(unread))];
    assert_eq!(audited(&live), (vec!["unread"], true));
    assert!(!is_sendable(&live));
}

#[test]
fn the_key_is_as_granted() {
    let good = [image("good")];
    let with = |change: &dyn Fn(&mut Key)| {
        let mut live = live(&[&good[0]]);
        change(&mut live.key);
        audited(&live)
    };
    let unusable = (vec!["key-unusable"], false);
    assert_eq!(with(&|key| key.purpose = "MAC".into()), unusable);
    assert_eq!(with(&|key| key.primary = None), unusable);
    assert_eq!(
        with(&|key| key.primary = Some("DESTROYED".into())),
        unusable
    );
    let software = with(&|key| key.protection = "SOFTWARE".into());
    assert_eq!(software, (vec!["protection-level"], false));
}

#[test]
fn pool_and_providers_are_as_granted() {
    let good = image("good");
    let with = |change: &dyn Fn(&mut Live)| {
        let mut live = live(&[&good]);
        change(&mut live);
        audited(&live)
    };
    let closed = (vec!["pool-closed"], false);
    assert_eq!(with(&|live| live.pool = pool("ACTIVE", true)), closed);
    assert_eq!(with(&|live| live.pool = pool("DELETED", false)), closed);
    assert_eq!(with(&|live| live.pool = None), (vec!["no-pool"], false));
    assert_eq!(
        with(&|live| live.providers.clear()),
        (vec!["no-provider"], false)
    );
    let disabled = |live: &mut Live| live.providers[0].status.disabled = true;
    assert_eq!(with(&disabled), (vec!["provider-closed"], false));
    let second = |live: &mut Live| live.providers.push(provider("second", "ACTIVE"));
    assert_eq!(with(&second), (vec!["other-provider"], false));
    let deleted = |live: &mut Live| live.providers.push(provider("second", "DELETED"));
    assert_eq!(with(&deleted), (vec!["deleted-provider"], true));
    let condition = |live: &mut Live| live.providers[0].attribute_condition.clear();
    assert_eq!(with(&condition), (vec!["provider-differs"], false));
}

#[test]
fn without_a_provider_in_the_grant_there_is_no_answer() {
    let (without, _) = GRANT.split_once("[provider]").unwrap();
    let inspection = Inspection {
        grant: &Grant::parse(without.as_bytes()).unwrap(),
        verdicts: None,
        now: now(),
    };
    let error = inspection.of(&live(&[])).unwrap_err();
    assert!(error.to_string().contains("[provider]"), "{error}");
}
