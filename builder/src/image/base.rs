//! The layers of a base image: copied unchanged, and read to check them and to list their files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};

use console::hint::Hinted;
use content::{ReadError, limits};
use oci::layer::{self, Attributed, EntryPath, Kind, Member, MemberKind, Overlay};
use oci::{Descriptor, Layout};

use super::assemble::Base;
use super::contents::{Digests, hash};
use crate::at::At;
use crate::error::Error;
use crate::inputs::BaseImage;
use crate::interrupt::Interrupt;
use crate::untrusted::shown;

/// If the name of an entry starts with this, it removes the rest of the name from lower layers (OCI image specification,
/// layer.md).
const WHITEOUT: &str = ".wh.";

/// The layers of a base image, once they are in a layout.
pub(super) struct Lower {
    /// What they are for the image above.
    pub(super) base: Base,
    files: BTreeMap<String, Digests>,
    links: BTreeSet<String>,
}

/// Copies the layers of a base image to a layout. Each is checked against the manifest and the configuration.
///
/// # Errors
/// A layer has other bytes, cannot be read, or the work was interrupted.
pub(super) fn add(
    image: &BaseImage,
    layout: &Layout,
    interrupt: &Interrupt,
) -> Result<Lower, Error> {
    let mut reader = Reader::default();
    let mut layers = Vec::new();
    for ((descriptor, path), diff_id) in image.layers.iter().zip(&image.diff_ids) {
        interrupt.check()?;
        let file = File::open(path).map_err(At::reading(path))?;
        layout.copy_blob(descriptor, file).map_err(unread)?;
        let found = reader.read(descriptor, layout).map_err(unread)?;
        if found != *diff_id {
            let other = format_args!(
                "reading base image: expected diff ID {diff_id} of layer {}, found {found}",
                descriptor.digest
            );
            return Err(Hinted::new(other).into());
        }
        layers.push(descriptor.clone());
    }
    let base = Base {
        layers,
        diff_ids: image.diff_ids.clone(),
        execution: image.execution.clone(),
    };
    Ok(Lower {
        base,
        files: reader.files,
        links: reader.links,
    })
}

fn unread(error: oci::Error) -> Hinted {
    Hinted::doing("reading base image", error)
}

impl Lower {
    /// The files in the layers of the base at whose paths the image has no entry, also those that a container does not see:
    /// the verifier checks all layers.
    pub(super) fn files(&self, above: &[Attributed]) -> Vec<Digests> {
        let mut files = self.files.clone();
        for Attributed { entry, .. } in above {
            files.remove(entry.path.as_str());
            let mut next = entry.path.parent();
            while let Some(parent) = next {
                files.remove(parent.as_str());
                next = parent.parent();
            }
        }
        files.into_values().collect()
    }

