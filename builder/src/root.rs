//! The build root: Debian packages unpacked side by side, without running anything of theirs. Its
//! digest is in the lock, and is checked before every use.
//!
//! What no build reads is left out: documentation, manuals and translations. Modes are 0755 or 0644 by
//! the executable bit; owners and times play no part.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use content::{Digest, Hasher};

use crate::lock::packages::Package;
use crate::store::{Store, StoreError};

/// Bytes that one package may unpack to.
const UNPACKED: u64 = 4 << 30;
/// Folders that are left out.
const UNREAD: [&str; 6] = ["doc", "info", "lintian", "locale", "man", "doc-base"];

/// A build root that cannot be made or is another one.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A file.
    #[error("using build root {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A package.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A package that is none, or that would write where it must not.
    #[error("unpacking package {package}: {reason}")]
    Package {
        /// Which one.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// The packages unpack to another root than was locked.
    #[error("checking build root: expected {expected}, found {found}")]
    Changed {
        /// The digest in the lock.
        expected: Digest,
        /// What the packages unpack to.
        found: Digest,
    },
}

/// The folder of the build root with this digest, unpacked anew if it is not there or not what it
/// was.
///
/// # Errors
/// The packages cannot be unpacked, or do not unpack to it.
pub fn prepare(
    expected: &Digest,
    packages: &[Package],
    store: &Store,
) -> Result<PathBuf, RootError> {
    let folder = store.roots().join(expected.hex());
    if folder.exists() {
        if digest(&folder)? == *expected {
            return Ok(folder);
        }
        remove(&folder, store)?;
    }
    match unpack(packages, store)? {
        found if found == *expected => Ok(folder),
        found => Err(RootError::Changed {
            expected: *expected,
            found,
        }),
    }
}

/// Unpacks the packages into the store, under the digest of what they unpack to.
///
/// # Errors
/// As [`prepare`].
pub fn unpack(packages: &[Package], store: &Store) -> Result<Digest, RootError> {
    let coming = store.coming();
    let failed = |source| RootError::File {
        path: coming.clone(),
        source,
    };
    let scratch = store.scratch()?;
    let folder = scratch.path().join("root");
    fs::create_dir(&folder).map_err(failed)?;
    for package in packages {
        let bytes = store.read(
            &format!("package {}", package.name),
            &package.sha256,
            package.size,
        )?;
        let mut unpacker = Unpacker::new(&package.name, &folder);
        unpacker.unpack(&bytes)?;
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    let digest = digest(&folder)?;
    let place = store.roots().join(digest.hex());
    match fs::rename(&folder, &place) {
        // Somebody else was faster; the content is the same by name.
        Err(_) if place.is_dir() => Ok(digest),
        renamed => renamed.map_err(failed).map(|()| digest),
    }
}

/// Takes a root away in one step, so that nobody sees half of it.
fn remove(folder: &Path, store: &Store) -> Result<(), RootError> {
    let failed = |source| RootError::File {
        path: folder.to_owned(),
        source,
    };
    let away = store.scratch()?;
    fs::rename(folder, away.path().join("root")).map_err(failed)
}

struct Unpacker<'a> {
    package: &'a str,
    folder: &'a Path,
    made: HashSet<PathBuf>,
}

impl<'a> Unpacker<'a> {
    fn new(package: &'a str, folder: &'a Path) -> Self {
        Self {
            package,
            folder,
            made: HashSet::new(),
        }
    }

