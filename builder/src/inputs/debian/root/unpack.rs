//! Unpacks packages without running their scripts, and writes nothing outside of the root.

use std::ffi::OsStr;
use std::path::Path;

use console::hint::Hinted;
use content::LimitedReader;

use super::{OTHER, RootError};
use crate::inputs::debian::deb;
use crate::inputs::unpack::{self, Fault};
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
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(package: &'a Package, folder: &'a Path, interrupt: &'a Interrupt) -> Self {
        Self {
            package,
            folder,
            interrupt,
        }
    }

    pub(super) fn unpack(&self, bytes: &[u8]) -> Result<(), RootError> {
        deb::check(self.package, bytes).map_err(|reason| self.wrong(&reason))?;
        let data = deb::member(bytes, "data.tar.xz")
            .ok_or_else(|| self.wrong("it contains no data.tar.xz"))?;
        let unpacked = liblzma::read::XzDecoder::new_multi_decoder(data);
        let mut unpacker = unpack::Unpacker::new(self.folder, self.interrupt, &select);
        let unpacked = unpacker.tar(LimitedReader::new(unpacked, UNPACKED));
        unpacked.map_err(|fault| match fault {
            Fault::Wrong(reason) => self.wrong(&reason),
            Fault::At(at) => at.into(),
            Fault::Interrupted(interrupted) => interrupted.into(),
        })
    }

    fn wrong(&self, reason: &str) -> RootError {
        let wrong = format_args!("unpacking package {}: {reason}", self.package.name);
        Hinted::new(wrong).hinting(OTHER).into()
    }
}

fn select(parts: &[&OsStr]) -> Option<usize> {
    let is_unread = |name: &OsStr| UNREAD.iter().any(|unread| name == *unread);
    match parts {
        [usr, share, name, ..] if *usr == "usr" && *share == "share" && is_unread(name) => None,
        _ => Some(0),
    }
}
