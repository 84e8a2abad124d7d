//! `verifier trusted-root`, with a repository on loopback. What it refuses is among the attacks.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod tuf;

use content::Digest;
use keyless::update::{Files, ROOTS, in_order, is_stored};
use serde_json::{Value, json};
use tuf::{Answer, NEVER, Repository, User, key, signed};

#[test]
fn the_root_is_fetched_and_kept_up_to_date() {
    let mut repository = Repository::new();
    let user = User::of(&repository);
    let checksum = format!("sha256:{}", Digest::of(&repository.root_metadata()).hex());
    let words = [
        "--root-checksum",
        &checksum,
        "--signing-config",
        "signing_config.json",
    ];
    let (status, out, error) = user.update(&words);
    assert_eq!(status, 0, "{error}");
    let root = std::fs::read(user.path("trusted_root.json")).unwrap();
    assert_eq!(out, format!("{}\n", Digest::of(&root)));
    assert!(
        error.contains("root 1, timestamp 3, which expires at 2999-01-01"),
        "{error}"
    );
    let config = std::fs::read_to_string(user.path("signing_config.json")).unwrap();
    assert_eq!(config, tuf::signing_config());

    // Another key of the root, and another trusted root.
    let old = std::mem::replace(&mut repository.root, vec![key()]);
    repository.root_version = 2;
    repository.advance();
    repository
        .targets
        .insert(tuf::TRUSTED_ROOT.to_owned(), keyless::STAGING.into());
    let mut files = repository.publish();
    let keys = [&old[0], &repository.root[0]];
    let root = signed(&repository.root_body(), &keys);
    files.insert("2.root.json".to_owned(), Answer::File(root));
    // An object store answers so for what it does not have.
    files.insert("3.root.json".to_owned(), Answer::Status(403));
    user.serve(files.clone());
    let (status, out, error) = user.update(&["--json"]);
    assert_eq!(status, 0, "{error}");
    let expected = json!({
        "updated": true, "digest": Digest::of(keyless::STAGING.as_bytes()).to_string(),
        "root": 2, "timestamp": 4, "expires": NEVER,
    });
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), expected);
    let root = std::fs::read_to_string(user.path("trusted_root.json")).unwrap();
    assert_eq!(root, keyless::STAGING);

    // The first root is not needed from the server again, and nothing has changed.
    files.remove("1.root.json");
    files.remove("2.root.json");
    user.serve(files);
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 0, "{error}");
    let left = user.paths();
    let expected = [
        "own/root.json",
        "own/signing_config.json",
        "own/store/.lock",
        "own/store/root.json",
        "own/store/root_history/1.root.json",
        "own/store/root_history/2.root.json",
        "own/store/snapshot.json",
        "own/store/targets.json",
        "own/store/timestamp.json",
        "own/trusted_root.json",
    ];
    assert_eq!(left, expected);
}

/// The files of a user's store.
fn stored(user: &User) -> Files {
    let names = user.paths().into_iter();
    let names = names.filter_map(|path| path.strip_prefix("own/store/").map(str::to_owned));
    let names = names.filter(|name| is_stored(name));
    let read = |name: String| {
        let bytes = std::fs::read(user.path("store").join(&name)).unwrap();
        (name, bytes)
    };
    names.map(read).collect()
}

/// Writes the first files of those that differ from a store, as a process does that ends then.
fn cut(user: &User, before: &Files, after: &Files, count: usize) {
    let store = user.path("store");
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::create_dir_all(store.join(ROOTS)).unwrap();
    let new = in_order(after)
        .filter(|(name, bytes)| before.get(*name).map(Vec::as_slice) != Some(*bytes));
    for (name, bytes) in in_order(before).chain(new.take(count)) {
        std::fs::write(store.join(name), bytes).unwrap();
    }
}

#[test]
fn an_update_that_was_cut_off_is_repeated() {
    let mut repository = Repository::new();
    let user = User::of(&repository);
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 0, "{error}");
    let none = Files::new();
    let first = stored(&user);
    let old = std::mem::replace(&mut repository.root, vec![key()]);
    repository.root_version = 2;
    repository.advance();
    let mut files = repository.publish();
    let root = signed(&repository.root_body(), &[&old[0], &repository.root[0]]);
    files.insert("2.root.json".to_owned(), Answer::File(root));
    user.serve(files);
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 0, "{error}");
    let second = stored(&user);
    for (before, after) in [(&none, &first), (&none, &second), (&first, &second)] {
        for count in 0..=after.len() {
            cut(&user, before, after, count);
            let (status, _, error) = user.update(&[]);
            assert_eq!(status, 0, "{count} files: {error}");
            assert_eq!(stored(&user), second);
        }
    }
    // As earlier versions wrote it, which began with the root.
    cut(&user, &first, &second, 0);
    std::fs::write(user.path("store/root.json"), &second["root.json"]).unwrap();
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 0, "{error}");
    assert_eq!(stored(&user), second);
}

#[test]
fn a_refusal_in_json_has_its_reason() {
    let user = User::of(&Repository {
        timestamp_expires: tuf::PAST,
        ..Repository::new()
    });
    let (status, out, _) = user.update(&["--json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &found["updated"]), (1, &json!(false)));
    let reason = found["reason"].as_str().unwrap();
    assert!(reason.starts_with("timestamp metadata expired"), "{reason}");
}

#[test]
fn what_cannot_be_told_is_an_error() {
    let repository = Repository::new();
    let user = User::of(&repository);
    let files = repository.publish();
    let with = |path: &str, answer: Answer| {
        let mut files = files.clone();
        files.insert(path.to_owned(), answer);
        user.serve(files);
    };
    // An error is not the end of the roots.
    with("2.root.json", Answer::Status(501));
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 2, "{error}");
    assert!(
        error.contains("status 501") && error.contains("check --mirror"),
        "{error}"
    );
    with("timestamp.json", Answer::Status(404));
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 2, "{error}");
    assert!(error.contains("timestamp.json not found"), "{error}");
    assert!(!user.path("trusted_root.json").exists());

    user.serve(files.clone());
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 0, "{error}");
    for (name, content) in [("store/timestamp.json", "{"), ("store/root.json", "{}")] {
        let path = user.path(name);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        let (status, _, error) = user.update(&[]);
        assert_eq!(status, 2, "{name}: {error}");
        assert!(error.contains("reading store store: "), "{name}: {error}");
        std::fs::write(&path, good).unwrap();
    }
    std::fs::remove_file(user.path("store/root.json")).unwrap();
    let (status, _, error) = user.update(&[]);
    assert_eq!(status, 2, "{error}");
    assert!(error.contains("but no root.json"), "{error}");
}
