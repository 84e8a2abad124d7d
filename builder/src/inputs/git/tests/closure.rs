//! The folders of a repository that are staged with a crate.

use super::*;

#[test]
fn crates_in_tables_of_any_name_are_staged() {
    for table in [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
        "target.'cfg(windows)'.dev_dependencies",
        "target.t.build_dependencies",
    ] {
        let repository = repository();
        let manifest = format!("[package]\n[{table}]\nd = {{ path = '../x/d' }}\n");
        fs::write(repository.path().join("a/Cargo.toml"), manifest).unwrap();
        commit(repository.path(), "true");
        let (_, into) = staged(repository.path()).unwrap();
        assert!(into.path().join("x/d/Cargo.toml").exists(), "{table}");
        assert!(!into.path().join("x/b").exists(), "{table}");
    }
}

/// A repository with a crate in `a`, which uses files in `common`, and other files.
fn with_targets(manifest: &str) -> tempfile::TempDir {
    let repository = repository();
    fs::write(repository.path().join("a/Cargo.toml"), manifest).unwrap();
    let script = "mkdir -p common/deep/.cargo other/.cargo
        for file in main.rs deep/mod.rs text Cargo.toml Cargo.lock deep/.cargo/config.toml; do echo > common/$file; done
        ln -s /etc/passwd common/link
        echo > build.rs; echo > other/.cargo/config.toml; echo '[workspace]' > Cargo.toml";
    commit(repository.path(), script);
    repository
}

#[test]
fn folders_of_targets_outside_the_crate_are_staged() {
    for manifest in [
        "[package]\n[lib]\npath = '../common/main.rs'",
        "[package]\n[[bin]]\nname = 'x'\npath = 'src/../../common/main.rs'",
        "[package]\nbuild = '../common/main.rs'",
        "[project]\nbuild = '../common/main.rs'",
    ] {
        let repository = with_targets(manifest);
        let (source, into) = staged(repository.path()).unwrap();
        let is_staged = |path: &str| into.path().join(path).symlink_metadata().is_ok();
        for path in ["a/src/main.rs", "main.rs", "deep/mod.rs", "text"] {
            let path = path
                .strip_prefix("a/")
                .map_or(format!("common/{path}"), |_| path.to_owned());
            assert!(is_staged(&path), "{manifest}: {path}");
        }
        for path in ["Cargo.toml", "Cargo.lock", "deep/.cargo", "link"] {
            assert!(!is_staged(&format!("common/{path}")), "{manifest}: {path}");
        }
        assert!(!is_staged("build.rs") && !is_staged("x"), "{manifest}");
        // They are part of what is digested, and must be committed.
        commit(repository.path(), "echo more >> common/deep/mod.rs");
        let (changed, _into) = staged(repository.path()).unwrap();
        assert_ne!(changed.tree, source.tree, "{manifest}");
        fs::write(repository.path().join("common/new.rs"), "").unwrap();
        assert_eq!(
            uncommitted(repository.path()),
            "common/new.rs",
            "{manifest}"
        );
    }
}

#[test]
fn a_target_above_its_crate_adds_no_manifest_or_configuration() {
    let repository = with_targets("[package]\nbuild = '../build.rs'");
    let (_, into) = staged(repository.path()).unwrap();
    let is_staged = |path: &str| into.path().join(path).exists();
    assert!(is_staged("build.rs") && is_staged("a/Cargo.toml") && is_staged("common/main.rs"));
    assert!(!is_staged("Cargo.toml") && !is_staged("x/d/Cargo.toml") && !is_staged("other/.cargo"));
}

#[test]
fn targets_of_path_dependencies_are_staged() {
    let repository = with_targets("[package]\n[dependencies]\nb = { path = '../x/b' }");
    let lib = "printf \"[package]\\n[lib]\\npath = '../../common/main.rs'\\n\" > x/b/Cargo.toml";
    commit(repository.path(), lib);
    let (_, into) = staged(repository.path()).unwrap();
    assert!(into.path().join("common/deep/mod.rs").exists());
}

#[test]
fn targets_outside_the_repository_are_left_to_cargo() {
    let repository = with_targets(
        "[package]\nbuild = '../../build.rs'\n[[bin]]\npath = '/etc/passwd'\n[lib]\npath = '../.git/x'",
    );
    let (_, into) = staged(repository.path()).unwrap();
    assert_eq!(fs::read_dir(into.path()).unwrap().count(), 1);
}
