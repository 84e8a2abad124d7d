//! Symbolic links.

use super::*;

fn made(script: &str) -> Result<(Source, tempfile::TempDir), SourceError> {
    let repository = repository();
    commit(repository.path(), script);
    staged(repository.path())
}

#[test]
fn links_within_the_repository_are_staged() {
    let (source, into) = made(
        "echo read > x/README; mkdir -p docs/deep; echo a > docs/deep/a; echo '[workspace]' > docs/Cargo.toml; \
         ln -s ../x/README a/README; ln -s ../docs a/docs; ln -s README a/again; ln -s none a/none; ln -s a/loop loop; \
         ln -s ../loop a/loop",
    )
    .unwrap();
    let at = |path: &str| into.path().join(path);
    for (link, target) in [
        ("a/README", "../x/README"),
        ("a/docs", "../docs"),
        ("a/again", "README"),
        ("a/none", "none"),
        ("a/loop", "../loop"),
    ] {
        assert_eq!(fs::read_link(at(link)).unwrap(), Path::new(target));
    }
    assert_eq!(fs::read_to_string(at("a/again")).unwrap(), "read\n");
    assert_eq!(fs::read_to_string(at("a/docs/deep/a")).unwrap(), "a\n");
    // What cargo would obey is not brought by a link.
    assert!(!at("docs/Cargo.toml").exists());
    let without = made("echo > other").unwrap().0;
    assert_ne!(source.tree, without.tree);
}

#[test]
fn a_link_is_part_of_the_digest() {
    let one = made("ln -s src a/link").unwrap().0;
    let other = made("ln -s ./src a/link").unwrap().0;
    let file = made("printf src > a/link").unwrap().0;
    assert_ne!(one.tree, other.tree);
    assert_ne!(one.tree, file.tree);
}

#[test]
fn links_that_lead_out_are_refused_and_all_are_named() {
    for (script, named) in [
        (
            "ln -s /etc/passwd a/b; ln -s ../../x a/c",
            "a/b -> /etc/passwd, a/c -> ../../x",
        ),
        ("ln -s ../.git/config a/b", "a/b -> ../.git/config"),
    ] {
        let refused = made(script).unwrap_err();
        assert!(refused.is_refusal());
        let expected =
            format!("reading source: symbolic links lead out of the repository: {named}");
        assert_eq!(refused.to_string(), expected);
    }
    // By way of another link, which itself stays.
    let script = "mkdir -p x/y; echo > x/y/z; ln -s x/y deep; mkdir -p a/q; ln -s ../../deep/../../.. a/q/out";
    let refused = made(script).unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("lead out of the repository: a/q/out -> "),
        "{said}"
    );
}

#[test]
fn a_changed_file_that_a_link_leads_to_is_found() {
    let repository = repository();
    commit(
        repository.path(),
        "echo read > x/README; ln -s ../x/README a/README",
    );
    shell(repository.path(), "echo more >> x/README");
    let refused = staged(repository.path()).unwrap_err().to_string();
    assert_eq!(refused, "reading source: uncommitted files: x/README");
}

#[test]
fn a_submodule_is_an_empty_folder() {
    let submodule = |message: &str| {
        format!(
            "git init -q sub && echo x > sub/x && git -C sub add x && git -C sub -c user.name=a -c user.email=b commit -q -m {message}; \
             mv sub a/sub"
        )
    };
    let (one, into) = made(&submodule("one")).unwrap();
    assert_eq!(one.submodules, ["a/sub"]);
    assert_eq!(fs::read_dir(into.path().join("a/sub")).unwrap().count(), 0);
    // The digest has its commit.
    let (other, _into) = made(&submodule("other")).unwrap();
    assert_ne!(one.tree, other.tree);
}
