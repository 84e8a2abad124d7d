//! Object files, and archives of them, by their content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, limits};
use elf::{Piece, Program};

/// The ends of names of archives and object files.
const NAMES: [&str; 2] = ["a", "o"];

/// Files by the input of a link: its path, and its object files.
pub(super) type Copies = BTreeMap<PathBuf, (PathBuf, Vec<Piece>)>;

/// The object files of a file; `None` if it is neither an object file nor an archive.
pub(super) fn pieces(path: &Path) -> io::Result<Option<Vec<Piece>>> {
    match fs::metadata(path)?.is_file() {
        true => elf::pieces(&File::open(path)?),
        false => Ok(None),
    }
}

/// For each input, the files below `folders` that have an object file with the same content as one of it.
pub(super) fn originals(
    copies: &Copies,
    folders: &[PathBuf],
) -> io::Result<BTreeMap<PathBuf, BTreeSet<PathBuf>>> {
    let sizes = copies.values().flat_map(|(_, pieces)| pieces);
    let sizes: BTreeSet<u64> = sizes
        .map(|piece| piece.size)
        .filter(|size| *size > 0)
        .collect();
    let mut known: BTreeMap<Digest, BTreeSet<PathBuf>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for path in folders
        .iter()
        .map(|folder| archives(folder))
        .collect::<io::Result<Vec<_>>>()?
        .concat()
    {
        for piece in pieces(&path)?.unwrap_or_default() {
            if sizes.contains(&piece.size)
                && let bytes = read(&path, piece)?
                && has_content(&bytes)
            {
                known
                    .entry(Digest::of(&bytes))
                    .or_default()
                    .insert(path.clone());
                found.insert(piece.size);
            }
        }
    }
    let mut originals = BTreeMap::new();
    for (input, (path, pieces)) in copies {
        let mut files = BTreeSet::new();
        for piece in pieces.iter().filter(|piece| found.contains(&piece.size)) {
            files.extend(
                known
                    .get(&Digest::of(&read(path, *piece)?))
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        originals.insert(input.clone(), files);
    }
    Ok(originals)
}

/// The archives and object files below a folder, by their names.
fn archives(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        if !super::existing(fs::symlink_metadata(&folder))?.is_some_and(|found| found.is_dir()) {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let is_named = path
                .extension()
                .is_some_and(|end| NAMES.iter().any(|name| end == *name));
            match (kind.is_dir(), kind.is_file() && is_named) {
                (true, _) => pending.push(path),
                (_, true) => all.push(path),
                _ => {}
            }
        }
    }
    Ok(all)
}

/// Whether an object file has anything that would be in a program. Of other forms nothing is known.
fn has_content(object: &[u8]) -> bool {
    Program::parse(object).is_none_or(|object| object.has_content())
}

fn read(path: &Path, piece: Piece) -> io::Result<Vec<u8>> {
    let size = usize::try_from(piece.size.min(limits::LAYER)).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    File::open(path)?.read_exact_at(&mut bytes, piece.offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[&str]) -> Vec<u8> {
        let mut bytes = b"!<arch>\n".to_vec();
        for member in members {
            bytes.extend(format!("{:<48}{:<10}`\n", "a.o/", member.len()).bytes());
            bytes.extend(member.bytes());
            bytes.resize(bytes.len().next_multiple_of(2), b'\n');
        }
        bytes
    }

    #[test]
    fn a_copy_in_another_archive_is_recognised_by_its_content() {
        let place = tempfile::tempdir().unwrap();
        let write = |path: &str, members: &[&str]| {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, archive(members)).unwrap();
            path
        };
        let libz = write("usr/lib/x/libz.a", &["inflate", "deflate", "same"]);
        let other = write("usr/lib/y/libother.a", &["other", "same"]);
        write("usr/lib/y/libnone.rlib", &["inflate"]);
        let rlibs = [
            (write("own/a.rlib", &["metadata", "inflate"]), vec![&libz]),
            (write("own/b.rlib", &["same"]), vec![&libz, &other]),
            (write("own/c.rlib", &["Inflate", ""]), vec![]),
        ];
        let copies = rlibs.iter().map(|(path, _)| {
            let pieces = pieces(path).unwrap().unwrap();
            (path.clone(), (path.clone(), pieces))
        });
        let folders = ["usr/lib", "lib"].map(|folder| place.path().join(folder));
        let found = originals(&copies.collect(), &folders).unwrap();
        for (path, expected) in rlibs {
            assert_eq!(found[&path], expected.into_iter().cloned().collect());
        }
    }
}
