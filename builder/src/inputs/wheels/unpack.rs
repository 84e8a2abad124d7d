//! Unpacks wheels side by side, as pip does with `--target`: modules only, without compiling or running anything.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};
use scratch::Scratch;

use super::obtain;
use super::opened::{LIMITS, Opened};
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::normalize::normalize;
use crate::inputs::zip::{self, Mode};
use crate::lock::AGAIN;
use crate::lock::wheels::Wheel;
use crate::untrusted::shown;

/// Unpacked wheels. They are removed with this value.
pub struct Wheels {
    _scratch: Option<Scratch>,
    folders: Vec<Unpacked>,
}

/// The wheels of one directory of the image.
#[derive(Clone, Debug)]
pub(crate) struct Unpacked {
    /// The folder that they are unpacked in.
    pub(crate) folder: PathBuf,
    /// The directory of the image.
    pub(crate) path: PathBuf,
    /// Each wheel with the paths of its files, relative to the folder.
    pub(crate) owned: Vec<(Wheel, Vec<String>)>,
}

impl Wheels {
    /// Unpacks the locked wheels, which the store has.
    ///
    /// # Errors
    /// A wheel is invalid or not what the lock says, or two wheels have different files with one path.
    pub(in crate::inputs) fn unpack(
        wheels: &[Wheel],
        supply: &Supply<'_>,
    ) -> Result<Self, DependencyError> {
        let mut by_path: BTreeMap<&Path, Vec<&Wheel>> = BTreeMap::new();
        for wheel in wheels {
            by_path.entry(&wheel.path).or_default().push(wheel);
        }
        if by_path.is_empty() {
            let (folders, _scratch) = (Vec::new(), None);
            return Ok(Self { folders, _scratch });
        }
        let scratch = supply.store.scratch()?;
        let mut folders = Vec::new();
        for (index, (path, wheels)) in by_path.into_iter().enumerate() {
            let folder = scratch.path().join(index.to_string());
            let owned = together(&wheels, &folder, supply)?;
            let path = path.to_owned();
            folders.push(Unpacked {
                folder,
                path,
                owned,
            });
        }
        Ok(Self {
            _scratch: Some(scratch),
            folders,
        })
    }

    /// The directories.
    pub(crate) fn folders(&self) -> &[Unpacked] {
        &self.folders
    }
}

/// Unpacks wheels into a new folder.
fn together(
    wheels: &[&Wheel],
    folder: &Path,
    supply: &Supply<'_>,
) -> Result<Vec<(Wheel, Vec<String>)>, DependencyError> {
    fs::create_dir(folder).map_err(At::writing(folder))?;
    let mut place = Place {
        folder,
        files: BTreeMap::new(),
        names: BTreeMap::new(),
    };
    let mut owned = Vec::new();
    for wheel in wheels {
        supply.interrupt.check()?;
        let bytes = obtain::read(wheel, supply)?;
        let opened = obtain::open(&wheel.file, &bytes)?;
        check(wheel, &opened)?;
        let files = place.unpack(wheel, &opened, &bytes)?;
        owned.push(((*wheel).clone(), files));
    }
    normalize(folder).map_err(At::writing(folder))?;
    Ok(owned)
}

/// Checks that a wheel has the name and version of the lock.
fn check(wheel: &Wheel, opened: &Opened) -> Result<(), Hinted> {
    let (name, version) = (&opened.metadata.name, &opened.version);
    match *name == wheel.name && *version == wheel.version {
        true => Ok(()),
        false => Err(Hinted::new(format_args!(
            "checking Image.lock: wheel {} is {name} {version}, not {} {}",
            wheel.file, wheel.name, wheel.version
        ))
        .hinting(AGAIN)),
    }
}

/// A folder with the files of several wheels.
struct Place<'a> {
    folder: &'a Path,
    /// The digest of each file, and the wheel that has it.
    files: BTreeMap<String, (Digest, String)>,
    /// Each path of a file or folder, by itself in small letters.
    names: BTreeMap<String, String>,
}

impl Place<'_> {
    /// Unpacks a wheel. Returns the paths of its files.
    fn unpack(
        &mut self,
        wheel: &Wheel,
        opened: &Opened,
        bytes: &[u8],
    ) -> Result<Vec<String>, DependencyError> {
        let mut paths = Vec::new();
        let read = zip::each(bytes, LIMITS, &mut |found, content| {
            if let Some(path) = opened.place(found.path) {
                self.put(wheel, path, found.mode, content)?;
                paths.push(path.to_owned());
            }
            Ok(())
        });
        read.map_err(|error| {
            Hinted::new(format_args!("unpacking wheel {}: {error}", wheel.file)).hinting(
                "wheels that do not fit together can be in directories of their own, each by its own [[wheels]] and file",
            )
        })?;
        Ok(paths)
    }

    fn put(
        &mut self,
        wheel: &Wheel,
        path: &str,
        mode: Mode,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        self.check_case(path)?;
        let place = self.folder.join(path);
        if let Some((digest, other)) = self.files.get(path) {
            let mut hasher = Hasher::new();
            io::copy(content, &mut hasher)?;
            return match hasher.finish() == *digest {
                true => Ok(()),
                false => Err(io::Error::other(format!(
                    "{other} has another file with this path"
                ))),
            };
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut written = Written {
            file: File::create_new(&place)?,
            hasher: Hasher::new(),
        };
        io::copy(content, &mut written)?;
        let mode = match mode {
            Mode::Program => 0o755,
            Mode::Plain | Mode::Link => 0o644,
        };
        written.file.set_permissions(Permissions::from_mode(mode))?;
        let known = (written.hasher.finish(), wheel.file.to_string());
        self.files.insert(path.to_owned(), known);
        Ok(())
    }

    /// Checks that no other path differs only in case from this one, or from one above it.
    fn check_case(&mut self, path: &str) -> io::Result<()> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let part = &path[..end];
            let known = self.names.entry(part.to_lowercase());
            let known = known.or_insert_with(|| part.to_owned());
            if known != part {
                return Err(io::Error::other(format!(
                    "{} differs only in case",
                    shown(known)
                )));
            }
        }
        Ok(())
    }
}

/// A file that is written, and its digest.
struct Written {
    file: File,
    hasher: Hasher,
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
