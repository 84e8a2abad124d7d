//! The source: what the last commit has of one crate and of the crates that it uses by path. Read from
//! git's objects, never from the working tree, and written with modes of our own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use content::{Digest, Hasher, limits};

use crate::host::{self, HostError, git};

/// Bytes of one file of the source.
const FILE: u64 = 256 << 20;

/// Source that cannot be named or staged.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// git.
    #[error("reading source: {0}")]
    Host(#[from] HostError),
    /// Files that differ from the last commit, or are not in it.
    #[error("reading source: not committed: {files}")]
    Dirty {
        /// As `git status` prints them.
        files: String,
    },
    /// Something other than files in folders.
    #[error("reading source: {path} has git mode {mode}; only files can be staged")]
    Kind {
        /// Which path.
        path: String,
        /// What git says it is.
        mode: String,
    },
    /// A path dependency outside the repository.
    #[error("reading source: {manifest} uses {path:?}, which is outside the repository")]
    Outside {
        /// Whose dependency.
        manifest: String,
        /// The path in it.
        path: String,
    },
    /// A manifest that is none.
    #[error("parsing {manifest}: {source}")]
    Manifest {
        /// Which one.
        manifest: String,
        /// Why not.
        source: toml::de::Error,
    },
    /// git answered something else.
    #[error("reading source: git answered {found:?}")]
    Answer {
        /// What it said.
        found: String,
    },
    /// A file cannot be written.
    #[error("staging {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A commit and what of it is staged.
#[derive(Clone, Debug)]
pub struct Source {
    /// The commit, in hex.
    pub commit: String,
    /// SHA-256 over paths, modes and contents of all that is staged; git's own names are SHA-1.
    pub tree: Digest,
    /// Where it is staged; paths below are those of the repository.
    pub staged: PathBuf,
    /// The folder with `Image.toml`, relative to the repository.
    pub folder: PathBuf,
}

/// Stages what the last commit of the repository around `folder` has of it, into `into`.
///
/// # Errors
/// No repository, files that are not committed, symbolic links or submodules, or a full disk.
pub fn stage(folder: &Path, into: &Path) -> Result<Source, SourceError> {
    let top = line(git(folder, &["rev-parse", "--show-toplevel"])?);
    let top = Path::new(&top);
    let commit = line(git(top, &["rev-parse", "--verify", "HEAD^{commit}"])?);
    let prefix = line(git(folder, &["rev-parse", "--show-prefix"])?);
    let prefix = prefix.trim_end_matches('/').to_owned();
    let folders = closure(top, &commit, &prefix)?;
    refuse_uncommitted(top, &folders)?;
    let files = list(top, &commit, &folders)?;
    let tree = write(top, &files, into)?;
    Ok(Source {
        commit,
        tree,
        staged: into.to_owned(),
        folder: prefix.into(),
    })
}

/// The crate in `first` and all that it uses by path, relative to the repository.
fn closure(top: &Path, commit: &str, first: &str) -> Result<BTreeSet<String>, SourceError> {
    let mut found = BTreeSet::new();
    let mut open = vec![first.to_owned()];
    while let Some(folder) = open.pop() {
        if !found.insert(folder.clone()) {
            continue;
        }
        let manifest = join(&folder, "Cargo.toml");
        let text = git(top, &["show", &format!("{commit}:{manifest}")])?;
        let table: toml::Table =
            toml::from_str(&String::from_utf8_lossy(&text)).map_err(|source| {
                SourceError::Manifest {
                    manifest: manifest.clone(),
                    source,
                }
            })?;
        for path in path_dependencies(&table) {
            let outside = || SourceError::Outside {
                manifest: manifest.clone(),
                path: path.clone(),
            };
            open.push(relative(&folder, &path).ok_or_else(outside)?);
        }
    }
    Ok(found)
}

/// `path` of every dependency of any kind, for any target; cargo wants all of them present.
fn path_dependencies(manifest: &toml::Table) -> Vec<String> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let tables = std::iter::once(manifest).chain(targets.filter_map(toml::Value::as_table));
    tables
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|dependencies| dependencies.values())
        .filter_map(|dependency| Some(dependency.get("path")?.as_str()?.to_owned()))
        .collect()
}

