//! The build root: Debian packages, unpacked into one folder without running their scripts. The lock names its digest,
//! which is checked before each use. The store keeps it by the packages that it was unpacked from.
//!
//! Documentation, manuals and translations are left out. Modes become 0755 or 0644, by the executable bit; owners and
//! times are ignored. Links that packages expect of the system are added (`links`).

mod links;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};

use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::normalize::normalize;
use crate::inputs::store::{Store, StoreError};
use crate::inputs::tree::{Tree, TreeError, holds};
use crate::interrupt::Interrupted;
use crate::lock::packages::Package;
use crate::spec::Toolchain;
use unpack::Unpacker;

/// Version of the rules by which packages are unpacked and digested. Every change to them must raise it: otherwise a
/// root that was unpacked by older rules would go into a new lock, and no other machine could make it.
const RULES: u32 = 3;

/// A build root that cannot be made, or differs from the locked one.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A package cannot be read from the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A package is invalid, the packages unpack to another root than was locked, or a file of the root cannot be
    /// used.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RootError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Hinted(error) => error.hint(),
            Self::Interrupted(_) => None,
        }
    }
}

impl From<At> for RootError {
    fn from(at: At) -> Self {
        Hinted::doing("unpacking build root", at).into()
    }
}

impl From<TreeError> for RootError {
    fn from(error: TreeError) -> Self {
        Hinted::doing("checking build root", error).into()
    }
}

/// The hint if packages are not those of the lock.
const OTHER: &str = "Image.lock may have been edited, or written by another version of this program: run \
                     `builder lock` again";

/// What a build root is made of.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The packages, by name.
    pub packages: &'a [Package],
    /// The toolchain that they are for, if there is one.
    pub toolchain: Option<Toolchain>,
}

/// The folder with the build root of these packages, which must have the `expected` digest. It is unpacked again if it
/// is missing or has changed.
///
/// # Errors
/// The packages cannot be unpacked, or unpack to another digest, or the work was interrupted.
pub fn prepare(
    expected: &Digest,
    contents: Contents<'_>,
    supply: &Supply<'_>,
) -> Result<PathBuf, RootError> {
    let store = supply.store;
    let folder = folder_of(contents, store);
    if holds(&folder, expected, supply.interrupt)? {
        return Ok(used(contents, folder, store));
    }
    let _alone = store.alone(&store.roots(), supply.interrupt)?;
    // Another process may have made it in the meantime.
    if holds(&folder, expected, supply.interrupt)? {
        return Ok(used(contents, folder, store));
    }
    store.discard(&folder)?;
    let found = unpack(contents, supply)?;
    if found != *expected {
        let changed = format_args!("checking build root: expected {expected}, found {found}");
        return Err(Hinted::new(changed).hinting(OTHER).into());
    }
    match holds(&folder, expected, supply.interrupt)? {
        true => Ok(folder),
        false => Err(StoreError::disturbed("build root", &folder).into()),
    }
}

/// The digest of the build root of these packages. A root that is unpacked already is used if it has the digest
/// `known`, from an earlier lock of the same packages, or that which was recorded when it was unpacked.
///
/// # Errors
/// The packages cannot be unpacked, or the work was interrupted.
pub fn resolve(
    known: Option<&Digest>,
    contents: Contents<'_>,
    supply: &Supply<'_>,
) -> Result<Digest, RootError> {
    let folder = folder_of(contents, supply.store);
    supply.interrupt.check()?;
    // Another project's lock of the same packages may have recorded it.
    let noted = supply.store.noted(&folder);
    for known in known.into_iter().chain(&noted) {
        if holds(&folder, known, supply.interrupt)? {
            used(contents, folder, supply.store);
            return Ok(*known);
        }
    }
    unpack(contents, supply)
}

/// Records that a root and its packages are used now: its packages may leave the archive before they are needed again.
fn used(contents: Contents<'_>, folder: PathBuf, store: &Store) -> PathBuf {
    let packages = contents.packages.iter();
    packages.for_each(|package| store.touch(&package.key()));
    store.used(folder)
}

/// The folder for the root of these packages. If its name were the digest of its contents, a lock of other packages
/// could use it, and provenance would name packages that were never used.
pub(in crate::inputs) fn folder_of(contents: Contents<'_>, store: &Store) -> PathBuf {
    let mut key = Hasher::new();
    key.update(format!("rules {RULES} {:?}\0", contents.toolchain).as_bytes());
    for one in contents.packages {
        let sha256 = one.sha256.hex();
        key.update(format!("{} {} {sha256} {}\0", one.name, one.version, one.size).as_bytes());
    }
    store.roots().join(key.finish().hex())
}

