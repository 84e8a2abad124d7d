//! The tree that the layers of an image make, with whiteouts, without a file system.

use std::collections::BTreeMap;

use super::fault::{self, Fault, at};
use super::{EntryPath, Member, MemberKind};
use crate::Error;

/// If the name of an entry starts with this, the entry removes the rest of the name from lower layers.
pub(super) const WHITEOUT: &str = ".wh.";
/// An entry of this name removes all that lower layers have in its directory.
pub(super) const OPAQUE: &str = ".wh..wh..opq";

/// The directory tree of an image, built from the entries of its layers without a file system. It accepts
/// what [`super::unpack()`] accepts.
///
/// Container runtimes follow a link of a lower layer when they write an entry below it, so the entry does
/// not end up at its own path. Such an entry is refused.
#[derive(Debug, Default)]
pub struct Overlay {
    root: Children,
    layer: usize,
}

type Children = BTreeMap<String, Node>;

#[derive(Debug)]
struct Node {
    /// The last layer that has an entry here or below.
    layer: usize,
    kind: NodeKind,
}

#[derive(Debug)]
enum NodeKind {
    Directory(Children),
    File,
    Link,
}

impl Overlay {
    /// Begins the next layer: its whiteouts apply to all entries so far (OCI image specification,
    /// layer.md, whiteouts).
    pub fn begin_layer(&mut self) {
        self.layer += 1;
    }

    /// Adds an entry of the current layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the entry is below a link or file, if it is a hard link whose target is not a
    /// file, or if it is a whiteout of something in its own layer.
    pub fn add(&mut self, member: &Member) -> Result<(), Error> {
        self.put(member)
            .map_err(|fault| at(member.path.as_str(), fault))
    }

    fn put(&mut self, member: &Member) -> Result<(), Fault> {
        if let MemberKind::HardLink { target } = &member.kind {
            self.check_hard_link(&member.path, target)?;
        }
        let layer = self.layer;
        let (parent, name) = split(member.path.as_str());
        let children = self.make_directories(parent)?;
        if name == OPAQUE {
            clear(children, layer);
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return hide(children, hidden, layer);
        }
        let directory = member.kind == MemberKind::Directory;
        match children.get_mut(name) {
            Some(node) if directory && node.is_directory() => node.layer = layer,
            _ => drop(children.insert(name.to_owned(), Node::new(&member.kind, layer))),
        }
        Ok(())
    }

    /// Creates the directories on the way to `path`, and returns the content of the last.
    fn make_directories(&mut self, path: &str) -> Result<&mut Children, Fault> {
        let mut children = &mut self.root;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let new = || Node::new(&MemberKind::Directory, self.layer);
            let node = children.entry(part.to_owned()).or_insert_with(new);
            node.layer = self.layer;
            let NodeKind::Directory(next) = &mut node.kind else {
                return Err(fault::PARENT);
            };
            children = next;
        }
        Ok(children)
    }

    fn check_hard_link(&self, path: &EntryPath, target: &EntryPath) -> Result<(), Fault> {
        match !target.starts_with(path) && self.is_file(target) {
            true => Ok(()),
            false => Err(fault::hard_link(target.as_str())),
        }
    }

    fn is_file(&self, path: &EntryPath) -> bool {
        let (parent, name) = split(path.as_str());
        let mut children = &self.root;
        for part in parent.split('/').filter(|part| !part.is_empty()) {
            match children.get(part).map(|node| &node.kind) {
                Some(NodeKind::Directory(next)) => children = next,
                _ => return false,
            }
        }
        let found = children.get(name);
        found.is_some_and(|node| matches!(node.kind, NodeKind::File))
    }
}

impl Node {
    fn new(kind: &MemberKind, layer: usize) -> Self {
        let kind = match kind {
            MemberKind::Directory => NodeKind::Directory(Children::new()),
            MemberKind::File { .. } | MemberKind::HardLink { .. } => NodeKind::File,
            MemberKind::Symlink { .. } => NodeKind::Link,
        };
        Self { layer, kind }
    }

    fn is_directory(&self) -> bool {
        matches!(self.kind, NodeKind::Directory(_))
    }
}

/// The directory and the name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Removes what lower layers have in a directory.
fn clear(children: &mut Children, layer: usize) {
    children.retain(|_, node| node.layer == layer);
    for node in children.values_mut() {
        if let NodeKind::Directory(below) = &mut node.kind {
            clear(below, layer);
        }
    }
}

