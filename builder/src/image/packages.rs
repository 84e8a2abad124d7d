//! The entries that Debian packages bring: their files, in the merged layout of today's Debian, and what their scripts
//! would have made that programs need.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use console::hint::Hinted;
use oci::layer::{Attributed, Content, Entry, EntryPath, Executable, Kind};

use super::collection::{Collection, From};
use super::folder;
use crate::at::At;
use crate::inputs::debian::Unpacked;
use crate::lock::packages::Package;

/// The directories that are links to those of the same name in `/usr` (Debian Policy, section 9.1.1). Packages of older
/// releases have files in them.
const MERGED: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];
/// Where packages have certificate authorities, each in a file.
const AUTHORITIES: &str = "usr/share/ca-certificates/";
/// The certificate authorities in one file, as update-ca-certificates(8) makes it.
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where OpenSSL looks for them. The package `openssl` has this link, but not the library's.
const OPENSSL: &str = "usr/lib/ssl/cert.pem";
/// The control files of packages, where scanners look for them in images without dpkg.
const STATUS: &str = "var/lib/dpkg/status.d";

/// Packages, each with the absolute paths of its files.
pub(super) type Owned = Vec<(Package, Vec<String>)>;

/// Adds the entries of all packages. Returns which files are whose.
///
/// # Errors
/// Something in a package cannot be added, or is also made by another package or by `Image.toml`.
pub(super) fn add<'a>(
    packages: impl Iterator<Item = Unpacked<'a>>,
    collection: &mut Collection,
) -> Result<Owned, Hinted> {
    let mut owned = Vec::new();
    let mut authorities = BTreeMap::new();
    for unpacked in packages {
        let doing =
            |fault: Hinted| fault.during(format_args!("adding package {}", unpacked.package.name));
        let files = add_one(&unpacked, collection).map_err(doing)?;
        for (path, from) in &files {
            if path.starts_with(AUTHORITIES) && path.ends_with(".crt") {
                authorities.insert(path.clone(), from.clone());
            }
        }
        let status = format!("{STATUS}/{}", unpacked.package.name);
        let paths = files.into_iter().map(|(path, _)| path);
        let paths = paths.chain([status]).map(|path| format!("/{path}"));
        let paths = paths.collect();
        owned.push((unpacked.package.clone(), paths));
    }
    add_bundle(&authorities, collection)?;
    add_links(collection)?;
    Ok(owned)
}

/// Adds the entries of one package. Returns its files, each with the unpacked file.
fn add_one(
    unpacked: &Unpacked<'_>,
    collection: &mut Collection,
) -> Result<Vec<(String, PathBuf)>, Hinted> {
    let from = From::from(format!("package {}", unpacked.package.name));
    let mut files = Vec::new();
    for (path, kind) in folder::walk(&unpacked.folder)? {
        // Packages have the directories, or the links themselves.
        if MERGED.contains(&path.as_str()) {
            continue;
        }
        let path = merged(path);
        if let Kind::File {
            content: Content::File(file),
            ..
        } = &kind
        {
            files.push((path.clone(), file.clone()));
        }
        collection.add(entry(&path, kind)?, &from)?;
    }
    let status = format!("{STATUS}/{}", unpacked.package.name);
    let kind = text(unpacked.control.as_bytes().to_vec());
    collection.add(entry(&status, kind)?, &from)?;
    Ok(files)
}

/// The path in the merged layout.
fn merged(path: String) -> String {
    match path.split_once('/') {
        Some((top, _)) if MERGED.contains(&top) => format!("usr/{path}"),
        _ => path,
    }
}

/// Adds one file with all certificate authorities, and the link by which OpenSSL finds it, unless they exist.
fn add_bundle(
    authorities: &BTreeMap<String, PathBuf>,
    collection: &mut Collection,
) -> Result<(), Hinted> {
    if authorities.is_empty() {
        return Ok(());
    }
    let mut bundle = Vec::new();
    for file in authorities.values() {
        let bytes = fs::read(file).map_err(|error| Hinted::from_error(At::reading(file)(error)))?;
        bundle.extend(&bytes);
        if !bytes.ends_with(b"\n") {
            bundle.push(b'\n');
        }
    }
    let target = format!("/{BUNDLE}");
    for (path, kind) in [(BUNDLE, text(bundle)), (OPENSSL, Kind::Symlink { target })] {
        add_missing(entry(path, kind)?, collection)?;
    }
    Ok(())
}

