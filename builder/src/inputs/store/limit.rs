//! Prunes a store: first unpacked folders, which can be unpacked again, then archives, which can be fetched again. In each
//! group, the least recently used are removed first.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::time::SystemTime;

use super::items::{EARLIER, Item, fetched, items_of};
use super::records::{digest_record, record};
use super::{Store, StoreError, UNPACKED};

/// What is kept when a store is pruned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keep {
    /// At most as many bytes.
    pub bytes: u64,
    /// Nothing that was last used before this time.
    pub since: Option<SystemTime>,
    /// Nothing that is not among these, as `inputs::needed` has them.
    pub named: Option<BTreeSet<OsString>>,
}

impl Keep {
    /// As much as there is room for.
    pub(super) fn within(bytes: u64) -> Self {
        Self {
            bytes,
            since: None,
            named: None,
        }
    }

    /// Whether an item is removed though there is room for it.
    fn excludes(&self, item: &Item) -> bool {
        let is_old = self.since.is_some_and(|since| item.used < since);
        let is_named = |named: &BTreeSet<OsString>| {
            let name = item.path.file_name();
            name.is_some_and(|name| named.contains(name))
        };
        is_old || self.named.as_ref().is_some_and(|named| !is_named(named))
    }
}

/// The result of pruning.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pruned {
    /// Removed bytes.
    pub removed: u64,
    /// Remaining bytes.
    pub left: u64,
}

/// Prunes a store, which no other process uses.
pub(super) fn trim(store: &Store, keep: &Keep) -> Result<Pruned, StoreError> {
    let mut all = Vec::new();
    let fetched: Vec<_> = fetched().into_iter().chain([EARLIER]).collect();
    for names in [&UNPACKED[..], &fetched] {
        let mut items = Vec::new();
        for name in names {
            items.extend(items_of(&store.folder, name)?);
        }
        items.sort_by_key(|item| item.used);
        all.extend(items);
    }
    // Those that are excluded first, since there may be room for all others then.
    all.sort_by_key(|item| !keep.excludes(item));
    let mut pruned = Pruned {
        removed: 0,
        left: all.iter().map(|item| item.size).sum(),
    };
    for item in all {
        if pruned.left <= keep.bytes && !keep.excludes(&item) {
            break;
        }
        remove(store, &item)?;
        pruned.left -= item.size;
        pruned.removed += item.size;
    }
    Ok(pruned)
}

