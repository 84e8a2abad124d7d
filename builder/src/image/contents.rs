//! The entries of an image, as `Image.toml` lists them, with their contents.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};
use oci::layer::{Attributed, Attributes, Content, Entry, EntryPath, Executable, Kind};
use sha1_checked::{Digest as _, Sha1};

use super::accounts::Accounts;
use super::collection::{Collection, From};
use super::folder;
use super::packages::{self, Owned};
use super::wheels;
use crate::at::At;
use crate::compile::program::Program;
use crate::inputs::debian::Runtime;
use crate::inputs::wheels::Unpacked;
use crate::lock::packages::Package;
use crate::lock::wheels::Wheel;
use crate::spec::{FileSpec, ImageSpec, Origin};
use crate::untrusted::shown;

/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// Where the entries of an image come from, besides `Image.toml`.
pub(super) struct Origins<'a> {
    /// The directory of `Image.toml` in the staged source.
    pub(super) directory: &'a Path,
    /// The folders of submodules in the staged source. They are empty.
    pub(super) submodules: &'a [PathBuf],
    /// The compiled program.
    pub(super) program: &'a Program,
    /// The unpacked packages of all images.
    pub(super) runtime: &'a Runtime,
    /// Those that the image contains.
    pub(super) packages: &'a [Package],
    /// The Python packages that the image contains.
    pub(super) wheels: &'a [Unpacked],
}

/// The entries of an image.
pub(super) struct Contents {
    /// All entries, sorted by path.
    pub(super) entries: Vec<Attributed>,
    /// The files of the packages among them.
    pub(super) owned: Owned,
    /// Those of Python packages, each with absolute paths.
    pub(super) wheels: Vec<(Wheel, Vec<String>)>,
}

/// All entries of an image.
///
/// # Errors
/// An entry cannot be added, or two parts of `Image.toml` make the same path.
pub(super) fn collect(image: &ImageSpec, origins: &Origins<'_>) -> Result<Contents, Hinted> {
    let ImageSpec { start, parts, .. } = image;
    let accounts = Accounts::of(&parts.users)?;
    let mut collection = Collection::default();
    for file in &parts.files {
        let from = From::from(format!("[[file]] {}", shown(&file.path)));
        let added = add(file, &accounts, origins);
        let added =
            added.map_err(|fault| fault.during(format_args!("adding {}", shown(&file.path))))?;
        for entry in added {
            collection.add(entry, &from)?;
        }
    }
    for entry in accounts.entries()? {
        collection.add(entry, &From::from("[[user]]"))?;
    }
    let owned = packages::add(origins.runtime.packages(origins.packages), &mut collection)?;
    let wheels = wheels::add(origins.wheels, &mut collection)?;
    // The files of a base are not known here.
    if let (Some(user), None) = (&start.user, &start.base) {
        check_user(user, &accounts, &collection)?;
    }
    let entries = collection.finish()?;
    Ok(Contents {
        entries,
        owned,
        wheels,
    })
}

/// Checks that a container can start as `user`: a name must be in `/etc/passwd` or `/etc/group` of the image.
fn check_user(user: &str, accounts: &Accounts<'_>, collection: &Collection) -> Result<(), Hinted> {
    let (name, group) = user.split_once(':').unwrap_or((user, "0"));
    for (name, list) in [(name, "etc/passwd"), (group, "etc/group")] {
        let list: EntryPath = list.parse().map_err(Hinted::from_error)?;
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        let own = accounts.has(name);
        if !is_number && !own && (accounts.are_listed() || !collection.contains(&list)) {
            let unknown = format_args!("user \"{}\" is not in /{list} of the image", shown(name));
            return Err(Hinted::new(unknown)
                .hinting("add a [[user]] with that name, or write numbers as \"1000:1000\""));
        }
    }
    Ok(())
}

