//! Unpacks packages without running their scripts, and writes nothing outside of the root.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use console::hint::Hinted;
use content::LimitedReader;

use super::{OTHER, RootError};
use crate::at::At;
use crate::inputs::debian::deb;
use crate::interrupt::Interrupt;
use crate::lock::packages::Package;

/// Maximum unpacked size of one package, in bytes.
const UNPACKED: u64 = 4 << 30;
/// Folders of `usr/share` that are left out.
const UNREAD: [&str; 6] = ["doc", "info", "lintian", "locale", "man", "doc-base"];

/// Unpacks a package into a folder that may contain other packages.
pub(super) struct Unpacker<'a> {
    package: &'a Package,
    folder: &'a Path,
    interrupt: &'a Interrupt,
    made: HashSet<PathBuf>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(package: &'a Package, folder: &'a Path, interrupt: &'a Interrupt) -> Self {
        Self {
            package,
            folder,
            interrupt,
            made: HashSet::new(),
        }
    }

    pub(super) fn unpack(&mut self, bytes: &[u8]) -> Result<(), RootError> {
        deb::check(self.package, bytes).map_err(|reason| self.wrong(&reason))?;
        let data = deb::member(bytes, "data.tar.xz")
            .ok_or_else(|| self.wrong("it contains no data.tar.xz"))?;
        let unpacked = liblzma::read::XzDecoder::new_multi_decoder(data);
        let mut archive = tar::Archive::new(LimitedReader::new(unpacked, UNPACKED));
        let entries = archive
            .entries()
            .map_err(|error| self.wrong(&error.to_string()))?;
        for entry in entries {
            self.interrupt.check()?;
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
        let Some(path) = self.path_in_root(&path)? else {
            return Ok(());
        };
        match entry.header().entry_type() {
            tar::EntryType::Directory => self.folder(&path),
            tar::EntryType::Regular => self.regular(&mut entry, &path),
            tar::EntryType::Symlink => {
                let target = self.target(&entry)?;
                self.clear(&path)?;
                Ok(symlink(target, &path).map_err(At::writing(&path))?)
            }
            tar::EntryType::Link => {
                let target = self.target(&entry)?;
                self.copy(&target, &path)
            }
            kind => Err(self.wrong(&format!("{} is a {kind:?}", path.display()))),
        }
    }

    fn regular(&self, entry: &mut tar::Entry<'_, impl Read>, path: &Path) -> Result<(), RootError> {
        let mode = entry.header().mode();
        let mode = mode.map_err(|error| self.wrong(&error.to_string()))?;
        self.clear(path)?;
        let mut file = File::create_new(path).map_err(At::writing(path))?;
        io::copy(entry, &mut file).map_err(At::writing(path))?;
        let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
        let mode = fs::Permissions::from_mode(mode);
        Ok(fs::set_permissions(path, mode).map_err(At::writing(path))?)
    }

    /// A hard link becomes a copy.
    fn copy(&mut self, target: &Path, path: &Path) -> Result<(), RootError> {
        let from = self.path_in_root(target)?;
        let from = from.ok_or_else(|| self.wrong("a hard link to a file that is not unpacked"))?;
        self.check_file(&from)?;
        self.clear(path)?;
        fs::copy(&from, path).map_err(At::writing(path))?;
        Ok(())
    }

    fn target(&self, entry: &tar::Entry<'_, impl Read>) -> Result<PathBuf, RootError> {
        let target = entry
            .link_name()
            .map_err(|error| self.wrong(&error.to_string()))?;
        target
            .map(|target| target.into_owned())
            .ok_or_else(|| self.wrong("a link without a target"))
    }

    /// The path in the root of a path in the package; `None` if it is left out or is the root itself.
    fn path_in_root(&mut self, path: &Path) -> Result<Option<PathBuf>, RootError> {
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

    /// Makes a folder. A link in its place is refused.
    fn folder(&mut self, path: &Path) -> Result<(), RootError> {
        if self.made.contains(path) {
            return Ok(());
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(self.wrong(&format!("{} is not a folder", path.display()))),
            Err(_) => {
                fs::create_dir(path).map_err(At::writing(path))?;
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(path, mode).map_err(At::writing(path))?;
            }
        }
        self.made.insert(path.to_owned());
        Ok(())
    }

    /// Checks that a file that is to be copied is not a link. Its parents are folders: [`Self::path_in_root`] has made them.
    fn check_file(&self, path: &Path) -> Result<(), RootError> {
        let found = fs::symlink_metadata(path).map_err(At::writing(path))?;
        match found.is_file() {
            true => Ok(()),
            false => Err(self.wrong(&format!(
                "{} is the target of a hard link, and not a regular file",
                path.display()
            ))),
        }
    }

    /// Removes a file of another package.
    fn clear(&self, path: &Path) -> Result<(), RootError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(At::writing(path)(error).into())
            }
            _ => Ok(()),
        }
    }

    fn wrong(&self, reason: &str) -> RootError {
        let wrong = format_args!("unpacking package {}: {reason}", self.package.name);
        Hinted::new(wrong).hinting(OTHER).into()
    }
}
