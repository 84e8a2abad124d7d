use serde_json::json;

use super::*;
use crate::protojson::parse;
use crate::services::accounts::Caller;
use crate::services::testing::{OWNER, at, iam};

const SECRET: &str = "projects/project/secrets/model-key";

fn stranger() -> Context {
    Context {
        caller: Caller::ServiceAccount("stranger@other.iam.gserviceaccount.com".into()),
        now: 0,
    }
}

fn create(manager: &SecretManager, id: &str) -> Result<Secret, Status> {
    let notes = Notes::default();
    manager.create(&OWNER, "project", id, Replication::Automatic, notes)
}

fn manager() -> SecretManager {
    let manager = SecretManager::new(Stored::in_memory(Secrets::default()), Arc::new(iam()));
    let made = create(&manager, "model-key");
    made.unwrap();
    manager
}

fn secret() -> names::Secret {
    SECRET.parse().unwrap()
}

fn version(number: &str) -> VersionName {
    format!("{SECRET}/versions/{number}").parse().unwrap()
}

#[test]
fn versions_are_counted_and_accessed() {
    let manager = manager();
    for (data, number) in [(b"one".to_vec(), 1), (b"two".to_vec(), 2)] {
        let crc32c = Some(i64::from(crc32c::crc32c(&data)));
        let added = manager
            .add_version(&OWNER, &secret(), data, crc32c)
            .unwrap();
        assert_eq!(
            (added.name.number(), added.checked),
            (number, Checked::BySender)
        );
        let name = added.name.to_string();
        assert!(
            name.starts_with("projects/") && !name.contains("projects/project/"),
            "{name}"
        );
    }
    let access = |number| {
        manager
            .access(&OWNER, &version(number))
            .map(|found| found.data)
    };
    assert_eq!(access("1").unwrap(), b"one");
    assert_eq!(access("2").unwrap(), b"two");
    assert_eq!(access("latest").unwrap(), b"two");
    let missing = access("3").unwrap_err();
    assert_eq!(missing.code, 404);
    let numbers = manager.list_versions(&OWNER, &secret()).unwrap();
    let numbers: Vec<_> = numbers.iter().map(|found| found.name.number()).collect();
    assert_eq!(numbers, [2, 1]);
    let names: Vec<_> = manager.list(&OWNER, "project").unwrap();
    assert_eq!((names.len(), names[0].name.id()), (1, "model-key"));
}

#[test]
fn the_same_secret_is_created_once() {
    let manager = manager();
    let again = |id| create(&manager, id);
    assert_eq!(again("model-key").unwrap_err().code, 409);
    assert_eq!(again("bad id").unwrap_err().code, 400);
    manager.delete(&OWNER, &secret(), "").unwrap();
    assert_eq!(manager.get(&OWNER, &secret()).unwrap_err().code, 404);
    again("model-key").unwrap();
    assert_eq!(
        manager.access(&OWNER, &version("latest")).unwrap_err().code,
        404
    );
}

#[test]
fn a_payload_has_a_size_and_a_checksum() {
    let manager = manager();
    let add = |data: Vec<u8>, crc32c| {
        let added = manager.add_version(&OWNER, &secret(), data, crc32c);
        added.map(|_| ()).map_err(|status| status.code)
    };
    assert_eq!(add(vec![0; LIMIT], None), Ok(()));
    assert_eq!(add(vec![0; LIMIT + 1], None), Err(400));
    assert_eq!(add(Vec::new(), None), Err(400));
    assert_eq!(add(b"a".to_vec(), Some(0)), Err(400));
}

