//! Entries that would be written outside the image's root by a program that does not resolve paths below it.

use std::collections::HashMap;

use content::limits;

use super::Entry;
use crate::Error;
use crate::layer::fault::{self, Fault, at, whole};

/// The links read so far, to find what is written through them.
#[derive(Default)]
pub(super) struct Escapes {
    links: Links,
    /// The links and the folders above them.
    places: usize,
    /// Parts of paths that were followed.
    steps: u64,
    names: u64,
    entries: usize,
}

/// The links below a folder, by name.
#[derive(Default)]
struct Links {
    target: Option<Vec<u8>>,
    below: HashMap<Vec<u8>, Links>,
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Last {
    Followed,
    Kept,
}

impl Links {
    /// Returns how many links and folders are new.
    fn insert(&mut self, path: &[u8], target: &[u8]) -> usize {
        let mut links = self;
        let mut new = 0;
        for part in path.split(|&byte| byte == b'/') {
            links = links.below.entry(part.to_vec()).or_insert_with(|| {
                new += 1;
                Self::default()
            });
        }
        links.target = Some(target.to_vec());
        new
    }

    /// The target of the link at a path.
    fn target(&self, path: &[u8]) -> Option<&[u8]> {
        let mut parts = path.split(|&byte| byte == b'/');
        let found = parts.try_fold(self, |links, part| links.below.get(part));
        found?.target.as_deref()
    }

    fn remove(&mut self, path: &[u8]) {
        let mut links = self;
        for part in path.split(|&byte| byte == b'/') {
            match links.below.get_mut(part) {
                Some(below) => links = below,
                None => return,
            }
        }
        links.target = None;
    }
}

impl Escapes {
    /// Refuses an entry whose name, or as a hard link its target, has `..` above the root, or leads through a link
    /// that is absolute or leaves the root, directly or by other links. Absolute names are below the image's root, as in
    /// every container runtime. Also refuses a whiteout that removes its own directory or the
    /// one above.
    pub(super) fn check(&mut self, entry: &Entry) -> Result<(), Error> {
        self.count(entry)?;
        let fault = |fault| at(&String::from_utf8_lossy(&entry.name), fault);
        let path = inside(&entry.name).ok_or_else(|| fault(OUTSIDE))?;
        if entry.flag == b'g' {
            return Ok(());
        }
        if removes_directory(&path) {
            return Err(fault(WHITEOUT));
        }
        let last = match entry.is_header_only() {
            true => Last::Kept,
            false => Last::Followed,
        };
        let place = self.resolve(&path, last).map_err(fault)?;
        let place = place.ok_or_else(|| fault(THROUGH))?;
        let target = self.target(entry).map_err(fault)?;
        // Linux makes no link with a longer path or target.
        match target.filter(|target| path.len().max(target.len()) <= LENGTH) {
            Some(target) => self.insert(&place, &target).map_err(fault),
            None => {
                self.links.remove(&place);
                Ok(())
            }
        }
    }

    /// The target of the symbolic link that an entry makes. A hard link to a symbolic link makes one too.
    fn target(&mut self, entry: &Entry) -> Result<Option<Vec<u8>>, Fault> {
        match entry.flag {
            b'2' => Ok(Some(entry.link.clone())),
            b'1' => {
                let leaves = || fault::link(&String::from_utf8_lossy(&entry.link));
                let path = inside(&entry.link).ok_or_else(leaves)?;
                self.resolve(&path, Last::Followed)?.ok_or_else(leaves)?;
                let place = self.resolve(&path, Last::Kept)?.ok_or_else(leaves)?;
                Ok(self.links.target(&place).map(<[u8]>::to_vec))
            }
            _ => Ok(None),
        }
    }

    fn insert(&mut self, place: &[u8], target: &[u8]) -> Result<(), Fault> {
        if place.len() > LENGTH {
            return Err(LINKS);
        }
        self.places += self.links.insert(place, target);
        match self.places > limits::ENTRIES {
            true => Err(fault::entries(limits::ENTRIES)),
            false => Ok(()),
        }
    }

    /// The place of a path once its links are followed. `None` if it is outside the root, or if there are more links
    /// than Linux follows.
    fn resolve(&mut self, path: &[u8], last: Last) -> Result<Option<Vec<u8>>, Fault> {
        let parts = |path: &[u8]| {
            path.split(|&byte| byte == b'/')
                .map(<[u8]>::to_vec)
                .rev()
                .collect()
        };
        let mut pending: Vec<Vec<u8>> = parts(path);
        let mut above = vec![Some(&self.links)];
        let mut place: Vec<Vec<u8>> = Vec::new();
        let mut followed = 0;
        while let Some(part) = pending.pop() {
            self.steps += 1;
            if self.steps > STEPS {
                return Err(LINKS);
            }
            match &part[..] {
                b"" | b"." => continue,
                b".." if place.is_empty() => return Ok(None),
                b".." => {
                    place.pop();
                    above.pop();
                    continue;
                }
                _ => {}
            }
            let links = above
                .last()
                .copied()
                .flatten()
                .and_then(|links| links.below.get(&part));
            let target = links.and_then(|links| links.target.as_ref());
            match target.filter(|_| last == Last::Followed || !pending.is_empty()) {
                Some(target) => {
                    followed += 1;
                    if target.starts_with(b"/") || followed > FOLLOWED {
                        return Ok(None);
                    }
                    pending.extend(parts(target));
                }
                None => {
                    place.push(part);
                    above.push(links);
                }
            }
        }
        Ok(Some(place.join(&b'/')))
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
}

/// How many links Linux follows in one path (path_resolution(7)).
const FOLLOWED: usize = 40;
/// The longest path that Linux opens, in bytes (path_resolution(7)).
const LENGTH: usize = 4096;
/// How many parts of paths are followed in one archive.
const STEPS: u64 = 1 << 26;

const OUTSIDE: Fault = fault::of("path leaves the root");
const THROUGH: Fault = fault::of("path leads through a link that leaves the root");
const WHITEOUT: Fault = fault::of("whiteout removes its own directory or the one above");

const LINKS: Fault = fault::of("the paths of the archive lead through too many links");

/// Whether a whiteout (OCI image specification, layer.md) has nothing, `.` or `..` after its prefix. containerd refuses
/// it; others remove what that leads to.
fn removes_directory(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next();
    let hidden = name.and_then(|name| name.strip_prefix(b".wh."));
    matches!(hidden, Some(b"" | b"." | b".."))
}

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