/// `path` as seen from `folder`, relative to the repository; `None` if it leaves it.
fn relative(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<String> = folder
        .split('/')
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .collect();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

fn refuse_uncommitted(top: &Path, folders: &BTreeSet<String>) -> Result<(), SourceError> {
    let mut arguments = vec!["status", "--porcelain", "--untracked-files=all", "--"];
    arguments.extend(folders.iter().map(|folder| {
        if folder.is_empty() {
            "."
        } else {
            folder.as_str()
        }
    }));
    let said = git(top, &arguments)?;
    if said.is_empty() {
        return Ok(());
    }
    let files = String::from_utf8_lossy(&said);
    let files: Vec<_> = files
        .lines()
        .map(|line| line.get(3..).unwrap_or(line))
        .take(5)
        .collect();
    Err(SourceError::Dirty {
        files: files.join(", "),
    })
}

/// One file of the commit.
struct Listed {
    path: String,
    object: String,
    executable: Executable,
}

#[derive(Clone, Copy)]
enum Executable {
    Yes,
    No,
}

fn list(top: &Path, commit: &str, folders: &BTreeSet<String>) -> Result<Vec<Listed>, SourceError> {
    let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit, "--"];
    arguments.extend(
        folders
            .iter()
            .filter(|folder| !folder.is_empty())
            .map(String::as_str),
    );
    let said = git(top, &arguments)?;
    let entries = said
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty());
    let mut files = entries.map(listed).collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

/// `<mode> <type> <object>\t<path>`
fn listed(entry: &[u8]) -> Result<Listed, SourceError> {
    let answer = || SourceError::Answer {
        found: String::from_utf8_lossy(entry).into_owned(),
    };
    let entry = str::from_utf8(entry).map_err(|_| answer())?;
    let (head, path) = entry.split_once('\t').ok_or_else(answer)?;
    let [mode, _, object] = head.split(' ').collect::<Vec<_>>()[..] else {
        return Err(answer());
    };
    let executable = match mode {
        "100644" => Executable::No,
        "100755" => Executable::Yes,
        _ => {
            return Err(SourceError::Kind {
                path: path.to_owned(),
                mode: mode.to_owned(),
            });
        }
    };
    Ok(Listed {
        path: path.to_owned(),
        object: object.to_owned(),
        executable,
    })
}

