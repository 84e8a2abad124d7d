use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::compile::program::Invocation;
use crate::inputs::Supply;
use crate::inputs::store::Store;
use crate::spec::Spec;
use oci::layer::{Mode, Owner};

const SPEC: &str = r#"
[build]
package = "program"
target = "x86_64-unknown-linux-gnu"
static = "glibc"
[root]
suite = "s"
component = "main"
architecture = "amd64"
packages = []
"#;

/// A submodule, if the source has this folder.
const SUBMODULE: &str = "assets/theme/deep";

/// The entries that `more` of an `Image.toml` makes.
fn all(more: &str, directory: &Path) -> Result<Vec<Attributed>, String> {
    let spec = Spec::parse(&format!("{SPEC}{more}")).unwrap();
    let program = Program {
        binaries: [("program".to_owned(), "/nowhere/program".into())].into(),
        invocation: Invocation {
            command: Vec::new(),
            environment: BTreeMap::new(),
        },
        linked: Vec::new(),
        packages: BTreeMap::new(),
        modules: BTreeMap::new(),
    };
    let mut submodules = vec![directory.join(SUBMODULE)];
    submodules.retain(|folder| folder.is_dir());
    let scratch = tempfile::tempdir().unwrap();
    let store = Store::open(scratch.path()).unwrap();
    let origins = Origins {
        directory,
        submodules: &submodules,
        program: &program,
        runtime: &Runtime::unpack(&[], &Supply::of(&store)).unwrap(),
        packages: &[],
        wheels: &[],
    };
    let contents = collect(&spec.images[0], &origins).map_err(|error| error.to_string())?;
    Ok(contents.entries)
}

/// The entries of one file with this origin at `/etc/x`.
fn entry(origin: &str, directory: &Path) -> Result<Vec<Attributed>, String> {
    let file = format!("[image]\nentrypoint = []\n[[file]]\npath = '/etc/x'\n{origin}\n");
    all(&file, directory)
}

/// Paths with their kinds, without contents, and attributes.
fn shape(entries: &[Attributed]) -> Vec<(String, char, Attributes)> {
    let one = |one: &Attributed| {
        let kind = match &one.entry.kind {
            Kind::Directory => 'd',
            Kind::Symlink { .. } => 'l',
            Kind::File { executable, .. } => match executable {
                Executable::Yes => 'x',
                Executable::No => 'f',
            },
        };
        (one.entry.path.to_string(), kind, one.attributes)
    };
    entries.iter().map(one).collect()
}

fn plain(paths: &[(&str, char)]) -> Vec<(String, char, Attributes)> {
    let one = |(path, kind): &(&str, char)| ((*path).to_owned(), *kind, Attributes::default());
    paths.iter().map(one).collect()
}

#[test]
fn names_stay_below_their_directory() {
    let scratch = tempfile::tempdir().unwrap();
    for what in ["source", "tree"] {
        for name in ["", "..", "a/../../b", "./"] {
            let refused = entry(&format!("{what} = '{name}'"), scratch.path()).unwrap_err();
            let expected =
                format!("adding /etc/x: {what} \"{name}\" is not a plain path below its directory");
            assert_eq!(refused, expected);
        }
    }
}

#[test]
fn a_source_is_a_file_of_the_source() {
    let scratch = tempfile::tempdir().unwrap();
    let read = |name: &str| entry(&format!("source = '{name}'"), scratch.path());
    fs::create_dir(scratch.path().join("folder")).unwrap();
    fs::write(scratch.path().join("file"), "").unwrap();
    symlink("file", scratch.path().join("link")).unwrap();
    symlink("folder", scratch.path().join("way")).unwrap();
    assert!(read("file").is_ok());
    for (name, fault) in [
        ("folder", "source \"folder\" is a directory"),
        ("link", "source \"link\" is not a regular file"),
        ("way/file", "\"way\" is a symbolic link"),
        (
            "absent",
            "the commit has no file \"absent\" in the directory of Image.toml",
        ),
        (
            "file/x",
            "the commit has no file \"file/x\" in the directory of Image.toml",
        ),
    ] {
        assert_eq!(read(name).unwrap_err(), format!("adding /etc/x: {fault}"));
    }
}

#[test]
fn a_source_keeps_its_executable_bit() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("run");
    fs::write(&path, "").unwrap();
    for (mode, kind) in [(0o644, 'f'), (0o755, 'x')] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let found = entry("source = 'run'", scratch.path()).unwrap();
        assert_eq!(shape(&found), plain(&[("etc/x", kind)]));
    }
}

