//! Entries that would be written outside the image's root by a program that does not resolve paths below it.

use std::collections::HashSet;

use content::limits;

use super::Entry;
use crate::Error;
use crate::layer::fault::{self, Fault, at, whole};

/// The links read so far through which nothing may be written: their targets are absolute or leave the root.
#[derive(Default)]
pub(super) struct Escapes {
    links: HashSet<Vec<u8>>,
    names: u64,
    entries: usize,
}

impl Escapes {
    /// Refuses an entry whose name, or as a hard link its target, has `..` above the root, or leads through such a
    /// link. Absolute names are below the image's root, as in every container runtime.
    pub(super) fn check(&mut self, entry: &Entry) -> Result<(), Error> {
        self.count(entry)?;
        let fault = |fault| at(&String::from_utf8_lossy(&entry.name), fault);
        let path = inside(&entry.name).ok_or_else(|| fault(OUTSIDE))?;
        let is_file = !matches!(entry.flag, b'1'..=b'6' | b'g');
        if self.leads_through(&path, is_file) {
            return Err(fault(THROUGH));
        }
        match entry.flag {
            b'1' => {
                let target = inside(&entry.link);
                let target = target.filter(|target| !self.leads_through(target, true));
                match target {
                    Some(_) => drop(self.links.remove(&path)),
                    None => {
                        let link = String::from_utf8_lossy(&entry.link);
                        return Err(fault(fault::link(&link)));
                    }
                }
            }
            b'2' if escapes(&path, &entry.link) => drop(self.links.insert(path)),
            b'g' => {}
            _ => drop(self.links.remove(&path)),
        }
        Ok(())
    }

    fn count(&mut self, entry: &Entry) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > limits::ENTRIES {
            return Err(whole(fault::entries(limits::ENTRIES)));
        }
        self.names += (entry.name.len() + entry.link.len()) as u64;
        match self.names > limits::NAMES_TOTAL {
            true => Err(whole(
                format!("more than {} bytes of names", limits::NAMES_TOTAL).into(),
            )),
            false => Ok(()),
        }
    }

    /// Whether one of the links is above the path, or at it and `is_opened`.
    fn leads_through(&self, path: &[u8], is_opened: bool) -> bool {
        if self.links.is_empty() {
            return false;
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut above = slashes.map(|(end, _)| &path[..end]);
        above.any(|above| self.links.contains(above)) || (is_opened && self.links.contains(path))
    }
}

const OUTSIDE: Fault = fault::of("path leaves the root");
const THROUGH: Fault = fault::of("path leads through a link that leaves the root");

/// The path without empty parts, `.` and `..`; `None` if it leaves the root.
fn inside(name: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

/// Whether the target of a symbolic link is absolute or leaves the root.
fn escapes(path: &[u8], target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let folder = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    inside(&[&path[..folder], b"/", target].concat()).is_none()
}
