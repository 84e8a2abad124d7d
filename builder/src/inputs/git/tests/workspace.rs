//! Crates of a workspace.

use super::*;

/// A repository with a workspace, whose member is `app`.
fn workspace(members: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "Cargo.toml",
            &*format!(
                "[workspace]\n{members}\n[workspace.package]\nedition = '2024'\n[workspace.dependencies]\nlib = {{ path = 'crates/lib' }}\n"
            ),
        ),
        ("Cargo.lock", "root"),
        (
            "app/Cargo.toml",
            "[package]\nname = 'app'\nedition.workspace = true\n[dependencies]\nlib.workspace = true\n",
        ),
        ("app/src/main.rs", ""),
        (
            "crates/lib/Cargo.toml",
            "[package]\nname = 'lib'\nedition.workspace = true\n",
        ),
        ("crates/other/Cargo.toml", "[package]\nname = 'other'\n"),
        ("crates/README.md", ""),
        ("unrelated/file", ""),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    shell(folder.path(), "git init -q");
    commit(folder.path(), "true");
    folder
}

fn staged_app(repository: &Path) -> Result<(Source, tempfile::TempDir), SourceError> {
    let into = tempfile::tempdir().unwrap();
    stage(&repository.join("app"), into.path()).map(|source| (source, into))
}

#[test]
fn the_root_and_members_of_a_workspace_are_staged() {
    for (members, is_other_staged) in [
        ("members = ['app', 'crates/lib']", false),
        ("members = ['app', 'crates/*']", true),
        ("members = ['a?p', 'crates/[l]ib']", false),
        ("members = ['**']", true),
        (
            "members = ['app', 'crates/*']\nexclude = ['crates/other']",
            false,
        ),
    ] {
        let repository = workspace(members);
        let (source, into) = staged_app(repository.path()).unwrap();
        assert_eq!(source.directory, Path::new("app"));
        assert_eq!(source.cargo.unwrap().lock, Path::new("Cargo.lock"));
        let is_staged = |path: &str| into.path().join(path).exists();
        for path in ["Cargo.toml", "Cargo.lock", "crates/lib/Cargo.toml"] {
            assert!(is_staged(path), "{members}: {path}");
        }
        assert_eq!(
            is_staged("crates/other/Cargo.toml"),
            is_other_staged,
            "{members}"
        );
        assert!(!is_staged("crates/README.md") && !is_staged("unrelated"));
        let locked = cargo_lock(&repository.path().join("app"));
        assert_eq!(
            locked,
            repository.path().canonicalize().unwrap().join("Cargo.lock")
        );
    }
}

/// The path of the lock of the crate in `directory` of a working tree.
fn cargo_lock(directory: &Path) -> PathBuf {
    let located = located(directory).unwrap();
    located.top.join(located.lists.cargo.unwrap().lock)
}

#[test]
fn changes_of_the_root_and_of_members_are_found() {
    for path in ["Cargo.toml", "Cargo.lock", "crates/lib/Cargo.toml"] {
        let repository = workspace("members = ['app', 'crates/lib']");
        shell(repository.path(), &format!("echo '#' >> {path}"));
        let refused = staged_app(repository.path());
        let expected = format!("reading source: uncommitted files: {path}");
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
    let repository = workspace("members = ['app', 'crates/lib']");
    let (first, _into) = staged_app(repository.path()).unwrap();
    commit(repository.path(), "echo '# more' >> Cargo.toml");
    assert_ne!(staged_app(repository.path()).unwrap().0.tree, first.tree);
    let second = staged_app(repository.path()).unwrap().0.tree;
    commit(repository.path(), "echo more >> unrelated/file");
    assert_eq!(staged_app(repository.path()).unwrap().0.tree, second);
}

#[test]
fn a_member_may_have_the_only_lock() {
    let repository = workspace("members = ['app', 'crates/lib']");
    commit(
        repository.path(),
        "git rm -q Cargo.lock; echo own > app/Cargo.lock",
    );
    let (source, into) = staged_app(repository.path()).unwrap();
    let lock = into.path().join(source.cargo.unwrap().lock);
    assert_eq!(lock, into.path().join("Cargo.lock"));
    assert_eq!(fs::read_to_string(lock).unwrap(), "own\n");
    let locked = cargo_lock(&repository.path().join("app"));
    assert!(locked.ends_with("app/Cargo.lock"), "{locked:?}");
}

#[test]
fn a_crate_that_is_not_a_member_is_built_alone() {
    for members in [
        "members = ['crates/other']",
        "members = ['crates/other']\nexclude = ['app']",
    ] {
        let repository = workspace(members);
        let own =
            "printf '[package]\\nname=\"app\"\\n' > app/Cargo.toml; echo own > app/Cargo.lock";
        commit(repository.path(), own);
        let (source, into) = staged_app(repository.path()).unwrap();
        assert_eq!(source.cargo.unwrap().lock, Path::new("app/Cargo.lock"));
        assert!(!into.path().join("Cargo.toml").exists());
    }
}

#[test]
fn finds_the_workspace_outside_a_repository() {
    let repository = workspace("members = ['app', 'crates/lib']");
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    let locked = cargo_lock(&repository.path().join("app"));
    let root = repository.path().canonicalize().unwrap();
    assert_eq!(locked, root.join("Cargo.lock"));
}
