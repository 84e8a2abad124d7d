use content::Digest;
use google_cloud_iam_v1::model::{Binding as Granted, Policy};
use serde_json::json;

use super::*;
use grant::live::{Key, Pool, Provider};

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
    Some(Pool { state, disabled })
}

fn live(members: &[&str]) -> Live {
    let bindings = [Granted::new().set_role(ROLE).set_members(members.to_vec())];
    Live {
        key: Key {
            purpose: "ENCRYPT_DECRYPT".to_owned(),
            protection: "HSM".to_owned(),
            primary: Some("ENABLED".to_owned()),
        },
        key_policy: Policy::new().set_bindings(bindings),
        ring_policy: Policy::new(),
        pool: pool("ACTIVE", false),
        providers: vec![provider("attest", "ACTIVE")],
    }
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

/// The codes of all observations that are not a pass, and whether everything is as granted.
fn audited(live: &Live) -> (Vec<&'static str>, bool) {
    let audit = Audit::of(live, &grant(), Some(&verdicts()), now()).unwrap();
    let observations = audit.observations().iter();
    let others = observations.filter(|it| it.what.outcome() != Outcome::Pass);
    let codes = others.map(|it| it.what.code()).collect();
    (codes, audit.is_as_granted())
}

#[test]
fn a_binding_with_a_verdict_is_as_granted() {
    let live = live(&[
        &image("good"),
        "serviceAccount:owner@one.iam.gserviceaccount.com",
    ]);
    assert_eq!(audited(&live), (vec!["accepted"], true));
    let audit = Audit::of(&live, &grant(), None, now()).unwrap();
    assert!(audit.is_as_granted());
    assert!(
        audit.to_string().contains("no verdicts were given"),
        "{audit}"
    );
    assert!(
        audit
            .to_string()
            .ends_with(grant().key().to_string().as_str())
    );
    let end = "as granted, except for 1 image(s) not compared (give --verdicts): ";
    assert!(audit.to_string().contains(end), "{audit}");
    let json = audit.to_json();
    assert_eq!(
        (&json["as_granted"], &json["not_compared"]),
        (&json!(true), &json!(1))
    );
    let compared = Audit::of(&live, &grant(), Some(&verdicts()), now()).unwrap();
    assert_eq!(compared.to_json()["not_compared"], 0);
    assert!(
        compared.to_string().contains("\nas granted: "),
        "{compared}"
    );
}

#[test]
fn a_member_whose_digest_is_none_fails_without_verdicts_too() {
    let member = format!("principalSet://{POOL}/attribute.image_digest/latest");
    let audit = Audit::of(&live(&[&member]), &grant(), None, now()).unwrap();
    assert!(!audit.is_as_granted(), "{audit}");
}

#[test]
fn members_that_are_no_approved_image_are_named() {
    let other_pool = image("good").replace("/trusted/", "/other/");
    let subject = format!("principal://{POOL}/subject/x");
    let reference = format!("principalSet://{POOL}/attribute.image_reference/x");
    let deleted = format!("deleted:{}?uid=1", image("good"));
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
        ("user:someone@one.example".to_owned(), "not-attested"),
        ("allUsers".to_owned(), "not-attested"),
        (deleted, "deleted-member"),
    ] {
        let live = live(&[&image("good"), &member]);
        assert_eq!(audited(&live), (vec![code], false), "{member}");
    }
}

#[test]
fn approved_images_that_are_not_bound_are_noted() {
    assert_eq!(audited(&live(&[])), (vec!["unbound"], true));
}

#[test]
fn conditions_are_windows_that_have_not_ended() {
    for (expression, expected) in [
        (
            "request.time < timestamp('2026-11-29T07:00:00Z')",
            (vec![], true),
        ),
        (
            "request.time < timestamp('2026-11-29T05:00:00Z')",
            (vec!["window-ended"], false),
        ),
        (
            "request.time > timestamp('2026-11-29T05:00:00Z')",
            (vec!["other-condition"], false),
        ),
        (
            "(true) || (true) && request.time < timestamp('2026-11-29T07:00:00Z')",
            (vec!["other-condition"], false),
        ),
    ] {
        let mut live = live(&[&image("good")]);
        let condition = live.key_policy.bindings[0]
            .condition
            .get_or_insert_default();
        expression.clone_into(&mut condition.expression);
        assert_eq!(audited(&live), expected, "{expression}");
    }
}

#[test]
fn roles_are_those_of_the_grant() {
    let someone = "user:someone@one.example".to_owned();
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
            someone.clone(),
            (vec!["administrator"], false),
        ),
        (
            "roles/owner",
            someone.clone(),
            (vec!["not-attested"], false),
        ),
        (
            "projects/one/roles/own",
            someone.clone(),
            (vec!["unknown-role"], false),
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
            (vec!["unknown-role"], false),
        ),
        ("roles/cloudkms.viewer", someone, (vec![], true)),
    ] {
        let mut live = live(&[&image("good")]);
        let granted = Granted::new().set_role(role).set_members([member]);
        live.ring_policy = Policy::new().set_bindings([granted]);
        assert_eq!(audited(&live), expected, "{role}");
    }
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
    let disabled = |live: &mut Live| live.providers[0].disabled = true;
    assert_eq!(with(&disabled), (vec!["provider-closed"], false));
    let second = |live: &mut Live| live.providers.push(provider("second", "ACTIVE"));
    assert_eq!(with(&second), (vec!["other-provider"], false));
    let deleted = |live: &mut Live| live.providers.push(provider("second", "DELETED"));
    assert_eq!(with(&deleted), (vec!["deleted-provider"], true));
    let condition = |live: &mut Live| live.providers[0].attribute_condition.clear();
    assert_eq!(with(&condition), (vec!["provider-differs"], false));
}

#[test]
fn a_grant_without_a_provider_cannot_be_audited() {
    let (without, _) = GRANT.split_once("[provider]").unwrap();
    let grant = Grant::parse(without.as_bytes()).unwrap();
    let error = Audit::of(&live(&[]), &grant, None, now()).unwrap_err();
    assert!(error.to_string().contains("[provider]"), "{error}");
}
