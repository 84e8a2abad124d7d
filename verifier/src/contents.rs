//! Reads an image: manifest, config, and the entries of each layer.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use content::{CheckedReader, Digest, ReadError, limits};
use oci::layer::{self, Member, MemberKind, Overlay};
use oci::{Descriptor, Image};

use crate::damage::{Damage, Part};
use crate::value::Value;

mod program;

pub use program::Program;

/// An entry of a layer, with all properties in its header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The kind of entry.
    pub kind: ListedKind,
    /// The mode bits.
    pub mode: u32,
    /// The numbers of user and group.
    pub owner: (u64, u64),
    /// The modification time, in seconds since 1970.
    pub mtime: u64,
}

/// The kind of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListedKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// The digest of the contents.
        digest: Digest,
        /// The size in bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// The target of the link.
        target: String,
    },
    /// Another name of a file. Format v1 has no hard links.
    HardLink {
        /// The path of the file.
        target: String,
    },
}

impl fmt::Display for Listed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ListedKind::Directory => write!(out, "a directory")?,
            ListedKind::File { digest, size } => write!(out, "{size} bytes, {digest}")?,
            ListedKind::Symlink { target } => write!(out, "a link to {target}")?,
            ListedKind::HardLink { target } => write!(out, "a hard link to {target}")?,
        }
        let (uid, gid) = self.owner;
        write!(
            out,
            ", mode {:04o}, owner {uid}:{gid}, time {}",
            self.mode, self.mtime
        )
    }
}

/// The contents of one layer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LayerContents {
    /// The digest of the layer as it is stored.
    pub digest: Digest,
    /// The entries by path, without a leading slash.
    pub entries: BTreeMap<String, Listed>,
    /// What its programs say of their crates, by the digest of the file.
    pub programs: BTreeMap<Digest, Program>,
}

/// An image. Only [`Contents::read`] creates one, so its layers are those of its manifest.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Manifest and config, as bytes and parsed.
    pub(crate) image: Image,
    /// The layers, in order.
    pub(crate) layers: Vec<LayerContents>,
}

/// An image that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Bytes that are not what the manifest says. An attacker can cause it.
    #[error("{0}")]
    Damage(Box<Damage>),
    /// Bytes that cannot be read.
    #[error("reading layer: {0}")]
    Io(#[source] io::Error),
}

/// Opens the stored bytes of a layer.
pub type OpenLayer<'a> = &'a dyn Fn(&Descriptor) -> io::Result<Box<dyn Read>>;

impl Contents {
    /// Reads every layer of `image`, each checked against its descriptor and its diff ID.
    ///
    /// # Errors
    /// [`ContentsError::Damage`] if a layer is not what the manifest says, otherwise the error of `open`.
    pub fn read(image: Image, open: OpenLayer<'_>) -> Result<Self, ContentsError> {
        let mut layers: Vec<LayerContents> = Vec::new();
        let mut entries = 0;
        let mut budget = Budget::default();
        let mut overlay = Overlay::default();
        for (index, descriptor) in image.manifest().layers.iter().enumerate() {
            let blob = open(descriptor).map_err(ContentsError::Io)?;
            overlay.begin_layer();
            let (layer, diff_id) = read_layer(index, descriptor, blob, &mut budget, &mut overlay)?;
            let expected = image.config().rootfs.diff_ids.get(index);
            if expected != Some(&diff_id) {
                return Err(ContentsError::Damage(Box::new(Damage {
                    what: Part::Uncompressed(index),
                    expected: expected.map_or(Value::Nothing, |digest| Value::Digest(*digest)),
                    found: diff_id.into(),
                })));
            }
            entries += layer.entries.len();
            if entries > limits::ENTRIES {
                return Err(ContentsError::Damage(Box::new(Damage {
                    what: Part::Entries,
                    expected: Value::AtMost(Box::new(Value::Count(limits::ENTRIES))),
                    found: Value::More,
                })));
            }
            layers.push(layer);
        }
        Ok(Self { image, layers })
    }