    fn unpack(&mut self, deb: &[u8]) -> Result<(), RootError> {
        let data = member(deb, "data.tar.xz").ok_or_else(|| self.wrong("no data.tar.xz in it"))?;
        let reader = liblzma::read::XzDecoder::new_multi_decoder(data).take(UNPACKED);
        let mut archive = tar::Archive::new(reader);
        let entries = archive
            .entries()
            .map_err(|error| self.wrong(&error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| self.wrong(&error.to_string()))?;
            self.entry(entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, mut entry: tar::Entry<'_, impl Read>) -> Result<(), RootError> {
        let path = entry
            .path()
            .map_err(|error| self.wrong(&error.to_string()))?
            .into_owned();
        let Some(path) = self.place(&path)? else {
            return Ok(());
        };
        match entry.header().entry_type() {
            tar::EntryType::Directory => self.folder(&path),
            tar::EntryType::Regular => {
                let mode = entry
                    .header()
                    .mode()
                    .map_err(|error| self.wrong(&error.to_string()))?;
                self.clear(&path)?;
                let mut file =
                    File::create_new(&path).map_err(|source| self.file(&path, source))?;
                io::copy(&mut entry, &mut file).map_err(|source| self.file(&path, source))?;
                let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
                let mode = fs::Permissions::from_mode(mode);
                fs::set_permissions(&path, mode).map_err(|source| self.file(&path, source))
            }
            tar::EntryType::Symlink => {
                let target = self.target(&entry)?;
                self.clear(&path)?;
                symlink(target, &path).map_err(|source| self.file(&path, source))
            }
            tar::EntryType::Link => {
                let target = self.target(&entry)?;
                let from = self
                    .place(&target)?
                    .ok_or_else(|| self.wrong("a link to what is left out"))?;
                self.check_file(&from)?;
                self.clear(&path)?;
                fs::copy(&from, &path)
                    .map_err(|source| self.file(&path, source))
                    .map(drop)
            }
            kind => Err(self.wrong(&format!("{} is a {kind:?}", path.display()))),
        }
    }

    fn target(&self, entry: &tar::Entry<'_, impl Read>) -> Result<PathBuf, RootError> {
        let target = entry
            .link_name()
            .map_err(|error| self.wrong(&error.to_string()))?;
        target
            .map(|target| target.into_owned())
            .ok_or_else(|| self.wrong("a link to nothing"))
    }

    /// Where a path of the package lies in the root; `None` if it is left out or the root itself.
    fn place(&mut self, path: &Path) -> Result<Option<PathBuf>, RootError> {
        let mut place = self.folder.to_owned();
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                Component::CurDir | Component::RootDir => {}
                Component::Normal(part) => parts.push(part),
                _ => return Err(self.wrong(&format!("{} leaves the root", path.display()))),
            }
        }
        let unread = |name: &std::ffi::OsStr| UNREAD.iter().any(|unread| name == *unread);
        if matches!(parts[..], [usr, share, name, ..] if usr == "usr" && share == "share" && unread(name))
        {
            return Ok(None);
        }
        let Some((last, parents)) = parts.split_last() else {
            return Ok(None);
        };
        for parent in parents {
            place.push(parent);
            self.folder(&place)?;
        }
        place.push(last);
        Ok(Some(place))
    }

    /// Makes a folder, which must not be a link to elsewhere.
    fn folder(&mut self, path: &Path) -> Result<(), RootError> {
        if self.made.contains(path) {
            return Ok(());
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(self.wrong(&format!("{} is no folder", path.display()))),
            Err(_) => {
                fs::create_dir(path).map_err(|source| self.file(path, source))?;
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(path, mode).map_err(|source| self.file(path, source))?;
            }
        }
        self.made.insert(path.to_owned());
        Ok(())
    }

    /// A place has no link on its way; what is copied must not be one either, which could lead anywhere.
    fn check_file(&self, path: &Path) -> Result<(), RootError> {
        let found = fs::symlink_metadata(path).map_err(|source| self.file(path, source))?;
        match found.is_file() {
            true => Ok(()),
            false => Err(self.wrong(&format!("{} is linked to and no file", path.display()))),
        }
    }

    /// Takes away what another package has put there.
    fn clear(&self, path: &Path) -> Result<(), RootError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.file(path, error)),
            _ => Ok(()),
        }
    }

    fn wrong(&self, reason: &str) -> RootError {
        RootError::Package {
            package: self.package.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn file(&self, path: &Path, source: io::Error) -> RootError {
        RootError::File {
            path: path.to_owned(),
            source,
        }
    }
}

/// A member of an `ar` archive, which a `.deb` is (deb(5)).
fn member<'a>(deb: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = deb.strip_prefix(b"!<arch>\n")?;
    while rest.len() >= 60 {
        let (head, body) = rest.split_at(60);
        let size: usize = str::from_utf8(&head[48..58]).ok()?.trim().parse().ok()?;
        let found = str::from_utf8(&head[..16])
            .ok()?
            .trim()
            .trim_end_matches('/');
        let content = body.get(..size)?;
        if found == name {
            return Some(content);
        }
        // Members begin at even offsets.
        rest = body.get(size + size % 2..)?;
    }
    None
}

