use serde_json::json;

use super::*;
use crate::legacy_error::LegacyError;
use crate::protojson::parse;
use crate::services::accounts::Caller;
use crate::services::testing::{OWNER, at, iam};

fn stranger() -> Context {
    Context {
        caller: Caller::ServiceAccount("stranger@other.iam.gserviceaccount.com".into()),
        now: 0,
    }
}

fn storage() -> Storage {
    let storage = Storage::new(Stored::in_memory(Buckets::default()), Arc::new(iam()));
    storage
        .create_bucket(&OWNER, "project", "bank-data", ("US", Labels::default()))
        .unwrap();
    storage
}

fn upload(name: &str, content: &[u8]) -> Upload {
    Upload {
        name: name.into(),
        content_type: "text/plain".into(),
        content: content.to_vec(),
        crc32c: None,
        precondition: Precondition::None,
    }
}

fn bind(storage: &Storage, role: &str) {
    let policy = json!({"policy": {"bindings": [{"role": role, "members": ["allUsers"]}]}});
    let change = parse(policy.to_string().as_bytes()).unwrap();
    storage.set_policy(&OWNER, "bank-data", change).unwrap();
}

#[test]
fn another_content_has_another_generation() {
    let storage = storage();
    let put = |content| {
        storage
            .upload(&OWNER, "bank-data", upload("models/a", content))
            .unwrap()
    };
    let get = |generation| {
        let found = storage.get(&OWNER, "bank-data", "models/a", generation);
        found
            .map(|(_, content)| content)
            .map_err(|error| error.code)
    };
    let first = put(b"one").generation;
    assert_eq!(get(Generation::Exactly(first)), Ok(b"one".to_vec()));
    let second = put(b"two").generation;
    assert!(second > first);
    assert_eq!(get(Generation::Exactly(first)), Err(404));
    assert_eq!(get(Generation::Exactly(second)), Ok(b"two".to_vec()));
    assert_eq!(get(Generation::Newest), Ok(b"two".to_vec()));
    storage
        .delete(&OWNER, "bank-data", "models/a", Generation::Newest)
        .unwrap();
    assert_eq!(get(Generation::Newest), Err(404));
    assert!(put(b"two").generation > second);
}

#[test]
fn an_upload_keeps_its_precondition_and_checksum() {
    let storage = storage();
    let put = |precondition, crc32c| {
        let upload = Upload {
            precondition,
            crc32c,
            ..upload("a", b"alice")
        };
        storage
            .upload(&OWNER, "bank-data", upload)
            .map_err(|error| error.code)
    };
    let sum = crc32c::crc32c(b"alice");
    assert_eq!(put(Precondition::None, Some(sum + 1)).unwrap_err(), 400);
    assert_eq!(put(Precondition::Generation(1), None).unwrap_err(), 412);
    let made = put(Precondition::Absent, Some(sum)).unwrap();
    assert_eq!((made.size, made.crc32c), (5, sum));
    assert_eq!(put(Precondition::Absent, None).unwrap_err(), 412);
    put(Precondition::Generation(made.generation), None).unwrap();
}

#[test]
fn buckets_are_unique_and_are_deleted_when_empty() {
    let storage = storage();
    let create = |name| {
        storage
            .create_bucket(&OWNER, "project", name, ("US", Labels::default()))
            .map_err(|error| error.code)
    };
    assert_eq!(create("bank-data").unwrap_err(), 409);
    assert_eq!(create("Bad").unwrap_err(), 400);
    let put = upload("a", b"x");
    storage.upload(&OWNER, "bank-data", put).unwrap();
    let delete = || {
        storage
            .delete_bucket(&OWNER, "bank-data")
            .map_err(|error| error.code)
    };
    assert_eq!(delete(), Err(409));
    storage
        .delete(&OWNER, "bank-data", "a", Generation::Newest)
        .unwrap();
    assert_eq!(delete(), Ok(()));
    assert_eq!(delete(), Err(404));
    create("bank-data").unwrap();
}

#[test]
fn strangers_need_a_role_on_the_bucket() {
    let storage = storage();
    storage
        .upload(&OWNER, "bank-data", upload("a", b"x"))
        .unwrap();
    let read = || {
        storage
            .get(&stranger(), "bank-data", "a", Generation::Newest)
            .map(drop)
    };
    let write = |name| {
        storage
            .upload(&stranger(), "bank-data", upload(name, b"y"))
            .map(drop)
    };
    let code = |result: Result<(), LegacyError>| result.map_err(|error| error.code);
    assert_eq!(code(read()), Err(403));
    bind(&storage, "roles/storage.objectViewer");
    assert_eq!(code(read()), Ok(()));
    assert_eq!(code(write("b")), Err(403));
    bind(&storage, "roles/storage.objectCreator");
    assert_eq!(code(read()), Err(403));
    assert_eq!(code(write("b")), Ok(()));
    // A creator replaces nothing.
    assert_eq!(code(write("a")), Err(403));
    let missing = storage.get(&stranger(), "other-bucket", "a", Generation::Newest);
    assert_eq!(missing.unwrap_err().code, 404);
}

#[test]
fn objects_are_listed_by_prefix() {
    let storage = storage();
    for name in ["models/a", "models/b", "other"] {
        storage
            .upload(&OWNER, "bank-data", upload(name, b"x"))
            .unwrap();
    }
    let list = |prefix| storage.list(&OWNER, "bank-data", prefix).unwrap().len();
    assert_eq!((list(""), list("models/"), list("none")), (3, 2, 0));
}

#[test]
fn an_update_changes_the_labels_that_it_names() {
    let storage = storage();
    let update = |key: &str, value: Option<&str>, metageneration| {
        let change = [(key.to_owned(), value.map(str::to_owned))].into();
        let updated = storage.update_bucket(&at(7), "bank-data", change, metageneration);
        updated.map_err(|error| error.code)
    };
    let first = update("team", Some("bank"), Some(1)).unwrap();
    assert_eq!((first.metageneration, first.updated), (2, 7));
    let second = update("cost", Some("1"), None).unwrap();
    let labels = second.labels.get();
    assert_eq!((labels.len(), &*labels["team"]), (2, "bank"));
    assert_eq!(update("team", None, Some(1)), Err(412));
    assert_eq!(update("Team", Some("x"), None), Err(400));
    let third = update("team", None, Some(3)).unwrap();
    assert_eq!(third.labels.get().keys().collect::<Vec<_>>(), ["cost"]);
    let change = || [("team".to_owned(), None)].into();
    let missing = storage.update_bucket(&OWNER, "other", change(), None);
    assert_eq!(missing.unwrap_err().code, 404);
    let denied = storage.update_bucket(&stranger(), "bank-data", change(), None);
    assert_eq!(denied.unwrap_err().code, 403);
}
