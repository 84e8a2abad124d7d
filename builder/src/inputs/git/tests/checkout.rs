//! Staging from working trees that git reports as clean or changed.

use super::*;

#[test]
fn a_tree_that_git_calls_clean_is_staged_as_committed() {
    for change in [
        "git config core.fileMode false; chmod -R 0777 a x",
        "echo '* eol=crlf' > .git/info/attributes; rm -r a x; git checkout -q .",
        "git config core.autocrlf true; rm -r a x; git checkout -q .",
        "git config core.symlinks false; git update-index -q --refresh",
        "git update-index --assume-unchanged a/src/main.rs; echo >> a/src/main.rs",
        "git update-index --split-index",
        "mkdir -p a/ignored; touch a/ignored/x; echo ignored > .git/info/exclude",
        "touch a/ignored; echo ignored > list; git config core.excludesFile \"$PWD/list\"",
        "rm .git/info/exclude",
    ] {
        let repository = repository();
        shell(repository.path(), change);
        let (_, into) = staged(repository.path()).unwrap_or_else(|error| {
            panic!("{change}: {error}");
        });
        let staged = fs::read(into.path().join("a/src/main.rs")).unwrap();
        assert_eq!(staged, b"fn main() {}\n", "{change}");
    }
}

#[test]
fn files_that_attributes_convert_are_committed_files() {
    let repository = repository();
    let script = "echo '*.rs text eol=crlf ident working-tree-encoding=UTF-16' > .gitattributes
        git add .gitattributes && git -c user.name=n -c user.email=e commit -qm m";
    shell(repository.path(), script);
    shell(repository.path(), "rm -r a; git checkout -q .");
    let found = fs::read(repository.path().join("a/src/main.rs")).unwrap();
    assert_ne!(found, b"fn main() {}\n");
    let (_, into) = staged(repository.path()).unwrap();
    let staged = fs::read(into.path().join("a/src/main.rs")).unwrap();
    assert_eq!(staged, b"fn main() {}\n");
}

#[test]
fn a_linked_working_tree_is_staged() {
    let repository = repository();
    let place = tempfile::tempdir().unwrap();
    let script = format!(
        "git worktree add -q {}/tree; echo new > .git/info/exclude",
        place.path().display()
    );
    shell(repository.path(), &script);
    let tree = place.path().join("tree");
    staged(&tree).unwrap();
    fs::write(tree.join("a/src/main.rs"), "fn main() { }\n").unwrap();
    assert_eq!(uncommitted(&tree), "a/src/main.rs");
}

/// A repository with `a/x.dat`, which a filter converts that leaves the file `marker` when git runs it.
fn filtered() -> tempfile::TempDir {
    let repository = repository();
    let script = "printf '#!/bin/sh\ntouch %s\ntr A-Z a-z\n' \"$PWD/marker\" > .git/clean; chmod +x .git/clean
        git config filter.up.clean \"$PWD/.git/clean\"; git config filter.up.smudge 'tr a-z A-Z'
        echo '*.dat filter=up' > .gitattributes; echo ABC > a/x.dat; git add .
        git -c user.name=n -c user.email=e commit -qm m; rm a/x.dat; git checkout -q .";
    shell(repository.path(), script);
    let at = |name: &str| repository.path().join(name);
    assert_eq!(fs::read(at("a/x.dat")).unwrap(), b"ABC\n");
    assert!(at("marker").exists(), "the filter does not run");
    fs::remove_file(at("marker")).unwrap();
    repository
}

#[test]
fn converted_files_are_clean_and_no_filter_runs() {
    for change in [
        "true",
        "touch a/x.dat",
        "touch -d 2001-01-01 a/x.dat",
        "touch -d 2001-01-01 a/x.dat .git/index",
        "git config filter.up.process nothing; touch -d 2001-01-01 a/x.dat",
        // git calls it changed, but what is built is the committed object.
        "echo XYZ > a/x.dat",
    ] {
        let repository = filtered();
        shell(repository.path(), change);
        let (_, into) = staged(repository.path()).unwrap_or_else(|error| {
            panic!("{change}: {error}");
        });
        let staged = fs::read(into.path().join("a/x.dat")).unwrap();
        assert_eq!(staged, b"abc\n", "{change}");
        assert!(!repository.path().join("marker").exists(), "{change}");
    }
}

#[test]
fn changes_of_converted_files_are_found() {
    let x = "a/x.dat";
    for (change, path) in [
        ("echo more >> a/x.dat", x),
        ("rm a/x.dat", x),
        ("ln -sf main a/x.dat", x),
        ("echo other > a/x.dat; git add a/x.dat", x),
        ("git rm -q --cached a/x.dat", x),
        ("touch a/y.dat", "a/y.dat"),
        // Nothing converts it.
        (
            "git config --unset filter.up.clean; touch -d 2001-01-01 a/x.dat",
            x,
        ),
        (
            "git config filter.up.clean ''; touch -d 2001-01-01 a/x.dat",
            x,
        ),
        (
            "echo '*.dat -filter' > .git/info/attributes; touch -d 2001-01-01 a/x.dat",
            x,
        ),
        (
            "touch -d 2001-01-01 a/x.dat; echo >> a/src/main.rs",
            "a/src/main.rs",
        ),
    ] {
        let repository = filtered();
        shell(repository.path(), change);
        assert_eq!(uncommitted(repository.path()), path, "{change}");
    }
}