/// Adds the links to the directories in `/usr`.
fn add_links(collection: &mut Collection) -> Result<(), Hinted> {
    for name in MERGED {
        let target = format!("usr/{name}");
        if collection.has_below(&target) {
            let kind = Kind::Symlink { target };
            collection.add(entry(name, kind)?, &From::from("[runtime]"))?;
        }
    }
    Ok(())
}

fn add_missing(entry: Attributed, collection: &mut Collection) -> Result<(), Hinted> {
    match collection.contains(&entry.entry.path) {
        true => Ok(()),
        false => collection.add(entry, &From::from("[runtime]")),
    }
}

fn text(bytes: Vec<u8>) -> Kind {
    Kind::File {
        content: Content::Bytes(bytes),
        executable: Executable::No,
    }
}

fn entry(path: &str, kind: Kind) -> Result<Attributed, Hinted> {
    let path: EntryPath = path.parse().map_err(Hinted::from_error)?;
    Ok(Entry { path, kind }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn package(name: &str) -> Package {
        Package {
            suite: None,
            source: None,
            name: name.to_owned(),
            version: "1".to_owned(),
            path: "p".parse().unwrap(),
            sha256: content::Digest::of(b""),
            size: 0,
        }
    }

    /// Adds packages that are unpacked in folders of their names.
    fn added(top: &Path, packages: &[Package]) -> Result<(Vec<Attributed>, Owned), String> {
        let unpacked = packages.iter().map(|package| Unpacked {
            package,
            control: "Package: p\n",
            folder: top.join(&package.name),
        });
        let mut collection = Collection::default();
        let owned = add(unpacked, &mut collection).map_err(|error| error.to_string())?;
        let entries = collection.finish().map_err(|error| error.to_string())?;
        Ok((entries, owned))
    }

    fn write(top: &Path, path: &str, text: &str) {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn packages_are_in_the_merged_layout() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), "old/lib/x/libc.so.6", "c");
        write(top.path(), "old/bin/sh", "sh");
        fs::create_dir_all(top.path().join("old/lib64")).unwrap();
        symlink("/lib/x/ld.so", top.path().join("old/lib64/ld.so")).unwrap();
        write(top.path(), "new/usr/lib/x/libz.so", "z");
        symlink("usr/lib", top.path().join("new/lib")).unwrap();
        let packages = ["new", "old"].map(package);
        let (entries, owned) = added(top.path(), &packages).unwrap();
        let paths: BTreeSet<_> = entries.iter().map(|one| one.entry.path.as_str()).collect();
        for path in [
            "usr/bin/sh",
            "usr/lib/x/libc.so.6",
            "usr/lib/x/libz.so",
            "usr/lib64/ld.so",
        ] {
            assert!(paths.contains(path), "{path}: {paths:?}");
        }
        let link = |path: &str| {
            let entry = entries.iter().find(|one| one.entry.path.as_str() == path);
            entry.map(|entry| entry.entry.kind.clone())
        };
        for name in ["bin", "lib", "lib64"] {
            let target = format!("usr/{name}");
            assert_eq!(link(name), Some(Kind::Symlink { target }));
        }
        assert_eq!(link("sbin"), None);
        assert_eq!(
            owned[0].1,
            ["/usr/lib/x/libz.so", "/var/lib/dpkg/status.d/new"]
        );
        assert!(oci::layer::write(entries, std::io::sink()).is_ok());
    }

    #[test]
    fn certificate_authorities_are_in_one_file() {
        let top = tempfile::tempdir().unwrap();
        write(
            top.path(),
            "ca/usr/share/ca-certificates/mozilla/b.crt",
            "B",
        );
        write(
            top.path(),
            "ca/usr/share/ca-certificates/mozilla/a.crt",
            "A\n",
        );
        write(
            top.path(),
            "ca/usr/share/ca-certificates/mozilla/readme",
            "",
        );
        let (entries, _) = added(top.path(), &[package("ca")]).unwrap();
        let found = |path: &str| {
            let entry = entries.iter().find(|one| one.entry.path.as_str() == path);
            entry.unwrap().entry.kind.clone()
        };
        assert_eq!(found(BUNDLE), text(b"A\nB\n".to_vec()));
        let target = format!("/{BUNDLE}");
        assert_eq!(found(OPENSSL), Kind::Symlink { target });
    }

    #[test]
    fn two_packages_with_one_file_are_both_named() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), "one/bin/sh", "one");
        write(top.path(), "two/usr/bin/sh", "two");
        let refused = added(top.path(), &["one", "two"].map(package)).unwrap_err();
        assert_eq!(
            refused,
            "adding package two: adding /usr/bin/sh: both package one and package two make it"
        );
    }
}