#[test]
fn a_tree_has_everything_below_it() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |path: &str| scratch.path().join("assets").join(path);
    fs::create_dir_all(at("css")).unwrap();
    fs::write(at("css/a.css"), "a").unwrap();
    fs::write(at("run"), "").unwrap();
    fs::set_permissions(at("run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../run", at("css/run")).unwrap();
    let found = entry("tree = 'assets'", scratch.path()).unwrap();
    let expected = [
        ("etc/x", 'd'),
        ("etc/x/css", 'd'),
        ("etc/x/css/a.css", 'f'),
        ("etc/x/css/run", 'l'),
        ("etc/x/run", 'x'),
    ];
    assert_eq!(shape(&found), plain(&expected));
    let root = "[image]\nentrypoint = []\n[[file]]\npath = '/'\ntree = '.'\n";
    let root = all(root, scratch.path()).unwrap();
    assert_eq!(root[0].entry.path.as_str(), "assets");
    let owned = entry("tree = 'assets'\nowner = '7:8'", scratch.path()).unwrap();
    let owner = Owner::new(7, 8).unwrap();
    let mut owners = shape(&owned).into_iter();
    assert!(owners.all(|(_, kind, found)| kind == 'l' || found.owner == owner));
    symlink("../../secret", at("css/out")).unwrap();
    assert_eq!(
        entry("tree = 'assets'", scratch.path()).unwrap_err(),
        "adding /etc/x: link \"css/out\" leads to \"../../secret\", out of the tree"
    );
    for (name, fault) in [
        ("assets/run", "tree \"assets/run\" is not a directory"),
        (
            "absent",
            "the commit has no directory \"absent\" in the directory of Image.toml",
        ),
    ] {
        let refused = entry(&format!("tree = '{name}'"), scratch.path()).unwrap_err();
        assert_eq!(refused, format!("adding /etc/x: {fault}"));
    }
}

#[test]
fn a_tree_needs_the_files_of_its_submodules() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir_all(scratch.path().join(SUBMODULE)).unwrap();
    fs::create_dir_all(scratch.path().join("assets/empty")).unwrap();
    fs::write(scratch.path().join("assets/a"), "").unwrap();
    for tree in [".", "assets", SUBMODULE] {
        assert_eq!(
            entry(&format!("tree = '{tree}'"), scratch.path()).unwrap_err(),
            format!("adding /etc/x: {SUBMODULE} is a submodule, whose files are not staged")
        );
    }
    // A folder without files that is no submodule is accepted.
    entry("tree = 'assets/empty'", scratch.path()).unwrap();
}

#[test]
fn two_entries_with_one_path_are_both_named() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("a")).unwrap();
    fs::write(scratch.path().join("a/b"), "").unwrap();
    let more = "[image]\nentrypoint = []\n[[file]]\npath = '/a'\ntree = 'a'\n[[file]]\npath = '/a/b'\nlink = 'c'\n";
    assert_eq!(
        all(more, scratch.path()).unwrap_err(),
        "adding /a/b: both [[file]] /a and [[file]] /a/b make it"
    );
}

#[test]
fn directories_have_owners_and_modes() {
    let scratch = tempfile::tempdir().unwrap();
    let more = "[image]\nentrypoint = []\nuser = 'app'\n[[user]]\nname = 'app'\nuid = 1000\nhome = '/home/app'\n\
        [[file]]\npath = '/tmp'\ndirectory = true\nmode = '1777'\n\
        [[file]]\npath = '/data'\ndirectory = true\nowner = 'app'\nmode = '0700'\n";
    let found = shape(&all(more, scratch.path()).unwrap());
    let owner = Owner::new(1000, 1000).unwrap();
    let mode = |bits| Some(Mode::new(bits).unwrap());
    let expected = [
        ("data", 'd', owner, mode(0o700)),
        ("etc/group", 'f', Owner::default(), None),
        ("etc/passwd", 'f', Owner::default(), None),
        ("home/app", 'd', owner, None),
        ("tmp", 'd', Owner::default(), mode(0o1777)),
    ];
    let expected = expected
        .map(|(path, kind, owner, mode)| (path.to_owned(), kind, Attributes { owner, mode }));
    assert_eq!(found, expected);
}

#[test]
fn the_user_is_in_the_image() {
    let scratch = tempfile::tempdir().unwrap();
    let with = |user: &str, more: &str| {
        let more = format!("[image]\nentrypoint = []\nuser = '{user}'\n{more}");
        all(&more, scratch.path())
    };
    let own = "[[user]]\nname = 'app'\nuid = 1\n";
    let list = "[[file]]\npath = '/etc/passwd'\ncontent = ''\n";
    for (user, more) in [("1:1", ""), ("app", own), ("app:app", own), ("web", list)] {
        assert!(
            with(user, &format!("{more}[[file]]\npath='/a'\nlink='b'\n")).is_ok(),
            "{user}"
        );
    }
    let file = "[[file]]\npath='/a'\nlink='b'\n";
    assert_eq!(
        with("app", file).unwrap_err(),
        "user \"app\" is not in /etc/passwd of the image"
    );
    assert_eq!(
        with("app:web", &format!("{own}{file}")).unwrap_err(),
        "user \"web\" is not in /etc/group of the image"
    );
}

#[test]
fn only_compiled_programs_are_binaries() {
    let scratch = tempfile::tempdir().unwrap();
    let binary = |name: &str| entry(&format!("binary = '{name}'"), scratch.path());
    assert_eq!(
        binary("other").unwrap_err(),
        "adding /etc/x: no binary \"other\" is built"
    );
    assert_eq!(shape(&binary("program").unwrap()), plain(&[("etc/x", 'x')]));
}
