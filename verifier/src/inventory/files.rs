//! The files of an image as a container sees them.

use std::collections::BTreeMap;

use content::Digest;

use crate::contents::{Contents, LayerContents, ListedKind, Program};

use super::fault::Held;

/// Whiteouts (OCI image specification, layer.md): of all that lower layers have in the directory, and of one path.
const OPAQUE: &str = ".wh..wh..opq";
const WHITEOUT: &str = ".wh.";

type Files = BTreeMap<String, Digest>;

/// Everything in all layers that is a file, whether or not a container sees it; of each path, the entry of the last layer that
/// has it. A hard link is the file that it names, in its own layer or in the next lower one that has it.
pub(super) fn of_layers(contents: &Contents) -> BTreeMap<String, Held> {
    let mut files = BTreeMap::new();
    for (index, layer) in contents.layers.iter().enumerate() {
        for (path, listed) in &layer.entries {
            let held = match &listed.kind {
                ListedKind::File { digest, .. } => Held::File(*digest),
                ListedKind::HardLink { target } => linked(&contents.layers[..=index], target),
                ListedKind::Directory | ListedKind::Symlink { .. } => {
                    files.remove(path);
                    continue;
                }
            };
            files.insert(path.clone(), held);
        }
    }
    files
}

/// What a hard link in the last of these layers names.
fn linked(layers: &[LayerContents], target: &str) -> Held {
    let mut named = layers
        .iter()
        .rev()
        .filter_map(|layer| layer.entries.get(target));
    match named.next().map(|listed| &listed.kind) {
        Some(ListedKind::File { digest, .. }) => Held::File(*digest),
        _ => Held::HardLink(target.to_owned()),
    }
}

/// The files that a container sees.
pub(super) fn of_container(contents: &Contents) -> BTreeMap<String, Held> {
    let files = flattened(&contents.layers).into_iter();
    files
        .map(|(path, digest)| (path, Held::File(digest)))
        .collect()
}

/// What the programs among `files` say, each by its first path.
pub(super) fn programs<'a>(
    contents: &'a Contents,
    files: &BTreeMap<String, Held>,
) -> BTreeMap<String, &'a Program> {
    let layers = contents.layers.iter();
    let mut all: BTreeMap<&Digest, &Program> = layers.flat_map(|layer| &layer.programs).collect();
    let found = files.iter().filter_map(|(path, held)| match held {
        Held::File(digest) => Some((path.clone(), all.remove(digest)?)),
        Held::HardLink(_) => None,
    });
    found.collect()
}

/// The regular files of all layers, without those that a higher layer replaces or removes. A hard link is the file that it
/// names.
fn flattened(layers: &[LayerContents]) -> Files {
    let mut files = Files::new();
    for layer in layers {
        layer
            .entries
            .keys()
            .for_each(|path| remove(path, &mut files));
        for (path, listed) in &layer.entries {
            let digest = match &listed.kind {
                ListedKind::Directory => {
                    files.remove(path);
                    continue;
                }
                _ if split(path).1.starts_with(WHITEOUT) => continue,
                ListedKind::File { digest, .. } => Some(*digest),
                ListedKind::Symlink { .. } => None,
                ListedKind::HardLink { target } => target_of(target, layer, &files),
            };
            remove_with_contents(path, &mut files);
            files.extend(digest.map(|digest| (path.clone(), digest)));
        }
    }
    files
}

/// The digest of the file that a hard link names, in the same layer or a lower one. A link to a link is refused by the reader.
fn target_of(target: &str, layer: &LayerContents, files: &Files) -> Option<Digest> {
    let own = layer.entries.get(target).map(|listed| &listed.kind);
    match own {
        Some(ListedKind::File { digest, .. }) => Some(*digest),
        _ => files.get(target).copied(),
    }
}

/// Removes what an entry of a higher layer removes, if it is a whiteout.
fn remove(path: &str, files: &mut Files) {
    let (directory, name) = split(path);
    if name == OPAQUE {
        remove_contents(directory, files);
    } else if let Some(name) = name.strip_prefix(WHITEOUT) {
        remove_with_contents(&format!("{directory}{name}"), files);
    }
}

/// The directory with its slash, and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

fn remove_with_contents(path: &str, files: &mut Files) {
    files.remove(path);
    remove_contents(&format!("{path}/"), files);
}

/// Removes all below a directory, which is given with its slash; the root is empty.
fn remove_contents(directory: &str, files: &mut Files) {
    let below = files.range(directory.to_owned()..);
    let below = below.take_while(|(path, _)| path.starts_with(directory));
    let below: Vec<_> = below.map(|(path, _)| path.clone()).collect();
    for path in below {
        files.remove(&path);
    }
}
