//! What a build may replace: only what an earlier build has written.

use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use attest::{ImageList, Provenance, Sbom};

use super::layout::CHECKS;
use crate::inputs::debian::evidence;
use crate::untrusted::shown;

/// The files that each layout of a build has: without them, a folder may be a layout of another program.
const MARKS: [&str; 4] = [
    "oci-layout",
    "index.json",
    Provenance::PREDICATE.file,
    Sbom::PREDICATE.file,
];
/// The files that a layout may have as well; `verifier rebuild` writes the last.
const FILES: [&str; 3] = [Sbom::SPDX_FILE, CHECKS, "rebuild.json"];
const FOLDERS: [&str; 2] = ["blobs", evidence::FOLDER];

/// Why a path must not be replaced.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum InTheWay {
    /// It is a file, or something else that is no folder.
    #[error("it is not a folder")]
    NoFolder,
    /// It has this file or folder.
    #[error("it contains {0}, which no build writes")]
    Entry(String),
    /// It has some files of a layout, but not this one.
    #[error("it is not the layout of a build, because it has no {0}")]
    Missing(String),
}

/// What would be lost if `place` were replaced; nothing if it does not exist, is empty, or is the output of a build.
///
/// # Errors
/// It cannot be read.
pub(super) fn in_the_way(place: &Path) -> io::Result<Option<InTheWay>> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => match found?.is_dir() {
            true => {}
            false => return Ok(Some(InTheWay::NoFolder)),
        },
    }
    match entries(place)? {
        entries if entries.is_empty() => Ok(None),
        entries if entries.iter().any(|(name, _)| name == ImageList::FILE) => {
            in_layouts(place, &entries)
        }
        entries => Ok(in_layout(&entries)),
    }
}

/// As [`in_the_way`], for the layouts of several images.
fn in_layouts(place: &Path, found: &[Entry]) -> io::Result<Option<InTheWay>> {
    let list = match ImageList::read(place) {
        Ok(list) => list.unwrap_or_default(),
        Err(at) if at.source.kind() == io::ErrorKind::InvalidData => ImageList::default(),
        Err(at) => return Err(at.source),
    };
    for (name, kind) in found {
        if name == ImageList::FILE && !list.images.is_empty() {
            continue;
        }
        if !kind.is_dir() || !list.images.iter().any(|image| image.name.as_str() == name) {
            return Ok(Some(InTheWay::Entry(shown(name))));
        }
        let within = |inner: InTheWay| match inner {
            InTheWay::Entry(inner) => InTheWay::Entry(format!("{}/{inner}", shown(name))),
            InTheWay::Missing(mark) => InTheWay::Missing(format!("{}/{mark}", shown(name))),
            InTheWay::NoFolder => inner,
        };
        if let Some(inner) = in_layout(&entries(&place.join(name))?) {
            return Ok(Some(within(inner)));
        }
    }
    Ok(None)
}

/// As [`in_the_way`], for the layout of one image.
fn in_layout(found: &[Entry]) -> Option<InTheWay> {
    let is_known = |(name, kind): &Entry| match kind.is_dir() {
        true => FOLDERS.contains(&name.as_str()),
        false => kind.is_file() && MARKS.iter().chain(&FILES).any(|known| known == name),
    };
    if let Some((name, _)) = found.iter().find(|entry| !is_known(entry)) {
        return Some(InTheWay::Entry(shown(name)));
    }
    let is_missing = |mark: &&str| !found.iter().any(|(name, _)| name == mark);
    let missing = MARKS.into_iter().find(is_missing)?;
    Some(InTheWay::Missing(missing.to_owned()))
}

/// The name of a file or folder, and which of them it is.
type Entry = (String, FileType);

/// What a folder has, in the order of the names.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let entries = fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        Ok((name, entry.file_type()?))
    });
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

/// Writes what the layout of a build has, without contents.
#[cfg(test)]
pub(super) fn example(folder: &Path) {
    for name in MARKS.iter().chain(&FILES) {
        fs::write(folder.join(name), "").unwrap();
    }
    for name in FOLDERS {
        fs::create_dir(folder.join(name)).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use attest::ListedImage;
    use content::Digest;

    use super::*;

    fn reason(place: &Path) -> Option<String> {
        Some(in_the_way(place).unwrap()?.to_string())
    }

    fn layout(place: &Path) {
        fs::create_dir(place).unwrap();
        example(place);
    }

    #[test]
    fn a_layout_without_its_documents_or_with_other_files_is_not_of_a_build() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("out");
        assert_eq!(reason(&place), None);
        layout(&place);
        assert_eq!(reason(&place), None);
        fs::remove_file(place.join("provenance.json")).unwrap();
        let missing = "it is not the layout of a build, because it has no provenance.json";
        assert_eq!(reason(&place).as_deref(), Some(missing));
        fs::create_dir(place.join("provenance.json")).unwrap();
        let other = "it contains provenance.json, which no build writes";
        assert_eq!(reason(&place).as_deref(), Some(other));
    }

    #[test]
    fn a_link_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        layout(&at("out"));
        std::os::unix::fs::symlink("out", at("link")).unwrap();
        assert_eq!(reason(&at("link")).as_deref(), Some("it is not a folder"));
    }

    #[test]
    fn a_list_of_images_alone_makes_no_output() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let mine = "it contains images.json, which no build writes";
        for text in ["", "[]", "{\"photographs\":[]}"] {
            fs::write(at("images.json"), text).unwrap();
            assert_eq!(reason(scratch.path()).as_deref(), Some(mine), "{text}");
        }
        let images = ["server", "worker"].map(|name| ListedImage {
            name: name.parse().unwrap(),
            image_digest: Digest::of(b"manifest"),
            image_id: Digest::of(b"configuration"),
        });
        let list = ImageList {
            images: images.to_vec(),
        };
        fs::write(at("images.json"), list.to_bytes().unwrap()).unwrap();
        layout(&at("server"));
        layout(&at("worker"));
        assert_eq!(reason(scratch.path()), None);
        fs::write(at("worker/notes"), "").unwrap();
        let inner = "it contains worker/notes, which no build writes";
        assert_eq!(reason(scratch.path()).as_deref(), Some(inner));
        fs::remove_file(at("worker/notes")).unwrap();
        fs::create_dir(at("photographs")).unwrap();
        let other = "it contains photographs, which no build writes";
        assert_eq!(reason(scratch.path()).as_deref(), Some(other));
    }
}
