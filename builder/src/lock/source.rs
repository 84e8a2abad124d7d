//! The source: what the last commit has of one crate and of the crates that it uses by path. Read from
//! git's objects, never from the working tree, and written with modes of our own.

mod closure;
mod configuration;
mod error;
mod listing;
mod objects;
mod path;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use crate::host::{HostError, git};
use closure::closure;
pub use error::SourceError;
use listing::{Executable, Listed, list, unknown};
use objects::Objects;

/// Files that an error names.
const NAMED: usize = 5;

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
    let (top, prefix) = locate(folder)?;
    let head = git(&top, "rev-parse", &["--verify", "--quiet", "HEAD^{commit}"]);
    let commit = line(head.map_err(|error| match error {
        HostError::Failed { .. } => SourceError::Unborn {
            folder: folder.to_owned(),
        },
        other => other.into(),
    })?);
    let folders = closure(&top, &commit, &prefix)?;
    let files = list(&top, &commit, &folders)?;
    configuration::refuse(&prefix, files.iter().map(|file| &file.path))?;
    let mut differ = unknown(&top, &folders, &files)?;
    let tree = write(&top, &files, into, &mut differ)?;
    if differ.is_empty() {
        return Ok(Source {
            commit,
            tree,
            staged: into.to_owned(),
            folder: prefix.into(),
        });
    }
    let more = differ.len() > NAMED;
    Err(SourceError::Dirty {
        files: differ.into_iter().take(NAMED).collect(),
        more,
    })
}

/// The repository around `folder`, and where the folder is in it.
fn locate(folder: &Path) -> Result<(PathBuf, String), SourceError> {
    fs::metadata(folder).map_err(SourceError::at(folder))?;
    let ask = |what: &str| {
        let answer = git(folder, "rev-parse", &[what]);
        answer.map(line).map_err(|error| match error {
            HostError::Failed { .. } => SourceError::Repository {
                folder: folder.to_owned(),
                source: error,
            },
            other => other.into(),
        })
    };
    let top = ask("--show-toplevel")?;
    let prefix = ask("--show-prefix")?;
    Ok((top.into(), prefix.trim_end_matches('/').to_owned()))
}

/// Writes the files below `into`, which is empty, and adds to `differ` those that are others in the working tree.
fn write(
    top: &Path,
    files: &[Listed],
    into: &Path,
    differ: &mut Vec<String>,
) -> Result<Digest, SourceError> {
    let mut objects = Objects::open(top, files.iter().map(|file| file.object.as_str()))?;
    let mut tree = Hasher::new();
    for file in files {
        let bytes = objects.next(&file.object)?;
        write_one(file, &bytes, into)?;
        if !is_same(&top.join(&file.path), &bytes, file.executable)? {
            differ.push(file.path.to_string());
        }
        let mode = file.executable.mode();
        tree.update(format!("{mode:o} {} {}\0", Digest::of(&bytes).hex(), file.path).as_bytes());
    }
    Ok(tree.finish())
}

/// Whether the working tree has the file as it was committed.
fn is_same(path: &Path, bytes: &[u8], executable: Executable) -> Result<bool, SourceError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(SourceError::at(path)(error)),
    };
    if !found.is_file()
        || found.len() != bytes.len() as u64
        || Executable::of(found.permissions().mode()) != executable
    {
        return Ok(false);
    }
    Ok(fs::read(path).map_err(SourceError::at(path))? == bytes)
}

