//! The digest of a folder: over kind, mode, path and content of everything below it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use crate::at::At;
use crate::interrupt::{Interrupt, Interrupted};

/// A folder that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Something in it cannot be read, or is neither file, folder nor link.
    #[error(transparent)]
    At(#[from] At),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// The expected or actual content of a folder.
#[derive(Default)]
pub(crate) struct Tree(BTreeMap<PathBuf, Node>);

struct Node {
    kind: String,
    content: Vec<u8>,
}

/// Whether a folder has the expected digest, and was normalized.
///
/// # Errors
/// It cannot be read, or the work was interrupted.
pub(crate) fn holds(
    folder: &Path,
    expected: &Digest,
    interrupt: &Interrupt,
) -> Result<bool, TreeError> {
    match Tree::of(folder, interrupt) {
        Ok(tree) => Ok(tree.digest() == *expected && is_normal(folder, &tree)?),
        Err(TreeError::At(At { source, .. })) if is_difference(source.kind()) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an error means that the folder differs: it does not exist, is a file, or contains a special file.
fn is_difference(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, NotADirectory, NotFound};
    matches!(error, InvalidData | NotADirectory | NotFound)
}

/// Whether all times are 0: build scripts can see times, and those in a copy of a store differ.
fn is_normal(folder: &Path, tree: &Tree) -> Result<bool, TreeError> {
    let below = tree.0.keys().map(|path| folder.join(path));
    for path in below.chain([folder.to_owned()]) {
        let found = fs::symlink_metadata(&path);
        let found = found.map_err(At::reading(&path))?;
        if (found.mtime(), found.mtime_nsec()) != (0, 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Tree {
    /// The content of a folder, without times.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub(crate) fn of(root: &Path, interrupt: &Interrupt) -> Result<Self, TreeError> {
        let mut found = Vec::new();
        walk(root, Path::new(""), &mut found)?;
        let second = found.split_off(found.len() / 2);
        // There are hundreds of megabytes: two threads take half the time.
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| look_at(root, second, interrupt));
            (look_at(root, found, interrupt), other.join())
        });
        let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Self(first?.into_iter().chain(second).collect()))
    }

    /// Adds a file that is not executable, and the folders above it.
    pub(crate) fn add_file(&mut self, path: PathBuf, content: &Digest) {
        self.add(path, Node::file(0o644, content));
    }

    /// Adds a file that is executable, and the folders above it.
    pub(crate) fn add_program(&mut self, path: PathBuf, content: &Digest) {
        self.add(path, Node::file(0o755, content));
    }

    fn add(&mut self, path: PathBuf, file: Node) {
        let above = path.ancestors().skip(1);
        for folder in above.filter(|folder| !folder.as_os_str().is_empty()) {
            self.0.insert(folder.to_owned(), Node::folder(0o755));
        }
        self.0.insert(path, file);
    }

    /// SHA-256 over everything, in the order of paths. Each field ends with NUL, which no path or link contains.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        for (path, node) in &self.0 {
            for field in [
                node.kind.as_bytes(),
                path.as_os_str().as_bytes(),
                &node.content,
            ] {
                hasher.update(field);
                hasher.update(b"\0");
            }
        }
        hasher.finish()
    }
}

impl Node {
    fn folder(mode: u32) -> Self {
        Self {
            kind: format!("folder {mode:o}"),
            content: Vec::new(),
        }
    }

    fn file(mode: u32, content: &Digest) -> Self {
        Self {
            kind: format!("file {mode:o}"),
            content: content.hex().into_bytes(),
        }
    }