fn write(top: &Path, files: &[Listed], into: &Path) -> Result<Digest, SourceError> {
    let mut command = host::git_command(top);
    command.args(["cat-file", "--batch"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let start = |source| HostError::Start {
        program: "git",
        source,
    };
    let mut child = command.spawn().map_err(start)?;
    let (Some(mut asking), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(SourceError::Answer {
            found: String::new(),
        });
    };
    let objects: String = files
        .iter()
        .map(|file| format!("{}\n", file.object))
        .collect();
    // From a thread, so that neither side waits for a full pipe.
    let asker = std::thread::spawn(move || asking.write_all(objects.as_bytes()));
    let mut answers = BufReader::new(answers);
    let mut tree = Hasher::new();
    for file in files {
        let bytes = object(&mut answers, &file.object)?;
        write_one(file, &bytes, into)?;
        let mode = if matches!(file.executable, Executable::Yes) {
            "755"
        } else {
            "644"
        };
        tree.update(format!("{mode} {} {}\0", Digest::of(&bytes).hex(), file.path).as_bytes());
    }
    let _ = asker.join();
    let _ = child.wait();
    Ok(tree.finish())
}

/// `<object> blob <size>\n<bytes>\n`
fn object(answers: &mut impl BufRead, name: &str) -> Result<Vec<u8>, SourceError> {
    let failed = |error: io::Error| SourceError::Answer {
        found: error.to_string(),
    };
    let mut head = String::new();
    answers
        .by_ref()
        .take(limits::KEY)
        .read_line(&mut head)
        .map_err(failed)?;
    let size = head
        .trim_end()
        .strip_prefix(&format!("{name} blob "))
        .and_then(|s| s.parse().ok());
    let size: u64 = size
        .filter(|size| *size <= FILE)
        .ok_or(SourceError::Answer { found: head })?;
    let mut bytes = vec![0; size as usize + 1];
    answers.read_exact(&mut bytes).map_err(failed)?;
    bytes.pop();
    Ok(bytes)
}

fn write_one(file: &Listed, bytes: &[u8], into: &Path) -> Result<(), SourceError> {
    let path = into.join(&file.path);
    let failed = |source| SourceError::File {
        path: path.clone(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(&path, bytes).map_err(failed)?;
    let mode = if matches!(file.executable, Executable::Yes) {
        0o755
    } else {
        0o644
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)
}

fn line(output: Vec<u8>) -> String {
    String::from_utf8_lossy(&output)
        .trim_end_matches('\n')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                "a/Cargo.toml",
                "[package]\nname='a'\n[dependencies]\nb={path='../x/b'}\n[target.t.build-dependencies]\nc={path='../x/c'}\n",
            ),
            ("a/src/main.rs", "fn main() {}\n"),
            ("x/b/Cargo.toml", "[package]\n"),
            ("x/c/Cargo.toml", "[package]\n"),
            ("x/d/Cargo.toml", "[package]\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        shell(
            folder.path(),
            "git init -q && git add . && git -c user.name=n -c user.email=e commit -qm m",
        );
        folder
    }

    fn shell(folder: &Path, script: &str) {
        assert!(
            Command::new("sh")
                .args(["-c", script])
                .current_dir(folder)
                .status()
                .unwrap()
                .success()
        );
    }

    fn staged(repository: &Path) -> Result<(Source, tempfile::TempDir), SourceError> {
        let into = tempfile::tempdir().unwrap();
        stage(&repository.join("a"), into.path()).map(|source| (source, into))
    }

    #[test]
    fn stages_the_crate_and_what_it_uses() {
        let repository = repository();
        let (source, into) = staged(repository.path()).unwrap();
        assert_eq!(source.folder, Path::new("a"));
        assert!(into.path().join("a/src/main.rs").exists());
        assert!(into.path().join("x/b/Cargo.toml").exists());
        assert!(into.path().join("x/c/Cargo.toml").exists());
        assert!(!into.path().join("x/d").exists());
    }

    #[test]
    fn the_tree_depends_on_contents_and_modes_alone() {
        let repository = repository();
        let (first, _into) = staged(repository.path()).unwrap();
        let commit = "git -c user.name=n -c user.email=e commit -qam m";
        shell(
            repository.path(),
            &format!("umask 077; touch a/src/main.rs; echo >> x/d/Cargo.toml; {commit}"),
        );
        let (second, _into) = staged(repository.path()).unwrap();
        assert_ne!(first.commit, second.commit);
        assert_eq!(first.tree, second.tree);
        shell(
            repository.path(),
            &format!("chmod +x a/src/main.rs; {commit}"),
        );
        assert_ne!(staged(repository.path()).unwrap().0.tree, first.tree);
    }

    #[test]
    fn refuses_what_is_not_committed_or_no_file() {
        let repository = repository();
        fs::write(repository.path().join("x/b/new.rs"), "").unwrap();
        let error = staged(repository.path()).unwrap_err().to_string();
        assert_eq!(error, "reading source: not committed: x/b/new.rs");
        shell(
            repository.path(),
            "rm x/b/new.rs; ln -s /etc/passwd a/link; git add .; git -c user.name=n -c user.email=e commit -qm m",
        );
        assert!(matches!(
            staged(repository.path()),
            Err(SourceError::Kind { .. })
        ));
    }

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(relative("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(relative("a", "../../c"), None);
        assert_eq!(relative("a", "/c"), None);
    }
}