fn write_one(file: &Listed, bytes: &[u8], into: &Path) -> Result<(), SourceError> {
    let path = into.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(SourceError::at(parent))?;
    }
    let mode = fs::Permissions::from_mode(file.executable.mode());
    fs::write(&path, bytes)
        .and_then(|()| fs::set_permissions(&path, mode))
        .map_err(SourceError::at(&path))
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

    /// Commits the tree `a` with one more entry, which git itself would not let in.
    fn commit_with_entry(repository: &Path, mode: &str, name: &str, object: &str) {
        let script = format!(
            "entry() {{ printf '%s %s\\0' \"$1\" \"$2\"; printf \"$(echo $3 | sed 's/../\\\\x&/g')\"; }}
            tree() {{ git hash-object -w -t tree --stdin --literally; }}
            inner=$({{ git cat-file tree HEAD:a; entry {mode} '{name}' $({object}); }} | tree)
            outer=$({{ entry 40000 a $inner; entry 40000 x $(git rev-parse HEAD:x); }} | tree)
            git reset -q --soft $(git -c user.name=n -c user.email=e commit-tree -m m $outer)"
        );
        let mut bash = Command::new("bash");
        bash.args(["-euc", &script]).current_dir(repository);
        assert!(bash.status().unwrap().success());
    }

    #[test]
    fn paths_that_lead_out_are_refused_and_nothing_is_written() {
        let evil = "echo evil | git hash-object -w --stdin";
        let up = "printf '100755 blob %s\\tescaped\\n' $(echo evil | git hash-object -w --stdin) | git mktree";
        for (mode, name, object) in [
            ("100644", "../../escaped", evil),
            ("40000", "..", up),
            ("40000", ".Git", up),
        ] {
            let repository = repository();
            commit_with_entry(repository.path(), mode, name, object);
            let outside = tempfile::tempdir().unwrap();
            let into = outside.path().join("deep/source");
            let refused = stage(&repository.path().join("a"), &into);
            assert!(
                matches!(refused, Err(SourceError::Path { .. })),
                "{name}: {refused:?}"
            );
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn one_path_is_one_file() {
        let repository = repository();
        let other = "echo other | git hash-object -w --stdin";
        commit_with_entry(repository.path(), "100644", "Cargo.toml", other);
        let refused = staged(repository.path());
        assert!(
            matches!(&refused, Err(SourceError::Twice { path }) if path == "a/Cargo.toml"),
            "{:?}",
            refused.err()
        );
    }

    #[test]
    fn every_kind_of_change_counts() {
        for change in [
            "echo >> a/src/main.rs",
            "rm a/src/main.rs",
            "chmod +x a/src/main.rs",
            "ln -sf /etc/passwd a/src/main.rs",
            "touch a/new.rs; git add a/new.rs",
            "git rm -q --cached a/src/main.rs; echo x > a/src/main.rs",
        ] {
            let repository = repository();
            shell(repository.path(), change);
            let result = staged(repository.path());
            assert!(matches!(result, Err(SourceError::Dirty { .. })), "{change}");
        }
    }

    #[test]
    fn what_git_ignores_or_is_elsewhere_does_not_count() {
        let repository = repository();
        let change = "echo target > a/.gitignore; git add .; git -c user.name=n -c user.email=e commit -qm m; mkdir a/target; touch a/target/x x/d/new a/src/main.rs; git repack -qad";
        shell(repository.path(), change);
        staged(repository.path()).unwrap();
    }

    #[test]
    fn a_repository_cannot_name_programs_to_run() {
        let repository = repository();
        let marker = repository.path().join("marker");
        let script = "printf '#!/bin/sh\ntouch %s\n' \"$PWD/marker\" > .git/evil; chmod +x .git/evil
            echo '*.rs filter=evil diff=evil' > .git/info/attributes
            for key in filter.evil.clean filter.evil.smudge filter.evil.process diff.evil.textconv diff.evil.command diff.external core.fsmonitor core.sshCommand core.pager pager.ls-files pager.cat-file; do git config $key \"$PWD/.git/evil\"; done
            touch -d 2001-01-01 a/src/main.rs";
        shell(repository.path(), script);
        staged(repository.path()).unwrap();
        assert!(!marker.exists());
        shell(repository.path(), "git status --porcelain >&2 || true");
        assert!(marker.exists(), "the trap does not work");
    }

    #[test]
    fn replaced_objects_are_not_believed() {
        let repository = repository();
        let script = "git replace $(git rev-parse HEAD:a/src/main.rs) $(echo evil | git hash-object -w --stdin)";
        shell(repository.path(), script);
        let (_, into) = staged(repository.path()).unwrap();
        let staged = fs::read(into.path().join("a/src/main.rs")).unwrap();
        assert_eq!(staged, b"fn main() {}\n");
    }

    #[test]
    fn says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        let stage = || stage(folder.path(), into.path()).unwrap_err();
        assert!(matches!(stage(), SourceError::Repository { .. }));
        shell(folder.path(), "git init -q");
        assert!(matches!(stage(), SourceError::Unborn { .. }));
        shell(
            folder.path(),
            "touch x; git add .; git -c user.name=n -c user.email=e commit -qm m",
        );
        assert!(matches!(stage(), SourceError::Absent { .. }));
    }

    #[test]
    fn the_repository_itself_can_be_the_crate() {
        let repository = repository();
        shell(
            repository.path(),
            "printf '[package]\n[dependencies]\nb={path=\"x/b\"}\n[patch.r]\nc={path=\"x/c\"}\n[workspace.dependencies]\nd={path=\"x/d\"}\n' > Cargo.toml; git add .; git -c user.name=n -c user.email=e commit -qm m",
        );
        let into = tempfile::tempdir().unwrap();
        let source = stage(repository.path(), into.path()).unwrap();
        assert_eq!(source.folder, Path::new(""));
        assert!(into.path().join("a/src/main.rs").exists());
    }
}
