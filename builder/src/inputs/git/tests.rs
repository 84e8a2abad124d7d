use super::*;
use std::process::Command;

mod checkout;
mod closure;
mod objects;
mod symbolic;
mod workspace;

/// A commit with what `script` makes in the repository.
fn commit(repository: &Path, script: &str) {
    let commit = "git add -A . && git -c user.name=n -c user.email=e commit -qm m";
    shell(repository, &format!("({script}) && {commit}"));
}

fn output(folder: &Path, script: &str) -> String {
    let mut shell = Command::new("sh");
    let output = shell.args(["-euc", script]).current_dir(folder).output();
    line(output.unwrap().stdout)
}

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
    assert_eq!(source.directory, Path::new("a"));
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
fn refuses_uncommitted_changes_and_special_files() {
    let repository = repository();
    fs::write(repository.path().join("x/b/new.rs"), "").unwrap();
    let error = staged(repository.path()).unwrap_err().to_string();
    assert_eq!(error, "reading source: uncommitted files: x/b/new.rs");
    shell(
        repository.path(),
        "rm x/b/new.rs; ln -s /etc/passwd a/link; git add .; git -c user.name=n -c user.email=e commit -qm m",
    );
    let error = staged(repository.path()).unwrap_err();
    assert!(error.is_refusal());
    let expected =
        "reading source: symbolic links lead out of the repository: a/link -> /etc/passwd";
    assert_eq!(error.to_string(), expected);
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
        let refused = stage(&repository.path().join("a"), &into).unwrap_err();
        let expected = format!(
            "reading source: \"a/{name}\" in the commit is not a plain path below its repository"
        );
        assert_eq!(refused.to_string(), expected);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}

#[test]
fn refuses_two_entries_with_one_path() {
    let repository = repository();
    let other = "echo other | git hash-object -w --stdin";
    commit_with_entry(repository.path(), "100644", "Cargo.toml", other);
    let refused = staged(repository.path());
    let error = refused.unwrap_err();
    assert!(error.is_refusal());
    let expected = "reading source: the commit has two files at a/Cargo.toml";
    assert_eq!(error.to_string(), expected);
}

/// The paths that are not committed, as the error names them.
fn uncommitted(repository: &Path) -> String {
    let error = staged(repository).unwrap_err().to_string();
    let paths = error.strip_prefix("reading source: uncommitted files: ");
    paths.unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn every_kind_of_change_is_found() {
    for (change, path) in [
        ("echo >> a/src/main.rs", "a/src/main.rs"),
        ("rm a/src/main.rs", "a/src/main.rs"),
        ("chmod +x a/src/main.rs", "a/src/main.rs"),
        ("ln -sf /etc/passwd a/src/main.rs", "a/src/main.rs"),
        ("touch a/new.rs; git add a/new.rs", "a/new.rs"),
        (
            "git rm -q --cached a/src/main.rs; echo x > a/src/main.rs",
            "a/src/main.rs",
        ),
    ] {
        let repository = repository();
        shell(repository.path(), change);
        assert_eq!(uncommitted(repository.path()), path, "{change}");
    }
}

#[test]
fn ignored_files_and_other_folders_may_change() {
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
fn replaced_objects_are_not_used() {
    let repository = repository();
    let script =
        "git replace $(git rev-parse HEAD:a/src/main.rs) $(echo evil | git hash-object -w --stdin)";
    shell(repository.path(), script);
    let (_, into) = staged(repository.path()).unwrap();
    let staged = fs::read(into.path().join("a/src/main.rs")).unwrap();
    assert_eq!(staged, b"fn main() {}\n");
}

#[test]
fn says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let stage = || {
        let error = stage(folder.path(), into.path()).unwrap_err();
        error.to_string()
    };
    let at = folder.path().display();
    let said = stage();
    let expected = format!(
        "reading source: {at} is not in a git repository that can be read: running git rev-parse: fatal: "
    );
    assert!(said.starts_with(&expected), "{said}");
    shell(folder.path(), "git init -q");
    assert_eq!(
        stage(),
        format!("reading source: the repository around {at} has no commit yet")
    );
    shell(
        folder.path(),
        "touch x; git add .; git -c user.name=n -c user.email=e commit -qm m",
    );
    let none =
        "reading source: no Cargo.toml is in . or above it, so that it is not a source of cargo";
    assert_eq!(stage(), none);
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
    assert_eq!(source.directory, Path::new(""));
    assert!(into.path().join("a/src/main.rs").exists());
}

#[test]
fn links_to_the_folder_are_refused() {
    let repository = repository();
    let at = repository.path();
    commit(
        at,
        "ln -s a workload; ln -s x y; mkdir c; printf '[package]\n[dependencies]\nb={path=\"../y/b\"}\n' > c/Cargo.toml",
    );
    let into = tempfile::tempdir().unwrap();
    let refused = stage(&at.join("workload"), into.path()).unwrap_err();
    let expected = format!(
        "reading source: {} is a symbolic link",
        at.join("workload").display()
    );
    assert_eq!(refused.to_string(), expected);
    let refused = stage(&at.join("c"), into.path()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "reading source: y is a symbolic link, and must be a file or folder"
    );
}

#[test]
fn a_commit_has_limits() {
    let repository = repository();
    let at = repository.path();
    commit(at, "head -c 270000000 /dev/zero > a/zero");
    let error = staged(at).unwrap_err().to_string();
    assert!(
        error.ends_with("has 270000000 bytes: expected at most 268435456"),
        "{error}"
    );
    let folders = "git rm -q --cached a/zero; rm a/zero
        below=$(git mktree </dev/null)
        for depth in 1 2 3 4 5; do
            below=$(for name in 1 2 3 4 5 6 7 8 9 10 11; do printf '040000 tree %s\\t%s\\n' $below $name; done | git mktree)
        done
        git read-tree --prefix=a/deep $below || true
        inner=$({ git ls-tree HEAD:a | grep -v zero; printf '040000 tree %s\\tdeep\\n' $below; } | git mktree)
        outer=$({ git ls-tree HEAD | grep -v '\ta$'; printf '040000 tree %s\\ta\\n' $inner; } | git mktree)
        git reset -q --soft $(git -c user.name=n -c user.email=e commit-tree -m m $outer)";
    let mut bash = Command::new("bash");
    bash.args(["-euc", folders]).current_dir(at);
    assert!(bash.status().unwrap().success());
    let refused = staged(at);
    let expected = format!(
        "reading source: more than {} files and folders",
        limits::ENTRIES
    );
    assert_eq!(refused.unwrap_err().to_string(), expected);
}

#[test]
fn file_names_are_escaped_in_errors() {
    let repository = repository();
    fs::write(repository.path().join("a/x\nbuilder: \u{202e}done"), "").unwrap();
    let error = staged(repository.path()).unwrap_err().to_string();
    let expected = r"reading source: uncommitted files: a/x\u{a}builder: \u{202e}done";
    assert_eq!(error, expected);
    commit(repository.path(), "ln -s /x \"a/$(printf 'y\\nz')\"");
    let error = staged(repository.path()).unwrap_err().to_string();
    assert!(error.ends_with(r"a/y\u{a}z -> /x"), "{error}");
}