    /// Manifest and config, as bytes and parsed.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The entries of all layers; for each path, the entry of the last layer that has it. Unlike in a container,
    /// whiteouts remove nothing, because the rules check every entry.
    pub fn flatten(&self) -> BTreeMap<&str, &Listed> {
        let mut flat = BTreeMap::new();
        for layer in &self.layers {
            flat.extend(
                layer
                    .entries
                    .iter()
                    .map(|(path, listed)| (path.as_str(), listed)),
            );
        }
        flat
    }
}

fn read_layer(
    index: usize,
    descriptor: &Descriptor,
    blob: Box<dyn Read>,
    budget: &mut Budget,
    overlay: &mut Overlay,
) -> Result<(LayerContents, Digest), ContentsError> {
    let mut blob = CheckedReader::new(blob, descriptor.digest, descriptor.size);
    let mut entries = BTreeMap::new();
    let mut programs = BTreeMap::new();
    let read = layer::read(&mut blob, |member, content| -> Result<(), oci::Error> {
        budget.take(member).map_err(oci::Error::ReadLayer)?;
        overlay.add(member)?;
        let listed = list(member, content, budget, &mut programs).map_err(oci::Error::ReadLayer)?;
        entries.insert(member.path.to_string(), listed);
        Ok(())
    });
    // Read to the end, because the digest is checked there.
    let diff_id = read.and_then(|diff_id| {
        let rest = io::copy(&mut blob, &mut io::sink()).map_err(ReadError::from);
        rest.map(|_| diff_id).map_err(oci::Error::ReadLayer)
    });
    let digest = descriptor.digest;
    let diff_id = diff_id.map_err(|error| fault(index, &digest, error))?;
    let layer = LayerContents {
        digest,
        entries,
        programs,
    };
    Ok((layer, diff_id))
}

/// The remaining limits for further members. A few compressed bytes can unpack to terabytes, or to more names than
/// fit into memory; so can the lists of crates in programs.
struct Budget {
    content: u64,
    names: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            content: limits::UNPACKED_TOTAL,
            names: limits::NAMES_TOTAL,
        }
    }
}

impl Budget {
    fn take(&mut self, member: &Member) -> Result<(), ReadError> {
        let (content, target) = match &member.kind {
            MemberKind::File { size } => (*size, 0),
            MemberKind::Symlink { target } => (0, target.len()),
            MemberKind::HardLink { target } => (0, target.as_str().len()),
            MemberKind::Directory => (0, 0),
        };
        let names = (member.path.as_str().len() + target) as u64;
        self.content = less(self.content, content, limits::UNPACKED_TOTAL)?;
        self.take_names(names)
    }

    fn take_names(&mut self, size: u64) -> Result<(), ReadError> {
        self.names = less(self.names, size, limits::NAMES_TOTAL)?;
        Ok(())
    }
}

fn less(budget: u64, taken: u64, limit: u64) -> Result<u64, ReadError> {
    budget.checked_sub(taken).ok_or(ReadError::Limit { limit })
}

fn list(
    member: &Member,
    content: &mut dyn Read,
    budget: &mut Budget,
    programs: &mut BTreeMap<Digest, Program>,
) -> Result<Listed, ReadError> {
    let kind = match &member.kind {
        MemberKind::Directory => ListedKind::Directory,
        MemberKind::File { size } => {
            let (digest, program) = program::read(content, *size)?;
            if let Some(program) = program {
                budget.take_names(program.size())?;
                programs.insert(digest, program);
            }
            ListedKind::File {
                digest,
                size: *size,
            }
        }
        MemberKind::Symlink { target } => ListedKind::Symlink {
            target: target.clone(),
        },
        MemberKind::HardLink { target } => ListedKind::HardLink {
            target: target.to_string(),
        },
    };
    Ok(Listed {
        kind,
        mode: member.mode,
        owner: (member.uid, member.gid),
        mtime: member.mtime,
    })
}

