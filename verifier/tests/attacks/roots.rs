//! Repositories of trusted roots, and servers that lie about them.

use content::Digest;
use serde_json::json;
use signature::PrivateKey;

use crate::tuf::{Answer, Files, PAST, Repository, TRUSTED_ROOT, User, key, signed};
use crate::{ACCEPTED, Case};

pub const CASES: &[Case] = &[
    ("repository_as_it_should_be", || first(|_| {})),
    ("newer_repository_as_it_should_be", || {
        second(Repository::advance)
    }),
    ("older_timestamp_fail", || {
        second(|repository| repository.timestamp_version -= 1)
    }),
    ("timestamp_of_an_older_snapshot_fail", || {
        second(|repository| {
            repository.timestamp_version += 1;
            repository.snapshot_version -= 1;
        })
    }),
    ("snapshot_of_older_targets_fail", || {
        second(|repository| {
            repository.timestamp_version += 1;
            repository.snapshot_version += 1;
            repository.targets_version -= 1;
        })
    }),
    (
        "older_timestamp_after_rotation_of_the_root_fail",
        rolled_back,
    ),
    ("expired_timestamp_fail", || {
        second(|repository| {
            repository.advance();
            repository.timestamp_expires = PAST;
        })
    }),
    ("expired_root_fail", || {
        first(|repository| repository.root_expires = PAST)
    }),
    ("root_of_one_of_two_signers_fail", || {
        rotated(2, |repository, old| {
            signed(&repository.root_body(), &[&old[0]])
        })
    }),
    ("root_that_one_signer_signed_twice_fail", || {
        rotated(2, |repository, old| {
            signed(&repository.root_body(), &[&old[0], &old[0]])
        })
    }),
    ("root_by_other_keys_fail", || {
        rotated(1, |repository, _| {
            repository.root = vec![key()];
            repository.root_metadata()
        })
    }),
    ("root_that_skips_a_version_fail", || {
        rotated(1, |repository, _| {
            repository.root_version = 3;
            repository.root_metadata()
        })
    }),
    ("targets_by_another_key_fail", || {
        first(|repository| repository.targets_by = Some(key()))
    }),
    ("delegated_targets_of_one_of_two_signers_fail", || {
        delegated("keys")
    }),
    ("threshold_of_no_signature_fail", || {
        first(|repository| repository.online_threshold = 0)
    }),
    ("another_snapshot_of_the_version_fail", || {
        served(|repository, files| {
            repository.targets_version += 1;
            let mut other = repository.publish();
            let other = other.remove("3.snapshot.json").unwrap();
            files.insert("3.snapshot.json".to_owned(), other);
        })
    }),
    ("another_trusted_root_fail", || {
        served(|_, files| {
            let digest = Digest::of(keyless::PRODUCTION.as_bytes());
            let other = keyless::PRODUCTION
                .replacen("rekor", "Rekor", 1)
                .into_bytes();
            let name = format!("targets/{}.{TRUSTED_ROOT}", digest.hex());
            assert!(files.insert(name, Answer::File(other)).is_some());
        })
    }),
    ("trusted_root_that_nobody_signed_fail", || {
        first(|repository| drop(repository.targets.remove(TRUSTED_ROOT)))
    }),
    ("endless_timestamp_fail", || {
        served(|_, files| drop(files.insert("timestamp.json".to_owned(), Answer::Endless)))
    }),
    ("names_that_leave_the_directory", || delegated("../../out")),
    ("role_with_the_name_of_another_fail", || {
        delegated("timestamp")
    }),
    ("store_of_another_repository_fail", || {
        let (one, other) = (Repository::new(), Repository::new());
        let user = User::of(&one);
        assert_eq!(said(&user, &[]), ACCEPTED);
        std::fs::write(user.path("root.json"), other.root_metadata()).unwrap();
        user.serve(other.publish());
        said(&user, &[])
    }),
    ("another_given_root_fail", || {
        let user = User::of(&Repository::new());
        said(&user, &["--root-checksum", &Digest::of(b"").hex()])
    }),
];