/// SHA-256 over kind, path and content of everything below `root`, in the order of paths.
///
/// # Errors
/// Something cannot be read, or is neither file, folder nor link.
pub fn digest(root: &Path) -> Result<Digest, RootError> {
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)?;
    found.sort();
    let half = found.len() / 2;
    let (first, second) = found.split_at(half);
    // Hundreds of megabytes; two threads take half the time.
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| describe(root, second));
        (describe(root, first), other.join())
    });
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let mut hasher = Hasher::new();
    hasher.update(first?.as_bytes());
    hasher.update(second.as_bytes());
    Ok(hasher.finish())
}

fn walk(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), RootError> {
    let folder = root.join(below);
    let failed = |source| RootError::File {
        path: folder.clone(),
        source,
    };
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(root, &path, found)?;
        }
        found.push(path);
    }
    Ok(())
}

fn describe(root: &Path, paths: &[PathBuf]) -> Result<String, RootError> {
    let mut text = String::new();
    for path in paths {
        let place = root.join(path);
        let failed = |source| RootError::File {
            path: place.clone(),
            source,
        };
        let metadata = fs::symlink_metadata(&place).map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o7777;
        let what = if metadata.is_dir() {
            "folder".to_owned()
        } else if metadata.is_symlink() {
            let target = fs::read_link(&place).map_err(failed)?;
            text += &format!("link {} {}\0", target.display(), path.display());
            continue;
        } else {
            let mut hasher = Hasher::new();
            let mut file = File::open(&place).map_err(failed)?;
            io::copy(&mut file, &mut hasher).map_err(failed)?;
            hasher.finish().hex()
        };
        text += &format!("{mode:o} {what} {}\0", path.display());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (name, content) in [("debian-binary", &b"2.0"[..]), ("data.tar.xz", &data)] {
            deb.extend(format!("{name:<16}{:<32}{:<10}`\n", "0", content.len()).bytes());
            deb.extend(content);
            if content.len() % 2 == 1 {
                deb.push(b'\n');
            }
        }
        deb
    }

    use tar::EntryType::{Block, Directory, Link, Regular, Symlink};

    fn unpacked(
        debs: &[Vec<u8>],
    ) -> Result<(tempfile::TempDir, Store, Vec<Package>, Digest), RootError> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let package = |deb: &Vec<u8>| {
            let (sha256, size) = (Digest::of(deb), deb.len() as u64);
            store.keep("p", &deb[..], &sha256, size).unwrap();
            Package {
                name: "p".into(),
                version: "1".into(),
                path: "p".into(),
                sha256,
                size,
            }
        };
        let packages: Vec<_> = debs.iter().map(package).collect();
        let digest = unpack(&packages, &store)?;
        Ok((folder, store, packages, digest))
    }

    #[test]
    fn unpacks_files_links_and_no_manuals() {
        let entries = [
            ("./usr/bin/", Directory, ""),
            ("./usr/bin/cc", Regular, "compiler"),
            ("./usr/bin/gcc", Link, "./usr/bin/cc"),
            ("./usr/bin/c++", Symlink, "cc"),
            ("./usr/share/man/man1/cc.1", Regular, "manual"),
        ];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let root = prepare(&digest, &packages, &store).unwrap();
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
    fn a_changed_root_is_unpacked_anew() {
        let entries = [("./a", Regular, "text")];
        let (_folder, store, packages, digest) = unpacked(&[deb(&entries)]).unwrap();
        let place = store.roots().join(digest.hex()).join("a");
        fs::write(&place, "evil").unwrap();
        assert_eq!(
            fs::read(prepare(&digest, &packages, &store).unwrap().join("a")).unwrap(),
            b"text"
        );
        let other = Digest::of(b"other");
        assert!(matches!(
            prepare(&other, &packages, &store),
            Err(RootError::Changed { .. })
        ));
    }

    #[test]
    fn refuses_what_leaves_the_root() {
        for entries in [
            vec![("../evil", Regular, "x")],
            vec![("./l", Symlink, "/tmp"), ("./l/evil", Regular, "x")],
            vec![("./dev", Block, "")],
            vec![("./h", Link, "../../etc/passwd")],
            vec![("./l", Symlink, "/etc/passwd"), ("./h", Link, "./l")],
            vec![("./l", Symlink, "/etc"), ("./h", Link, "./l/passwd")],
        ] {
            let result = unpacked(&[deb(&entries)]);
            assert!(
                matches!(result, Err(RootError::Package { .. })),
                "{entries:?}"
            );
        }
    }
}