    /// Checks that no directory of the image, also one that is only a parent, replaces a link of the base: the base's files
    /// behind the link would no longer be found.
    ///
    /// # Errors
    /// One does.
    pub(super) fn check(&self, above: &[Attributed]) -> Result<(), Hinted> {
        for Attributed { entry, .. } in above {
            let own = match entry.kind {
                Kind::Directory => Some(entry.path.clone()),
                Kind::File { .. } | Kind::Symlink { .. } => entry.path.parent(),
            };
            let mut directories = std::iter::successors(own, EntryPath::parent);
            if let Some(link) = directories.find(|one| self.links.contains(one.as_str())) {
                let (path, link) = (shown(entry.path.as_str()), shown(link.as_str()));
                let replaced = format_args!("adding /{path}: /{link} is a link of the base image");
                let hint =
                    "name the path that the link leads to: for example /usr/lib instead of /lib";
                return Err(Hinted::new(replaced).hinting(hint));
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Reader {
    /// By path, without a leading slash.
    files: BTreeMap<String, Digests>,
    links: BTreeSet<String>,
    overlay: Overlay,
    unpacked: u64,
}

impl Reader {
    /// Reads a layer of the layout. Returns its diff ID.
    fn read(
        &mut self,
        descriptor: &Descriptor,
        layout: &Layout,
    ) -> Result<content::Digest, oci::Error> {
        self.overlay.begin_layer();
        let blob = layout.open_blob(&descriptor.digest)?;
        layer::read(blob, |member, content| {
            self.overlay.add(member)?;
            self.take(member, content).map_err(oci::Error::ReadLayer)
        })
    }

    fn take(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), ReadError> {
        let path = member.path.to_string();
        let found = match &member.kind {
            MemberKind::File { size } => {
                let limit = limits::UNPACKED_TOTAL;
                self.unpacked = self.unpacked.saturating_add(*size);
                if self.unpacked > limit {
                    return Err(ReadError::Limit { limit });
                }
                Some(digests(&path, content)?)
            }
            MemberKind::HardLink { target } => {
                let target = self.files.get(target.as_str()).cloned();
                target.map(|target| Digests {
                    path: format!("/{path}"),
                    ..target
                })
            }
            MemberKind::Directory | MemberKind::Symlink { .. } => None,
        };
        match &member.kind {
            MemberKind::Symlink { .. } => self.links.insert(path.clone()),
            _ => self.links.remove(&path),
        };
        let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            self.links.remove(&format!("{folder}{hidden}"));
        }
        match found {
            Some(found) => self.files.insert(path, found),
            None => self.files.remove(&path),
        };
        Ok(())
    }
}

fn digests(path: &str, content: &mut dyn Read) -> io::Result<Digests> {
    let (sha256, sha1) = hash(content)?;
    Ok(Digests {
        path: format!("/{path}"),
        sha256,
        sha1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    use content::Digest;
    use oci::layer::{Content, Entry, Executable};
    use oci::{Execution, media};

    fn file(path: &str, text: &str) -> Entry {
        let kind = Kind::File {
            content: Content::Bytes(text.as_bytes().to_vec()),
            executable: Executable::No,
        };
        let path = path.parse().unwrap();
        Entry { path, kind }
    }

    fn link(path: &str, target: &str) -> Entry {
        let target = target.to_owned();
        let path = path.parse().unwrap();
        let kind = Kind::Symlink { target };
        Entry { path, kind }
    }

    /// A base of these layers; of three, the second is not compressed and the third in zstd.
    fn base(folder: &Path, layers: &[&[Entry]]) -> BaseImage {
        let mut all: Vec<(Descriptor, PathBuf)> = Vec::new();
        let mut diff_ids = Vec::new();
        for (index, entries) in layers.iter().enumerate() {
            let mut blob = Vec::new();
            let written = layer::write(entries.to_vec(), &mut blob).unwrap();
            let mut media_type = media::LAYER_GZIP;
            if index % 3 > 0 {
                let mut archive = Vec::new();
                let mut gzip = flate2::read::GzDecoder::new(&blob[..]);
                gzip.read_to_end(&mut archive).unwrap();
                (blob, media_type) = match index % 3 {
                    1 => (archive, media::LAYER_TAR),
                    _ => (testkit::zstd(&archive), media::LAYER_ZSTD),
                };
            }
            let path = folder.join(index.to_string());
            std::fs::write(&path, &blob).unwrap();
            all.push((Descriptor::of(media_type, &blob), path));
            diff_ids.push(written.diff_id);
        }
        let manifest = Digest::of(b"base");
        BaseImage {
            reference: format!("registry.example/base@{manifest}").parse().unwrap(),
            manifest,
            layers: all,
            diff_ids,
            execution: Execution::default(),
        }
    }

    fn added(image: &BaseImage, layout: &Layout) -> Result<Lower, String> {
        let added = add(image, layout, &Interrupt::default());
        added.map_err(|error| error.to_string())
    }

    #[test]
    fn layers_are_copied_and_their_files_listed() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(&folder.path().join("layout")).unwrap();
        let lower = [file("etc/a", "1"), file("etc/b", "1"), file("bin/c", "1")];
        let image = base(
            folder.path(),
            &[
                &lower,
                &[file("etc/b", "2"), link("bin/c", "d")],
                &[file("etc/d", "3")],
            ],
        );
        let found = added(&image, &layout).unwrap();
        for (descriptor, path) in &image.layers {
            let copied = std::fs::read(layout.blob_path(&descriptor.digest)).unwrap();
            assert_eq!(copied, std::fs::read(path).unwrap());
        }
        let above = [Attributed::from(file("etc/a/x", ""))];
        let files = found.files(&above);
        let listed: Vec<_> = files
            .iter()
            .map(|one| (one.path.as_str(), one.sha256))
            .collect();
        assert_eq!(
            listed,
            [("/etc/b", Digest::of(b"2")), ("/etc/d", Digest::of(b"3"))]
        );
        let all: Vec<_> = found.files(&[]).into_iter().map(|one| one.path).collect();
        assert_eq!(all, ["/etc/a", "/etc/b", "/etc/d"]);
    }

    #[test]
    fn other_layers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(&folder.path().join("layout")).unwrap();
        let mut image = base(folder.path(), &[&[file("a", "1")]]);
        image.diff_ids[0] = Digest::of(b"other");
        let refused = added(&image, &layout).err().unwrap();
        assert!(
            refused.starts_with("reading base image: expected diff ID"),
            "{refused}"
        );
        std::fs::write(&image.layers[0].1, "other").unwrap();
        let refused = added(&image, &layout).err().unwrap();
        assert!(refused.starts_with("reading base image: "), "{refused}");
        assert_eq!(
            std::fs::read_dir(layout.dir().join("blobs/sha256"))
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn nothing_is_added_below_a_link_of_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(&folder.path().join("layout")).unwrap();
        let image = base(
            folder.path(),
            &[&[file("usr/lib/a", "1"), link("lib", "usr/lib")]],
        );
        for (path, is_allowed) in [("usr/lib/b", true), ("lib/b", false)] {
            let lower = added(&image, &layout).unwrap();
            let checked = lower.check(&[file(path, "2").into()]);
            let expected = match is_allowed {
                true => Ok(()),
                false => Err("adding /lib/b: /lib is a link of the base image".to_owned()),
            };
            assert_eq!(checked.map_err(|error| error.to_string()), expected);
        }
    }
}