/// Unpacks the packages into the store.
fn unpack(contents: Contents<'_>, supply: &Supply<'_>) -> Result<Digest, RootError> {
    let store = supply.store;
    let scratch = store.scratch()?;
    let folder = scratch.path().join("root");
    fs::create_dir(&folder).map_err(At::writing(&folder))?;
    supply.during("unpack the build root", |step| {
        step.of(contents.packages.len(), []);
        for package in contents.packages {
            unpack_one(package, &folder, supply)?;
            step.add(1, 0);
        }
        Ok::<_, RootError>(())
    })?;
    links::add(&folder, contents.toolchain)
        .and_then(|()| normalize(&folder))
        .map_err(At::writing(&folder))?;
    let digest = Tree::of(&folder, supply.interrupt)?.digest();
    let place = folder_of(contents, store);
    store.publish(&folder, &place)?;
    store.note_digest(&place, &digest)?;
    Ok(digest)
}

/// Unpacks a package of the store into a folder, which may contain other packages. Returns the bytes of the package.
///
/// # Errors
/// The store does not have the package, it is invalid, or the work was interrupted.
pub(super) fn unpack_one(
    package: &Package,
    folder: &Path,
    supply: &Supply<'_>,
) -> Result<Vec<u8>, RootError> {
    supply.interrupt.check()?;
    let bytes = supply.store.read(&package.key(), package.size)?;
    Unpacker::new(package, folder, supply.interrupt).unpack(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;
    use std::os::unix::fs::PermissionsExt as _;

    fn deb(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(liblzma::write::XzEncoder::new(Vec::new(), 0));
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_mode(0o4711);
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            let is_link = matches!(kind, Symlink | Link);
            header.set_size(if is_link { 0 } else { text.len() as u64 });
            if is_link {
                header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text.as_bytes());
            }
            header.set_cksum();
            builder
                .append(&header, if is_link { &b""[..] } else { text.as_bytes() })
                .unwrap();
        }
        let data = builder.into_inner().unwrap().finish().unwrap();
        let mut deb = b"!<arch>\n".to_vec();
        let control = control("Package: p\nVersion: 1\nDescription: x\n");
        for (name, content) in [
            ("debian-binary", &b"2.0"[..]),
            ("control.tar.xz", &control),
            ("data.tar.xz", &data),
        ] {
            deb.extend(format!("{name:<16}{:<32}{:<10}`\n", "0", content.len()).bytes());
            deb.extend(content);
            if content.len() % 2 == 1 {
                deb.push(b'\n');
            }
        }
        deb
    }

    fn control(text: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(liblzma::write::XzEncoder::new(Vec::new(), 0));
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "./control", text.as_bytes())
            .unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn of(packages: &[Package]) -> Contents<'_> {
        Contents {
            packages,
            toolchain: None,
        }
    }

    use tar::EntryType::{Block, Directory, Link, Regular, Symlink};

    fn unpacked(
        debs: &[Vec<u8>],
    ) -> Result<(tempfile::TempDir, Store, Vec<Package>, Digest), RootError> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let package = |deb: &Vec<u8>| {
            let (sha256, size) = (Digest::of(deb), deb.len() as u64);
            let package = Package {
                name: "p".into(),
                suite: None,
                source: None,
                version: "1".into(),
                path: "p".parse().unwrap(),
                sha256,
                size,
            };
            store.keep(&package.key(), &deb[..], size).unwrap();
            package
        };
        let packages: Vec<_> = debs.iter().map(package).collect();
        let digest = unpack(of(&packages), &Supply::of(&store))?;
        Ok((folder, store, packages, digest))
    }

    #[test]
    fn unpacks_files_and_links_without_manuals() {
        let entries = [
            ("./usr/bin/", Directory, ""),
            ("./usr/bin/cc", Regular, "compiler"),
            ("./usr/bin/gcc", Link, "./usr/bin/cc"),
            ("./usr/bin/c++", Symlink, "cc"),
            ("./usr/share/man/man1/cc.1", Regular, "manual"),
        ];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let root = prepare(&digest, of(&packages), &Supply::of(&store)).unwrap();
        assert_eq!(fs::read(root.join("usr/bin/gcc")).unwrap(), b"compiler");
        assert_eq!(
            fs::read_link(root.join("usr/bin/c++")).unwrap(),
            Path::new("cc")
        );
        let mode = fs::metadata(root.join("usr/bin/cc"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o755);
        assert!(!root.join("usr/share/man").exists());
    }

    #[test]
    fn a_merged_root_has_the_links_of_the_system() {
        let entries = [
            ("./usr/lib64/ld-linux-x86-64.so.2", Regular, "loader"),
            ("./usr/bin/gcc-14", Regular, "compiler"),
        ];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let root = prepare(&digest, of(&packages), &Supply::of(&store)).unwrap();
        assert!(root.join("lib64/ld-linux-x86-64.so.2").exists());
        assert_eq!(
            fs::read_link(root.join("usr/bin/cc")).unwrap(),
            Path::new("gcc-14")
        );
    }

    #[test]
    fn a_changed_root_is_unpacked_again() {
        let entries = [("./a", Regular, "text")];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let folder = folder_of(of(&packages), &store).join("a");
        fs::write(&folder, "evil").unwrap();
        assert_eq!(
            fs::read(
                prepare(&digest, of(&packages), &Supply::of(&store))
                    .unwrap()
                    .join("a")
            )
            .unwrap(),
            b"text"
        );
        let root = folder.parent().unwrap();
        fs::remove_dir_all(root).unwrap();
        fs::write(root, "no root").unwrap();
        prepare(&digest, of(&packages), &Supply::of(&store)).unwrap();
        let other = Digest::of(b"other");
        let refused = prepare(&other, of(&packages), &Supply::of(&store)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("checking build root: expected {other}, found {digest}")
        );
        assert_eq!(refused.hint(), Some(OTHER));
    }

    #[test]
    fn a_root_is_used_for_its_own_packages_only() {
        let debs = [deb(&[("./a", Regular, "a")]), deb(&[("./b", Regular, "b")])];
        let (_folder, store, packages, digest) = unpacked(&debs).unwrap();
        prepare(&digest, of(&packages), &Supply::of(&store)).unwrap();
        let mut renamed = packages.clone();
        renamed[0].version = "2".into();
        // Under another version than its control file has.
        store
            .keep(&renamed[0].key(), &debs[0][..], renamed[0].size)
            .unwrap();
        let refusal = |packages: &[Package]| {
            let refused = prepare(&digest, of(packages), &Supply::of(&store));
            refused.unwrap_err().to_string()
        };
        let part = refusal(&packages[..1]);
        let expected = format!("checking build root: expected {digest}, found ");
        assert!(part.starts_with(&expected), "{part}");
        assert_eq!(
            refusal(&renamed),
            "unpacking package p: expected Version 2, found 1"
        );
    }

    #[test]
    fn a_root_is_reused_only_if_its_digest_is_known() {
        let entries = [("./a", Regular, "text")];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let folder = folder_of(of(&packages), &store);
        fs::write(folder.join("a"), "evil").unwrap();
        normalize(&folder).unwrap();
        let evil = Tree::of(&folder, &Interrupt::default()).unwrap().digest();
        for known in [None, Some(&digest)] {
            assert_eq!(
                resolve(known, of(&packages), &Supply::of(&store)).unwrap(),
                digest
            );
        }
        // The packages are not unpacked again: they do not exist any more.
        fs::remove_file(store.path(&packages[0].key())).unwrap();
        assert_eq!(
            resolve(Some(&evil), of(&packages), &Supply::of(&store)).unwrap(),
            evil
        );
        let refused = resolve(Some(&digest), of(&packages), &Supply::of(&store));
        let expected = format!(
            "reading package p 1: the store has no {}",
            packages[0].sha256
        );
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }

    #[test]
    fn refuses_what_leaves_the_root() {
        for (entries, reason) in [
            (vec![("../evil", Regular, "x")], "../evil leaves the root"),
            (
                vec![("./l", Symlink, "/tmp"), ("./l/evil", Regular, "x")],
                "/l is not a folder",
            ),
            (vec![("./dev", Block, "")], "/dev is a Block"),
            (
                vec![("./h", Link, "../../etc/passwd")],
                "../../etc/passwd leaves the root",
            ),
            (
                vec![("./l", Symlink, "/etc/passwd"), ("./h", Link, "./l")],
                "/l is the target of a hard link, and not a regular file",
            ),
            (
                vec![("./l", Symlink, "/etc"), ("./h", Link, "./l/passwd")],
                "/l is not a folder",
            ),
        ] {
            let Err(error) = unpacked(&[deb(&entries)]) else {
                panic!("{entries:?}");
            };
            let error = error.to_string();
            assert!(
                error.starts_with("unpacking package p: ") && error.ends_with(reason),
                "{entries:?}: {error}"
            );
        }
    }

    #[test]
    fn can_be_interrupted_between_two_packages() {
        let (_folder, store, packages, _) = unpacked(&[deb(&[])]).unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise();
        let supply = Supply {
            interrupt: &interrupt,
            ..Supply::of(&store)
        };
        let ended = resolve(None, of(&packages), &supply);
        assert!(matches!(ended, Err(RootError::Interrupted(_))));
    }
}