fn remove(store: &Store, item: &Item) -> Result<(), StoreError> {
    store.discard(&item.path)?;
    for path in [record(&item.path), digest_record(&item.path)] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::at(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use content::Digest;

    use super::*;
    use crate::inputs::store::records::touch;
    use crate::inputs::store::{Key, Kind};

    /// Puts an archive of 10 bytes into a store, which was used at `second`.
    fn keep(store: &Store, name: &str, second: u64) -> PathBuf {
        let bytes = format!("{name:>10}");
        let key = Key {
            kind: Kind::Package,
            name,
            version: "1",
            digest: Digest::of(bytes.as_bytes()),
        };
        store.keep(&key, bytes.as_bytes(), 10).unwrap();
        let path = store.path(&key);
        set_time(&path, second);
        path
    }

    /// Unpacks 100 bytes.
    fn unpack(store: &Store, name: &str, second: u64) -> PathBuf {
        let scratch = store.scratch().unwrap();
        let made = scratch.path().join("made");
        fs::create_dir_all(made.join("deep")).unwrap();
        fs::write(made.join("deep/file"), [0; 100]).unwrap();
        let place = store.roots().join(Digest::of(name.as_bytes()).hex());
        store.publish(&made, &place).unwrap();
        set_time(&record(&place), second);
        place
    }

    fn set_time(path: &Path, second: u64) {
        let file = fs::File::options().append(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        file.set_modified(time).unwrap();
    }

    #[test]
    fn unpacked_folders_go_first_and_the_least_recently_used_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let archives = [keep(&store, "a", 2), keep(&store, "b", 1)];
        let roots = ["c", "d", "e"].map(|name| unpack(&store, name, name.as_bytes()[0].into()));
        touch(&record(&roots[0]));
        drop(store);
        let is_there = |path: &PathBuf| path.exists();
        for (limit, left, roots_left, archives_left) in [
            (1 << 20, 320, [true, true, true], [true, true]),
            (320, 320, [true, true, true], [true, true]),
            (319, 220, [true, false, true], [true, true]),
            (120, 120, [true, false, false], [true, true]),
            (19, 10, [false, false, false], [true, false]),
            (0, 0, [false, false, false], [false, false]),
        ] {
            assert_eq!(
                Store::prune(folder.path(), Keep::within(limit))
                    .unwrap()
                    .left,
                left
            );
            assert_eq!(roots.each_ref().map(is_there), roots_left, "{limit}");
            assert_eq!(archives.each_ref().map(is_there), archives_left, "{limit}");
        }
        assert_eq!(
            fs::read_dir(folder.path().join("roots")).unwrap().count(),
            0
        );
        assert_eq!(
            fs::read_dir(folder.path().join("coming")).unwrap().count(),
            0
        );
    }

    #[test]
    fn other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let others = [
            "packages/thesis.txt",
            "roots/home/file",
            "crates/0123",
            "other",
        ];
        for path in others {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "mine").unwrap();
        }
        Store::prune(folder.path(), Keep::within(0)).unwrap();
        for path in others {
            assert!(folder.path().join(path).exists(), "{path}");
        }
    }

    #[test]
    fn what_was_not_used_for_long_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let archives = [keep(&store, "a", 5), keep(&store, "b", 10)];
        let roots = [unpack(&store, "c", 9), unpack(&store, "d", 11)];
        drop(store);
        let sizes = || {
            let all = Store::sizes(folder.path()).unwrap().into_iter();
            let used = all.filter(|share| share.inputs > 0);
            used.map(|share| (share.kind, share.inputs, share.bytes))
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(), [("roots", 2, 200), ("packages", 2, 20)]);
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let prune = |bytes| {
            let since = Some(since);
            let keep = Keep {
                since,
                ..Keep::within(bytes)
            };
            Store::prune(folder.path(), keep).unwrap()
        };
        let pruned = prune(u64::MAX);
        assert_eq!((pruned.removed, pruned.left), (110, 110));
        assert_eq!(sizes(), [("roots", 1, 100), ("packages", 1, 10)]);
        assert!(!archives[0].exists() && !roots[0].exists());
        assert_eq!(prune(10).removed, 100);
        assert!(archives[1].exists());
    }

    #[test]
    fn what_is_not_named_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let archives = [keep(&store, "a", 5), keep(&store, "b", 10)];
        let roots = [unpack(&store, "c", 9), unpack(&store, "d", 11)];
        drop(store);
        let named = [&archives[0], &roots[1]].map(|path| path.file_name().unwrap().to_owned());
        let prune = |bytes| {
            let keep = Keep {
                named: Some(named.clone().into()),
                ..Keep::within(bytes)
            };
            Store::prune(folder.path(), keep).unwrap()
        };
        assert_eq!(prune(u64::MAX).left, 110);
        let left = [&archives[..], &roots].concat();
        let left: Vec<_> = left.iter().map(|path| path.exists()).collect();
        assert_eq!(left, [true, false, false, true]);
        assert_eq!(prune(10).left, 10);
        assert!(archives[0].exists());
    }

    #[test]
    fn a_store_that_is_used_is_not_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let archive = keep(&store, "a", 1);
        let refused = Store::prune(folder.path(), Keep::within(0));
        assert_eq!(
            refused.unwrap_err().to_string(),
            format!(
                "pruning store {}: another process is using it",
                folder.path().display()
            )
        );
        // Opening the store does not wait either, and removes nothing.
        let _other = Store::open_within(folder.path(), 0).unwrap();
        assert!(archive.exists());
    }

    #[test]
    fn the_last_process_that_uses_a_store_prunes_it() {
        let folder = tempfile::tempdir().unwrap();
        let other = Store::open_within(folder.path(), 250).unwrap();
        let store = Store::open_within(folder.path(), 250).unwrap();
        let roots = [1, 2, 3].map(|second| unpack(&store, &second.to_string(), second));
        drop(store);
        assert!(roots.iter().all(|root| root.exists()));
        drop(other);
        let left = roots.map(|root| root.exists());
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn a_store_is_within_its_limit_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let roots: Vec<_> = (1..9)
            .map(|second| unpack(&store, &second.to_string(), second))
            .collect();
        // The process was killed before it could record that.
        fs::remove_file(record(&roots[7])).unwrap();
        drop(store);
        let _store = Store::open_within(folder.path(), 250).unwrap();
        let left: Vec<_> = roots.iter().map(|root| root.exists()).collect();
        let expected = [false, false, false, false, false, true, true, false];
        assert_eq!(left, expected);
    }
}