/// A malformed archive is damage. A failure to read is an error.
fn fault(index: usize, digest: &Digest, error: oci::Error) -> ContentsError {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match error {
        oci::Error::ReadLayer(ReadError::Io(error))
            if !matches!(
                error.kind(),
                InvalidData | InvalidInput | UnexpectedEof | Other
            ) =>
        {
            ContentsError::Io(error)
        }
        error => ContentsError::Damage(Box::new(Damage {
            what: Part::Layer(index),
            expected: Value::Digest(*digest),
            found: error.to_string().into(),
        })),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use oci::layer::{Content, Entry, Executable, Kind};
    use oci::{Manifest, media};

    pub(crate) fn file(path: &str, bytes: &[u8]) -> Entry {
        Entry {
            path: path.parse().unwrap(),
            kind: Kind::File {
                content: Content::Bytes(bytes.to_vec()),
                executable: Executable::Yes,
            },
        }
    }

    fn image(entries: &[Entry], entrypoint: &str) -> (Image, Vec<u8>) {
        let mut blob = Vec::new();
        let written = layer::write(entries.to_vec(), &mut blob).unwrap();
        let config = serde_json::json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [entrypoint]},
            "rootfs": {"type": "layers", "diff_ids": [written.diff_id]},
        });
        let config = config.to_string().into_bytes();
        let layer = Descriptor::of(media::LAYER_GZIP, &blob);
        let manifest = Manifest::new(Descriptor::of(media::CONFIG, &config), vec![layer]);
        (
            Image::parse(manifest.to_bytes().unwrap(), config).unwrap(),
            blob,
        )
    }

    fn read(image: Image, blob: Vec<u8>) -> Result<Contents, ContentsError> {
        Contents::read(image, &|_| Ok(Box::new(io::Cursor::new(blob.clone()))))
    }

    pub(crate) fn contents(entries: &[Entry], entrypoint: &str) -> Contents {
        let (image, blob) = image(entries, entrypoint);
        read(image, blob).unwrap()
    }

    #[test]
    fn files_are_listed_with_their_digests() {
        let contents = contents(&[file("bin/workload", b"code")], "/bin/workload");
        let flat = contents.flatten();
        assert_eq!(flat["bin"].kind, ListedKind::Directory);
        let expected = ListedKind::File {
            digest: Digest::of(b"code"),
            size: 4,
        };
        assert_eq!(flat["bin/workload"].kind, expected);
    }

    #[test]
    fn each_flipped_byte_of_a_layer_is_damage() {
        let (image, blob) = image(&[file("workload", b"code")], "/workload");
        for index in (0..blob.len()).step_by(7) {
            let mut flipped = blob.clone();
            flipped[index] ^= 1;
            let outcome = read(image.clone(), flipped);
            assert!(
                matches!(outcome, Err(ContentsError::Damage(_))),
                "byte {index}: {outcome:?}"
            );
        }
    }

    #[test]
    fn files_and_names_share_a_budget() {
        let taken = |content, names, entry: Entry| {
            let mut blob = Vec::new();
            layer::write(vec![entry], &mut blob).unwrap();
            let mut budget = Budget { content, names };
            let read = layer::read(&mut blob.as_slice(), |member, _| {
                budget.take(member).map_err(oci::Error::ReadLayer)
            });
            read.ok().map(|_| (budget.content, budget.names))
        };
        let link = || Entry {
            path: "l".parse().unwrap(),
            kind: Kind::Symlink {
                target: "ab".to_owned(),
            },
        };
        assert_eq!(taken(10, 10, file("a", b"123")), Some((7, 9)));
        assert_eq!(taken(3, 1, file("a", b"123")), Some((0, 0)));
        assert_eq!(taken(2, 1, file("a", b"123")), None);
        assert_eq!(taken(3, 0, file("a", b"123")), None);
        assert_eq!(taken(0, 3, link()), Some((0, 0)));
        assert_eq!(taken(0, 2, link()), None);
    }

    #[test]
    fn a_shortened_or_lengthened_layer_is_damage() {
        let (image, blob) = image(&[file("workload", b"code")], "/workload");
        for changed in [
            blob[..blob.len() - 1].to_vec(),
            [blob.clone(), vec![0]].concat(),
        ] {
            let outcome = read(image.clone(), changed);
            assert!(
                matches!(outcome, Err(ContentsError::Damage(_))),
                "{outcome:?}"
            );
        }
    }
}
