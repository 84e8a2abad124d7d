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

impl Links {
    fn insert(&mut self, path: &[u8], target: &[u8]) {
        let mut links = self;
        for part in path.split(|&byte| byte == b'/') {
            links = links.below.entry(part.to_vec()).or_default();
        }
        links.target = Some(target.to_vec());
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
    /// every container runtime.
    pub(super) fn check(&mut self, entry: &Entry) -> Result<(), Error> {
        self.count(entry)?;
        let fault = |fault| at(&String::from_utf8_lossy(&entry.name), fault);
        let path = inside(&entry.name).ok_or_else(|| fault(OUTSIDE))?;
        if entry.flag == b'g' {
            return Ok(());
        }
        let is_opened = !entry.is_header_only();
        if self.leaves(&path, is_opened).map_err(fault)? {
            return Err(fault(THROUGH));
        }
        if entry.flag == b'1' {
            let target = inside(&entry.link);
            let leaves = target.map_or(Ok(true), |target| self.leaves(&target, true));
            if leaves.map_err(fault)? {
                let link = String::from_utf8_lossy(&entry.link);
                return Err(fault(fault::link(&link)));
            }
        }
        // Linux makes no link with a longer path or target.
        let is_link = entry.flag == b'2' && path.len().max(entry.link.len()) <= LENGTH;
        match is_link {
            true => self.links.insert(&path, &entry.link),
            false => self.links.remove(&path),
        }
        Ok(())
    }

    /// Whether a path, with its last part if `is_opened`, leads out of the root through links, or through more than
    /// Linux follows.
    fn leaves(&mut self, path: &[u8], is_opened: bool) -> Result<bool, Fault> {
        let parts = |path: &[u8]| {
            path.split(|&byte| byte == b'/')
                .map(<[u8]>::to_vec)
                .rev()
                .collect()
        };
        let mut pending: Vec<Vec<u8>> = parts(path);
        let mut above = vec![Some(&self.links)];
        let mut followed = 0;
        while let Some(part) = pending.pop() {
            self.steps += 1;
            if self.steps > STEPS {
                return Err(LINKS);
            }
            match &part[..] {
                b"" | b"." => continue,
                b".." if above.len() == 1 => return Ok(true),
                b".." => {
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
            match target.filter(|_| is_opened || !pending.is_empty()) {
                Some(target) => {
                    followed += 1;
                    if target.starts_with(b"/") || followed > FOLLOWED {
                        return Ok(true);
                    }
                    pending.extend(parts(target));
                }
                None => above.push(links),
            }
        }
        Ok(false)
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

const LINKS: Fault = fault::of("the paths of the archive lead through too many links");

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