/// The entries of one `[[file]]`.
fn add(
    file: &FileSpec,
    accounts: &Accounts<'_>,
    origins: &Origins<'_>,
) -> Result<Vec<Attributed>, Hinted> {
    let owner = file.owner.as_ref().map(|owner| accounts.owner(owner));
    let attributes = Attributes {
        owner: owner.transpose()?.unwrap_or_default(),
        mode: file.mode,
    };
    let found = match &file.origin {
        Origin::Tree(name) => tree(&file.path, origins, name)?,
        origin => vec![(file.path.clone(), one(origin, origins)?)],
    };
    let entries = found.into_iter().map(|(path, kind)| {
        let attributes = match kind {
            Kind::Symlink { .. } => Attributes::default(),
            Kind::Directory | Kind::File { .. } => attributes,
        };
        let path = path.parse().map_err(Hinted::from_error)?;
        Ok(Attributed {
            entry: Entry { path, kind },
            attributes,
        })
    });
    entries.collect()
}

fn one(origin: &Origin, origins: &Origins<'_>) -> Result<Kind, Hinted> {
    match origin {
        Origin::Text(text) => Ok(Kind::File {
            content: Content::Bytes(text.clone().into_bytes()),
            executable: Executable::No,
        }),
        Origin::Source(name) | Origin::Tree(name) => source(origins.directory, name),
        Origin::Binary(name) => Ok(Kind::File {
            content: Content::File(binary(name, origins.program)?),
            executable: Executable::Yes,
        }),
        Origin::Link(target) => Ok(Kind::Symlink {
            target: target.clone(),
        }),
        Origin::Directory => Ok(Kind::Directory),
    }
}

/// The compiled program of this name.
fn binary(name: &str, program: &Program) -> Result<PathBuf, Hinted> {
    let path = program.binaries.get(name).cloned();
    path.ok_or_else(|| {
        Hinted::new(format_args!("no binary \"{}\" is built", shown(name)))
            .hinting("`binary` in Image.toml must be one of `binaries`, if [build] has that entry")
    })
}

/// The directory `name` of the source, at `path`, with everything below it.
fn tree(path: &str, origins: &Origins<'_>, name: &str) -> Result<Vec<(String, Kind)>, Hinted> {
    let directory = origins.directory;
    let top = match name {
        "." => directory.to_owned(),
        _ => below(directory, name, "tree")?,
    };
    match fs::symlink_metadata(&top) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            let file = Hinted::new(format_args!("tree \"{}\" is not a directory", shown(name)));
            return Err(file.hinting("`source` in Image.toml names one file"));
        }
        Err(error) => return Err(missing(&top, name, "directory", error)),
    }
    let below = path.trim_end_matches('/');
    let mut submodules = origins.submodules.iter();
    if let Some(submodule) = submodules.find(|submodule| submodule.starts_with(&top)) {
        let path = submodule.strip_prefix(directory).unwrap_or(submodule);
        let path = shown(&path.to_string_lossy());
        let files = format_args!("{path} is a submodule, whose files are not staged");
        return Err(Hinted::new(files).hinting("commit its files in place of the submodule"));
    }
    let mut found = folder::walk(&top)?;
    for (inner, kind) in &mut found {
        if let Kind::Symlink { target } = kind
            && !folder::stays(inner, target)
        {
            let (inner, target) = (shown(inner), shown(target));
            let out = format_args!("link \"{inner}\" leads to \"{target}\", out of the tree");
            return Err(Hinted::new(out).hinting("add the link by a [[file]] entry with `link`"));
        }
        *inner = format!("{below}/{inner}");
    }
    let is_root = below.is_empty();
    let own = (!is_root).then(|| (below.to_owned(), Kind::Directory));
    Ok(own.into_iter().chain(found).collect())
}

/// A file of the source.
fn source(directory: &Path, name: &str) -> Result<Kind, Hinted> {
    let found = below(directory, name, "source")?;
    match fs::symlink_metadata(&found) {
        Ok(metadata) if metadata.is_file() => Ok(folder::file(&found, &metadata)),
        Ok(metadata) if metadata.is_dir() => Err(Hinted::new(format_args!(
            "source \"{}\" is a directory",
            shown(name)
        ))
        .hinting("write `tree` instead of `source` to add a directory with everything below it")),
        Ok(_) => Err(Hinted::new(format_args!(
            "source \"{}\" is not a regular file",
            shown(name)
        ))
        .hinting("name the file that the link leads to, or add a link with `link`")),
        Err(error) => Err(missing(&found, name, "file", error)),
    }
}

