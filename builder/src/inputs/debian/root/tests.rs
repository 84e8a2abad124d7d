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