    /// The file, folder or link at a path.
    fn at(place: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(place)?;
        let mode = metadata.permissions().mode() & 0o7777;
        match metadata.file_type() {
            kind if kind.is_dir() => Ok(Self::folder(mode)),
            kind if kind.is_file() => {
                let mut hasher = Hasher::new();
                io::copy(&mut File::open(place)?, &mut hasher)?;
                Ok(Self::file(mode, &hasher.finish()))
            }
            kind if kind.is_symlink() => Ok(Self {
                kind: "link".to_owned(),
                content: fs::read_link(place)?.into_os_string().into_vec(),
            }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn walk(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), TreeError> {
    let folder = root.join(below);
    let failed = At::reading(&folder);
    for entry in fs::read_dir(&folder).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(&failed)?.is_dir() {
            walk(root, &path, found)?;
        }
        found.push(path);
    }
    Ok(())
}

fn look_at(
    root: &Path,
    paths: Vec<PathBuf>,
    interrupt: &Interrupt,
) -> Result<Vec<(PathBuf, Node)>, TreeError> {
    let look = |path: PathBuf| {
        interrupt.check()?;
        let place = root.join(&path);
        match Node::at(&place) {
            Ok(node) => Ok((path, node)),
            Err(error) => Err(At::reading(&place)(error).into()),
        }
    };
    paths.into_iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::inputs::normalize::normalize;

    fn of(root: &Path) -> Digest {
        Tree::of(root, &Interrupt::default()).unwrap().digest()
    }

    /// The digest of a folder with one link.
    fn of_link(target: &[u8], name: &[u8]) -> Digest {
        let root = tempfile::tempdir().unwrap();
        let name = root.path().join(OsStr::from_bytes(name));
        symlink(OsStr::from_bytes(target), name).unwrap();
        of(root.path())
    }

    #[test]
    fn can_be_interrupted() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "text").unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise();
        let ended = Tree::of(root.path(), &interrupt).err();
        assert!(matches!(ended, Some(TreeError::Interrupted(_))));
    }

    #[test]
    fn a_folder_has_the_digest_if_it_was_normalized() {
        let root = tempfile::tempdir().unwrap();
        let (folder, never) = (root.path().join("folder"), Interrupt::default());
        let holds = |digest: &Digest| holds(&folder, digest, &never).unwrap();
        let empty = Tree::default().digest();
        assert!(!holds(&empty), "it does not exist");
        fs::create_dir(&folder).unwrap();
        assert!(!holds(&empty), "it has its own time");
        normalize(&folder).unwrap();
        assert!(holds(&empty));
        fs::write(folder.join("file"), "").unwrap();
        assert!(!holds(&empty));
        let found = of(&folder);
        normalize(&folder).unwrap();
        assert!(holds(&found));
        let file = File::options()
            .write(true)
            .open(folder.join("file"))
            .unwrap();
        file.set_modified(std::time::SystemTime::now()).unwrap();
        assert!(!holds(&found), "a file has its own time");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(!holds(&found), "a pipe is in it");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        // A name that is too long for a file system, as an example of other errors.
        let long = root.path().join("x".repeat(300));
        let read = holds(&long, &Tree::default().digest(), &Interrupt::default());
        assert!(matches!(read, Err(TreeError::At(_))), "{read:?}");
        fs::write(&folder, "").unwrap();
        assert!(!holds(&folder, &Tree::default().digest(), &Interrupt::default()).unwrap());
    }

    #[test]
    fn different_folders_have_different_digests() {
        let roots = [
            of_link(b"a b", b"c"),
            of_link(b"a", b"b c"),
            of_link(b"a\xff", b"c"),
            of_link(b"a\xfe", b"c"),
            of_link(b"a", b"c\xff"),
            of_link(b"a", b"c\xfe"),
        ];
        for (index, root) in roots.iter().enumerate() {
            assert!(!roots[..index].contains(root), "{index}");
        }
    }

    #[test]
    fn expected_and_actual_content_have_one_digest() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/file"), "text").unwrap();
        normalize(root.path()).unwrap();
        let mut expected = Tree::default();
        expected.add_file("a/b/file".into(), &Digest::of(b"text"));
        assert_eq!(of(root.path()), expected.digest());
        let changes: [fn(&Path) -> io::Result<()>; 4] = [
            |root| fs::write(root.join("a/b/file"), "taxt"),
            |root| fs::write(root.join("a/other"), ""),
            |root| fs::create_dir(root.join("c")),
            |root| fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o700)),
        ];
        let mut seen = vec![expected.digest()];
        for change in changes {
            change(root.path()).unwrap();
            let found = of(root.path());
            assert!(!seen.contains(&found));
            seen.push(found);
        }
    }
}
