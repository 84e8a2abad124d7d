//! Objects whose content does not match their names.

use super::*;

#[test]
fn sha256_repositories_are_read() {
    let folder = tempfile::tempdir().unwrap();
    shell(
        folder.path(),
        "git init -q --object-format=sha256; mkdir a; echo '[package]' > a/Cargo.toml",
    );
    commit(folder.path(), "true");
    let (source, _into) = staged(folder.path()).unwrap();
    assert_eq!(source.commit.len(), 64);
    let name = output(folder.path(), "git rev-parse HEAD:a/Cargo.toml");
    forge(folder.path(), &name, "blob", b"[package]\n#");
    assert_forged(folder.path(), &name);
}

/// Puts another content under the name of an object.
fn forge(repository: &Path, name: &str, kind: &str, bytes: &[u8]) {
    let mut object = format!("{kind} {}\0", bytes.len()).into_bytes();
    object.extend(bytes);
    let path = format!(".git/objects/{}/{}", &name[..2], &name[2..]);
    let path = repository.join(path);
    let _ = fs::remove_file(&path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = flate2::write::ZlibEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, &object).unwrap();
    writer.finish().unwrap();
}

/// Asserts that the repository is refused because of this object.
#[track_caller]
fn assert_forged(repository: &Path, name: &str) {
    let refused = staged(repository).unwrap_err().to_string();
    let expected = format!("reading source: git object {name} content does not match its name");
    assert_eq!(refused, expected);
}

#[test]
fn objects_that_do_not_match_their_names_are_refused() {
    for (name, kind, other) in [
        ("HEAD", "commit", "HEAD^"),
        ("HEAD^{tree}", "tree", "HEAD^^{tree}"),
        ("HEAD:a", "tree", "HEAD^:a"),
        ("HEAD:a/Cargo.toml", "blob", "HEAD^:a/Cargo.toml"),
        ("HEAD:a/src/main.rs", "blob", "HEAD^:a/src/main.rs"),
        ("HEAD:x/b/Cargo.toml", "blob", "HEAD^:x/b/Cargo.toml"),
    ] {
        let repository = repository();
        let at = repository.path();
        commit(
            at,
            "for file in a/*.toml a/src/main.rs x/b/*; do echo '#' >> $file; done",
        );
        let name = output(at, &format!("git rev-parse '{name}'"));
        let other = Command::new("git")
            .arg("-C")
            .arg(at)
            .args(["cat-file", kind, other])
            .output();
        // A commit whose files were not read since.
        forge(at, &name, kind, &other.unwrap().stdout);
        assert_forged(at, &name);
    }
}

#[test]
fn objects_of_alternates_are_checked_too() {
    let repository = repository();
    let at = repository.path();
    let name = output(at, "git rev-parse HEAD:a/src/main.rs");
    let evil = tempfile::tempdir().unwrap();
    shell(evil.path(), "git init -q");
    forge(evil.path(), &name, "blob", b"fn main() { evil() }\n");
    shell(
        at,
        &format!(
            "echo {}/.git/objects > .git/objects/info/alternates; rm -f .git/objects/{}/{}",
            evil.path().display(),
            &name[..2],
            &name[2..]
        ),
    );
    assert_forged(at, &name);
    shell(at, "rm .git/objects/info/alternates");
    let missing = format!("reading source: the repository has no git object {name}");
    assert_eq!(staged(at).unwrap_err().to_string(), missing);
}