fn missing(found: &Path, name: &str, what: &str, error: io::Error) -> Hinted {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Hinted::new(format_args!(
            "the commit has no {what} \"{}\" in the directory of Image.toml",
            shown(name)
        ))
        .hinting("`source` and `tree` in Image.toml are relative to its directory"),
        _ => Hinted::from_error(At::reading(found)(error)),
    }
}

/// The path of `name` below a directory. `entry` is that of `Image.toml`.
fn below(directory: &Path, name: &str, entry: &str) -> Result<PathBuf, Hinted> {
    let relative = Path::new(name.strip_prefix('/').unwrap_or(name));
    let mut parts = relative.components();
    if name.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        let outside = Hinted::new(format_args!(
            "{entry} \"{}\" is not a plain path below its directory",
            shown(name)
        ));
        return Err(outside.hinting(
            "`source` and `tree` in Image.toml name a file or directory below the one that Image.toml is in",
        ));
    }
    check_parents(directory, relative)?;
    Ok(directory.join(relative))
}

/// Refuses links above the last part of a path: what they lead to would be added under another name.
fn check_parents(directory: &Path, relative: &Path) -> Result<(), Hinted> {
    let parents = relative.ancestors().skip(1);
    for parent in parents.filter(|parent| !parent.as_os_str().is_empty()) {
        let found = fs::symlink_metadata(directory.join(parent));
        if found.is_ok_and(|found| found.is_symlink()) {
            let link = shown(&parent.to_string_lossy());
            return Err(Hinted::new(format_args!("\"{link}\" is a symbolic link"))
                .hinting("name the directory that it leads to"));
        }
    }
    Ok(())
}

/// The files of an image.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The digests of the image's own files.
    pub digests: Vec<Digests>,
    /// Those of the files in the layers of the base.
    pub base: Vec<Digests>,
    /// The packages that the image contains, each with the absolute paths of its files.
    pub owned: Owned,
    /// The Python packages that the image contains, each with the absolute paths of its files.
    pub wheels: Vec<(Wheel, Vec<String>)>,
}

/// A file of the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digests {
    /// The absolute path.
    pub path: String,
    /// The digest.
    pub sha256: Digest,
    /// The SHA-1 as hex, which SPDX has beside it.
    pub sha1: String,
}

/// The digests of each file among `entries`.
///
/// # Errors
/// A file cannot be read.
pub(super) fn digests(entries: &[Attributed]) -> Result<Vec<Digests>, At> {
    let entries = entries.iter().map(|attributed| &attributed.entry);
    let files = entries.filter_map(|entry| match &entry.kind {
        Kind::File { content, .. } => Some((entry, content)),
        Kind::Directory | Kind::Symlink { .. } => None,
    });
    files
        .map(|(entry, content)| {
            let path = format!("/{}", entry.path);
            let (read, from) = match content {
                Content::Bytes(bytes) => (hash(&mut &bytes[..]), Path::new(&path)),
                Content::File(file) => {
                    let opened = fs::File::open(file);
                    let read = opened.and_then(|mut opened| hash(&mut opened));
                    (read, file.as_path())
                }
            };
            let (sha256, sha1) = read.map_err(At::reading(from))?;
            Ok(Digests { path, sha256, sha1 })
        })
        .collect()
}

/// The SHA-256, and the SHA-1 as hex.
pub(super) fn hash(content: &mut dyn Read) -> io::Result<(Digest, String)> {
    let (mut sha256, mut sha1) = (Hasher::new(), Sha1::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        sha256.update(&buffer[..count]);
        sha1.update(&buffer[..count]);
    }
    Ok((sha256.finish(), hex::encode(sha1.try_finalize().hash())))
}

#[cfg(test)]
mod tests;
