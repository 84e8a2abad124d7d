//! Crate archives as cargo wants a vendored source: a folder for each.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::GzDecoder;

use super::{Crate, CrateError, Named};
use crate::interrupt::Interrupt;
use crate::store::Store;

/// Bytes that one crate may unpack to.
const UNPACKED: u64 = 1 << 30;

/// Unpacks all crates below `into` as cargo wants a vendored source. Every archive is checked again.
///
/// # Errors
/// An archive is another one than locked, or does not unpack to a crate, or somebody interrupted.
pub fn vendor(
    crates: &[Crate],
    store: &Store,
    into: &Path,
    interrupt: &Interrupt,
) -> Result<(), CrateError> {
    crates.iter().try_for_each(|one| {
        interrupt.check()?;
        unpack(one, store, into)
    })
}

fn unpack(one: &Crate, store: &Store, into: &Path) -> Result<(), CrateError> {
    let named = one.named();
    let failed = |error: io::Error| wrong(&named, error.to_string());
    let bytes = store.read(&format!("crate {named}"), &one.sha256, one.size)?;
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]).take(UNPACKED));
    for entry in archive.entries().map_err(failed)? {
        unpack_entry(&named, entry.map_err(failed)?, into)?;
    }
    let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", one.sha256.hex());
    let path = into.join(folder(&named)).join(".cargo-checksum.json");
    write(&mut checksum.as_bytes(), &path)
}

fn unpack_entry(
    named: &Named,
    mut entry: tar::Entry<'_, impl Read>,
    into: &Path,
) -> Result<(), CrateError> {
    let path = entry
        .path()
        .map_err(|error| wrong(named, error.to_string()))?;
    let path = path.into_owned();
    let top = folder(named);
    if !is_below(&path, &top) {
        let reason = format!("{} is not below {top}", path.display());
        return Err(wrong(named, reason));
    }
    match entry.header().entry_type() {
        tar::EntryType::Regular => write(&mut entry, &into.join(&path)),
        tar::EntryType::Directory => Ok(()),
        kind => Err(wrong(named, format!("{} is a {kind:?}", path.display()))),
    }
}

/// The one folder that a crate has in its archive, and gets below the vendored source.
fn folder(named: &Named) -> String {
    format!("{}-{}", named.name, named.version)
}

fn wrong(named: &Named, reason: String) -> CrateError {
    CrateError::Archive {
        named: named.clone(),
        reason,
    }
}

/// Every file is a new one: nothing that is there already, a link least of all, is written through.
fn write(from: &mut impl Read, path: &Path) -> Result<(), CrateError> {
    let failed = |source| CrateError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    io::copy(from, &mut file).map_err(failed).map(drop)
}

fn is_below(path: &Path, top: &str) -> bool {
    let mut components = path.components();
    let first = components.next();
    first == Some(Component::Normal(top.as_ref()))
        && components.all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use content::Digest;

    fn archive(path: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut header = tar::Header::new_ustar();
        header.set_size(4);
        header.set_mode(0o777);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, &b"text"[..]).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn unpacked(path: &str, tamper: impl Fn(&Path)) -> Result<tempfile::TempDir, CrateError> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let bytes = archive(path);
        let one = Crate {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
        };
        store.keep("c", &bytes[..], &one.sha256, one.size).unwrap();
        tamper(&store.path(&one.sha256));
        let vendored = folder.path().join("vendor");
        vendor(&[one], &store, &vendored, &Interrupt::default()).map(|()| folder)
    }

    #[test]
    fn unpacks_what_was_locked() {
        let folder = unpacked("c-1.0.0/src/lib.rs", |_| {}).unwrap();
        assert_eq!(
            fs::read(folder.path().join("vendor/c-1.0.0/src/lib.rs")).unwrap(),
            b"text"
        );
        assert!(
            folder
                .path()
                .join("vendor/c-1.0.0/.cargo-checksum.json")
                .exists()
        );
    }

    #[test]
    fn refuses_paths_that_leave_the_crate() {
        for path in ["../evil", "/evil", "c-1.0.0/../../evil", "d-1.0.0/lib.rs"] {
            assert!(
                matches!(unpacked(path, |_| {}), Err(CrateError::Archive { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn writes_through_nothing_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, link) = (folder.path().join("kept"), folder.path().join("link"));
        fs::write(&kept, "kept").unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        for path in [&kept, &link] {
            let refused = write(&mut &b"evil"[..], path);
            assert!(matches!(refused, Err(CrateError::File { .. })));
        }
        assert_eq!(fs::read(&kept).unwrap(), b"kept");
        let twice = unpacked("c-1.0.0/.cargo-checksum.json", |_| {});
        assert!(matches!(twice, Err(CrateError::File { .. })));
    }

    #[test]
    fn an_interrupt_ends_it_between_two_crates() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let absent = Crate {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(b""),
            size: 0,
        };
        let interrupt = Interrupt::default();
        interrupt.raise();
        let ended = vendor(&[absent], &store, folder.path(), &interrupt);
        assert!(matches!(ended, Err(CrateError::Interrupted(_))));
    }

    #[test]
    fn refuses_a_tampered_archive_by_name() {
        let tamper = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[9] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        let error = unpacked("c-1.0.0/lib.rs", tamper).unwrap_err().to_string();
        assert!(
            error.starts_with("checking crate c 1.0.0: checking content: expected sha256:"),
            "{error}"
        );
    }
}