/// Removes what a whiteout names.
fn hide(children: &mut Children, hidden: &str, layer: usize) -> Result<(), Fault> {
    let own = children.get(hidden).is_some_and(|node| node.layer == layer);
    if own || matches!(hidden, "" | "." | "..") {
        return Err(fault::PATH);
    }
    children.remove(hidden);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::super::read::Seen;
    use super::super::unpack::Target;
    use super::*;

    /// Every kind of entry at paths that can get into each other's way.
    fn members() -> Vec<Member> {
        let member = |path: &str, kind| Member {
            path: path.parse().unwrap(),
            kind,
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: 0,
        };
        let file = || MemberKind::File { size: 0 };
        let link = || MemberKind::Symlink {
            target: "c".to_owned(),
        };
        let hard = |target: &str| MemberKind::HardLink {
            target: target.parse().unwrap(),
        };
        vec![
            member("a", MemberKind::Directory),
            member("a", file()),
            member("a", link()),
            member("a", hard("a/b")),
            member("a", hard("c")),
            member("a/b", MemberKind::Directory),
            member("a/b", file()),
            member("a/b", link()),
            member("a/b/c", file()),
            member("c", file()),
            member("c", hard("a/b")),
            member(".wh.a", file()),
            member("a/.wh.b", file()),
            member("a/.wh..wh..opq", file()),
            member(".wh..wh..opq", file()),
        ]
    }

    fn listed(children: &Children, place: &str, paths: &mut BTreeSet<String>) {
        for (name, node) in children {
            let path = format!("{place}/{name}");
            match &node.kind {
                NodeKind::Directory(below) => {
                    listed(below, &path, paths);
                    paths.insert(path + " directory");
                }
                NodeKind::File => drop(paths.insert(path + " file")),
                NodeKind::Link => drop(paths.insert(path + " link")),
            }
        }
    }

    fn on_disk(dir: &Path, place: &str, paths: &mut BTreeSet<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{place}/{}", entry.file_name().to_str().unwrap());
            let kind = match entry.file_type().unwrap() {
                kind if kind.is_dir() => {
                    on_disk(&entry.path(), &path, paths);
                    " directory"
                }
                kind if kind.is_file() => " file",
                _ => " link",
            };
            paths.insert(path + kind);
        }
    }

    /// The paths after both layers, or `None` if an entry is refused.
    fn in_memory(layers: [&[&Member]; 2]) -> Option<BTreeSet<String>> {
        let mut overlay = Overlay::default();
        for layer in layers {
            overlay.begin_layer();
            for member in layer {
                overlay.add(member).ok()?;
            }
        }
        let mut paths = BTreeSet::new();
        listed(&overlay.root, "", &mut paths);
        Some(paths)
    }

    fn unpacked(layers: [&[&Member]; 2], dir: &Path) -> Option<BTreeSet<String>> {
        for layer in layers {
            let mut target = Target::new(dir);
            for member in layer {
                target.put(member, &mut &b""[..]).ok()?;
            }
        }
        let mut paths = BTreeSet::new();
        on_disk(dir, "", &mut paths);
        Some(paths)
    }

    /// Whether a layer may have both entries, as far as the layer alone is considered.
    fn is_layer(members: &[&Member]) -> bool {
        let mut seen = Seen::default();
        members
            .iter()
            .all(|member| seen.add(member, members.len() * 8).is_ok())
    }

    #[test]
    fn agrees_with_what_is_unpacked() {
        let members = members();
        let pairs = members
            .iter()
            .flat_map(|a| members.iter().map(move |b| [a, b]));
        let pairs: Vec<_> = pairs.filter(|pair| is_layer(pair)).collect();
        // One lower layer for each tree that there can be.
        let trees = pairs.iter().map(|pair| (in_memory([&[], &pair[..]]), pair));
        let lower: BTreeMap<_, _> = trees.collect();
        let (mut accepted, mut refused) = (0, 0);
        for lower in lower.values() {
            for upper in &pairs {
                let dir = tempfile::tempdir().unwrap();
                let layers = [&lower[..], &upper[..]];
                let model = in_memory(layers);
                assert_eq!(model, unpacked(layers, dir.path()), "{layers:?}");
                match model {
                    Some(_) => accepted += 1,
                    None => refused += 1,
                }
            }
        }
        assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
    }
}
