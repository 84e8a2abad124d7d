use content::Digest;
use grant::live::{Above, Binding, Key, Level, Policy, Unread};
use grant::role::Roles;
use grant::{Grant, Verdicts};

use super::*;

const GRANT: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
[provider]
project = "collaborator-1"
id = "attest"
audience = "https://collaborator-1.example/countersign"
hardware = ["INTEL_TDX"]
"#;

fn grant() -> Grant {
    Grant::parse(GRANT.as_bytes()).unwrap()
}

/// A key that is open to one image.
fn live() -> Live {
    let grant = grant();
    let mut provider = json!(grant.provider().unwrap().body());
    provider["name"] = json!(format!("{}/providers/attest", grant.pool()));
    provider["state"] = json!("ACTIVE");
    let binding = Binding {
        role: grant.role().to_string(),
        members: vec![grant.member(&Digest::of(b"image")).to_string()],
        condition: None,
    };
    Live {
        key: Key {
            purpose: "ENCRYPT_DECRYPT".to_owned(),
            protection: "HSM".to_owned(),
            primary: Some("ENABLED".to_owned()),
        },
        key_policy: Policy {
            bindings: vec![binding],
        },
        ring_policy: Policy::default(),
        above: Vec::new(),
        pool: serde_json::from_value(json!({"state": "ACTIVE"})).unwrap(),
        providers: vec![serde_json::from_value(provider).unwrap()],
        roles: Roles::default(),
    }
}

fn audit(live: &Live, verdicts: Option<&Verdicts>, scope: Scope) -> Audit {
    let inspection = Inspection {
        grant: &grant(),
        verdicts,
        now: "2026-11-29T06:00:00Z".parse().unwrap(),
    };
    Audit::of(live, &inspection, scope).unwrap()
}

fn approved() -> Verdicts {
    Verdicts {
        approved: [Digest::of(b"image")].into(),
        refused: [].into(),
    }
}

#[test]
fn an_image_without_verdicts_is_counted_as_not_compared() {
    let unchecked = audit(&live(), None, Scope::All);
    assert_eq!(unchecked.status(), Status::Yes);
    let end = "\nas granted; 1 image(s) not compared (give --verdicts): projects/";
    assert!(unchecked.to_string().contains(end), "{unchecked}");
    assert_eq!(unchecked.to_json()["not_compared"], 1);
    let compared = audit(&live(), Some(&approved()), Scope::All);
    assert_eq!(compared.to_json()["not_compared"], 0);
    assert_eq!(compared.to_json()["as_granted"], true);
    let text = compared.to_string();
    assert!(text.contains("\nas granted: "), "{text}");
    assert!(!text.contains("not read"), "{text}");
}

#[test]
fn what_could_not_be_read_is_no_pass_and_no_fail() {
    let mut live = live();
    let unread = Unread {
        fault: "reading the policy of organizations/3: status 403: no".to_owned(),
        hint: "ask",
    };
    live.above = vec![Above {
        level: Level::Organization,
        name: "organizations/3".to_owned(),
        policy: Err(unread),
    }];
    let partial = audit(&live, Some(&approved()), Scope::All);
    assert_eq!(partial.status(), Status::Unknown);
    let json = partial.to_json();
    assert_eq!(
        (&json["as_granted"], &json["unread"]),
        (&Value::Null, &json!(1))
    );
    let text = partial.to_string();
    assert!(
        text.contains("organizations/3") && text.contains("status 403: no; ask"),
        "{text}"
    );
    let end = "\nnot known whether as granted; 1 policies or roles could not be read: projects/";
    assert!(text.contains(end), "{text}");
    let end = "\nnot known whether as granted; 1 policies or roles could not be read; 1 image(s) not compared (give --verdicts): ";
    let text = audit(&live, None, Scope::All).to_string();
    assert!(text.contains(end), "{text}");
    live.key_policy.bindings[0]
        .members
        .push("allUsers".to_owned());
    assert_eq!(
        audit(&live, Some(&approved()), Scope::All).status(),
        Status::No
    );
}

#[test]
fn a_role_that_could_not_be_read_is_no_pass_and_no_fail_and_says_why() {
    let mut live = live();
    live.ring_policy.bindings.push(Binding {
        role: "projects/one/roles/own".to_owned(),
        members: vec!["user:eve@one.example".to_owned()],
        condition: None,
    });
    let unread = Unread {
        fault: "reading projects/one/roles/own: status 403: no".to_owned(),
        hint: "ask",
    };
    let role = "projects/one/roles/own".to_owned();
    live.roles.learn(role, Err(unread));
    let partial = audit(&live, Some(&approved()), Scope::All);
    assert_eq!(partial.status(), Status::Unknown);
    assert_eq!(partial.to_json()["unread"], 1);
    let text = partial.to_string();
    assert!(text.contains("roles/own: status 403: no; ask"), "{text}");
}

#[test]
fn an_audit_up_to_the_ring_says_what_it_leaves_out() {
    let ring = audit(&live(), Some(&approved()), Scope::Ring);
    assert_eq!(ring.status(), Status::Yes);
    let not_read = Scope::Ring.not_read().unwrap();
    assert!(ring.to_string().contains(not_read), "{ring}");
    let end = "\nas granted; what the key inherits from its project not read: projects/";
    assert!(ring.to_string().contains(end), "{ring}");
    assert_eq!(ring.to_json()["not_read"], not_read);
}

#[test]
fn a_grant_without_a_provider_cannot_be_audited() {
    let (without, _) = GRANT.split_once("[provider]").unwrap();
    let inspection = Inspection {
        grant: &Grant::parse(without.as_bytes()).unwrap(),
        verdicts: None,
        now: "2026-11-29T06:00:00Z".parse().unwrap(),
    };
    let error = Audit::of(&live(), &inspection, Scope::All).unwrap_err();
    assert!(error.to_string().contains("[provider]"), "{error}");
}