#[test]
fn a_version_that_is_not_enabled_is_not_accessed() {
    let manager = manager();
    manager
        .add_version(&OWNER, &secret(), b"one".to_vec(), None)
        .unwrap();
    let set = |state| manager.set_state(&at(7), &version("1"), state);
    let access = || {
        manager
            .access(&OWNER, &version("1"))
            .map(|found| found.data)
    };
    set(State::Disabled).unwrap();
    let refused = access().unwrap_err();
    assert_eq!((refused.code, refused.name), (400, "FAILED_PRECONDITION"));
    assert!(
        refused.message.ends_with("is in DISABLED state."),
        "{refused:?}"
    );
    set(State::Enabled).unwrap();
    assert_eq!(access().unwrap(), b"one");
    assert_eq!(set(State::Destroyed).unwrap().destroyed, Some(7));
    assert_eq!(set(State::Enabled).unwrap_err().code, 400);
    assert_eq!(access().unwrap_err().code, 400);
}

#[test]
fn only_an_accessor_reads_it_and_only_until_the_secret_is_deleted() {
    let manager = manager();
    manager
        .add_version(&OWNER, &secret(), b"one".to_vec(), None)
        .unwrap();
    let access = || {
        manager
            .access(&stranger(), &version("1"))
            .map(|found| found.data)
    };
    let refused = access().unwrap_err();
    assert_eq!(refused.code, 403);
    assert!(
        refused.message.contains("secretmanager.versions.access"),
        "{refused:?}"
    );
    let policy = json!({"policy": {"bindings": [
        {"role": "roles/secretmanager.secretAccessor", "members": ["allUsers"]},
    ]}});
    let change = parse(policy.to_string().as_bytes()).unwrap();
    manager.set_policy(&OWNER, &secret(), change).unwrap();
    assert_eq!(access().unwrap(), b"one");
    assert_eq!(manager.get(&stranger(), &secret()).unwrap_err().code, 403);
    let add = manager.add_version(&stranger(), &secret(), b"two".to_vec(), None);
    assert_eq!(add.unwrap_err().code, 403);
    manager.delete(&OWNER, &secret(), "").unwrap();
    create(&manager, "model-key").unwrap();
    manager
        .add_version(&OWNER, &secret(), b"new".to_vec(), None)
        .unwrap();
    assert_eq!(access().unwrap_err().code, 403);
}

#[test]
fn nobody_names_a_project_that_is_not_there() {
    let manager = manager();
    let other = "projects/other/secrets/model-key".parse().unwrap();
    assert_eq!(manager.get(&OWNER, &other).unwrap_err().code, 403);
    assert_eq!(manager.list(&OWNER, "other").unwrap_err().code, 403);
}

/// An update that changes nothing also gives a new etag (Secret Manager, "Use entity tags").
#[test]
fn an_update_changes_what_it_names_and_the_etag() {
    let manager = manager();
    let labels = |value: &str| {
        let labels = [("team".to_owned(), value.to_owned())].into();
        Some(crate::services::Labels::new(labels).unwrap())
    };
    let update = |update: SecretUpdate, etag: &str| manager.update(&OWNER, &secret(), update, etag);
    let first = manager.get(&OWNER, &secret()).unwrap();
    let bank = SecretUpdate {
        labels: labels("bank"),
        annotations: None,
    };
    let second = update(bank.clone(), &first.etag).unwrap();
    assert_eq!(Some(&second.notes.labels), bank.labels.as_ref());
    let stale = update(bank.clone(), &first.etag).unwrap_err();
    assert_eq!((stale.code, stale.name), (400, "FAILED_PRECONDITION"));
    let noted = SecretUpdate {
        labels: None,
        annotations: Some(Annotations::new([("a".into(), "b c".into())].into()).unwrap()),
    };
    let third = update(noted, &second.etag).unwrap();
    assert_eq!(Some(&third.notes.labels), bank.labels.as_ref());
    assert_eq!(third.notes.annotations.get()["a"], "b c");
    let same = update(SecretUpdate::default(), "").unwrap();
    assert_eq!(same.notes, third.notes);
    assert_ne!(same.etag, third.etag);
    let denied = manager.update(&stranger(), &secret(), SecretUpdate::default(), "");
    assert_eq!(denied.unwrap_err().code, 403);
    let stale = manager.delete(&OWNER, &secret(), &third.etag);
    assert_eq!(stale.unwrap_err().code, 400);
    manager.delete(&OWNER, &secret(), &same.etag).unwrap();
}
