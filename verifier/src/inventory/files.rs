//! The files of an image as a container sees them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use content::{CheckedReader, Digest, ReadError};
use oci::layer::{self, Member, MemberKind};
use sbom::Crate;

use crate::contents::{Contents, ContentsError, LayerContents, ListedKind, OpenLayer};

/// The largest program whose crates are read, in bytes.
const PROGRAM: u64 = 1 << 30;
/// The first bytes of a program in ELF.
const ELF: &[u8; 4] = b"\x7fELF";
/// Whiteouts (OCI image specification, layer.md): of all that lower layers have in the directory, and of one path.
const OPAQUE: &str = ".wh..wh..opq";
const WHITEOUT: &str = ".wh.";

type Files = BTreeMap<String, Digest>;

/// The regular files of all layers, without those that a higher layer replaces or removes. A hard link is the file that it
/// names.
pub(super) fn flattened(layers: &[LayerContents]) -> Files {
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

/// The crates of those programs among `files` that have a list of them, or why it is invalid.
pub(super) fn programs(
    contents: &Contents,
    files: &Files,
    open: OpenLayer<'_>,
) -> Result<BTreeMap<String, Result<Vec<Crate>, String>>, ContentsError> {
    let mut programs = BTreeMap::new();
    for descriptor in &contents.image.manifest().layers {
        let blob = open(descriptor).map_err(ContentsError::Io)?;
        let blob = CheckedReader::new(blob, descriptor.digest, descriptor.size);
        layer::read(blob, |member, content| -> Result<(), oci::Error> {
            let Some(bytes) = program(member, content).map_err(oci::Error::ReadLayer)? else {
                return Ok(());
            };
            let path = member.path.to_string();
            // The file of a lower layer may be replaced.
            if files.get(&path) == Some(&Digest::of(&bytes)) {
                let crates = sbom::linked(&bytes).map_err(|error| error.to_string());
                programs.extend(crates.transpose().map(|crates| (path, crates)));
            }
            Ok(())
        })
        .map_err(|error| ContentsError::Io(io::Error::other(error)))?;
    }
    Ok(programs)
}

/// The bytes of a program in ELF.
fn program(member: &Member, content: &mut dyn Read) -> Result<Option<Vec<u8>>, ReadError> {
    match member.kind {
        MemberKind::File { size } if size >= ELF.len() as u64 && size <= PROGRAM => {}
        _ => return Ok(None),
    }
    let mut bytes = vec![0; ELF.len()];
    content.read_exact(&mut bytes)?;
    if bytes != ELF {
        return Ok(None);
    }
    content.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