/// What is said of an update.
fn said(user: &User, words: &[&str]) -> String {
    let before = user.paths();
    let (status, _, error) = user.update(words);
    let written = user.path("trusted_root.json");
    match status {
        0 if std::fs::read(&written).unwrap() == keyless::PRODUCTION.as_bytes() => {
            ACCEPTED.to_owned()
        }
        0 => "another file was written".to_owned(),
        _ if written.exists() && !before.contains(&"own/trusted_root.json".to_owned()) => {
            format!("a file was written in spite of: {error}")
        }
        _ => error,
    }
}

/// What is said of the first update from a repository with this change.
fn first(change: impl FnOnce(&mut Repository)) -> String {
    let mut repository = Repository::new();
    change(&mut repository);
    said(&User::of(&repository), &[])
}

/// What is said of an update from a repository with this change after one without.
fn second(change: impl FnOnce(&mut Repository)) -> String {
    let mut repository = Repository::new();
    let user = User::of(&repository);
    assert_eq!(said(&user, &[]), ACCEPTED);
    change(&mut repository);
    user.serve(repository.publish());
    said(&user, &[])
}

/// What is said of an update from a server that changes the files of a repository.
fn served(change: impl FnOnce(&mut Repository, &mut Files)) -> String {
    let mut repository = Repository::new();
    let user = User::of(&repository);
    let mut files = repository.publish();
    change(&mut repository, &mut files);
    user.serve(files);
    said(&user, &[])
}

/// What is said of the second version of a root, whose first has two keys. `make` signs it.
fn rotated(threshold: u64, make: impl FnOnce(&mut Repository, &[PrivateKey]) -> Vec<u8>) -> String {
    let mut repository = Repository {
        root: vec![key(), key()],
        root_threshold: threshold,
        ..Repository::new()
    };
    let user = User::of(&repository);
    let mut files = repository.publish();
    repository.root_version = 2;
    let old = std::mem::take(&mut repository.root);
    repository.root = vec![key(), key()];
    let root = make(&mut repository, &old);
    files.insert("2.root.json".to_owned(), Answer::File(root));
    user.serve(files);
    said(&user, &[])
}

/// A root with other keys, signed as it must be, and a timestamp that is older than one that was seen before.
fn rolled_back() -> String {
    let mut repository = Repository::new();
    let user = User::of(&repository);
    assert_eq!(said(&user, &[]), ACCEPTED);
    repository.root_version = 2;
    repository.timestamp_version -= 1;
    let old = std::mem::replace(&mut repository.root, vec![key()]);
    let keys: Vec<_> = old.iter().chain(&repository.root).collect();
    let root = signed(&repository.root_body(), &keys);
    let mut files = repository.publish();
    files.insert("2.root.json".to_owned(), Answer::File(root));
    user.serve(files);
    said(&user, &[])
}

/// What is said of a repository that delegates all targets to the role `name`, of whose two signers one has signed. With a name
/// that is a path, the root is among the other targets as well, and there are targets with such names.
fn delegated(name: &str) -> String {
    let signers = [key(), key()];
    let [one, other] = &signers;
    let mut repository = Repository::new();
    let mut targets = std::mem::take(&mut repository.targets);
    let body = Repository::targets_body(1, &targets);
    repository.delegated = [(name.to_owned(), signed(&body, &[one]))].into();
    let delegations = Repository::delegation(name, &[one, other], 2);
    repository.targets_members = json!({"delegations": delegations});
    if name.contains('/') {
        let outside = ["../../out", "../out", "/tmp/countersign-out", "..%2fout"];
        targets.extend(outside.map(|name| (name.to_owned(), b"out".to_vec())));
        repository.targets = targets;
    }
    let user = User::of(&repository);
    let told = said(&user, &[]);
    let left = ["own/root.json", "own/store/", "own/trusted_root.json"];
    let is_known = |path: &String| left.iter().any(|known| path.starts_with(known));
    let outside: Vec<_> = user
        .paths()
        .into_iter()
        .filter(|path| !is_known(path))
        .collect();
    match outside.is_empty() {
        true => told,
        false => format!("written: {outside:?}"),
    }
}
