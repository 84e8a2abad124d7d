use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::inputs::Wanted;
use crate::spec::{BuildSpec, Origin, Spec};

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join(".git")).unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            if text.starts_with("#!") {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn init(&self) -> Started {
        init(Wish {
            directory: self.path(),
            exec: None,
        })
        .unwrap()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn spec(&self) -> Spec {
        Spec::parse(&self.read(spec::FILE)).unwrap()
    }
}

/// The entries of a file that are left to the user.
fn open(started: &Started, file: &str) -> Vec<String> {
    let open = started.open.iter().filter(|open| open.file == file);
    open.map(|open| open.entry.clone()).collect()
}

const CARGO: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        "[package]\nname = \"server\"\nversion = \"1.0.0\"\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n[[package]]\nname = \"server\"\nversion = \"1.0.0\"\n[[package]]\nname = \"bindgen\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
         checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
    ),
    ("src/main.rs", "fn main() {}\n"),
];

#[test]
fn a_crate_is_what_a_lock_expects() {
    let folder = Folder::of(&CARGO);
    let started = folder.init();
    assert_eq!(started.written.len(), 5);
    assert_eq!(open(&started, spec::FILE), ["image.labels"]);
    let spec = folder.spec();
    assert!(matches!(&spec.build, BuildSpec::Cargo(cargo) if cargo.package == "server"));
    assert_eq!(spec.root.packages[0].name, "libclang-dev");
    assert_eq!(spec.images[0].start.entrypoint, ["/server"]);
    // What `builder lock` reads before it fetches anything.
    assert_eq!(Wanted::read(folder.path()).unwrap().spec, spec);
}

#[test]
fn configuration_of_cargo_becomes_entries() {
    let configuration = "[build]\nrustflags = [\"--cfg\", \"tokio_unstable\", \"-Ctarget-cpu=x86-64-v2\"]\n\
                         [env]\nWORD = \"a\\nb\"\n'x.y' = \"\"\nCARGO_HOME = \"/x\"\nBY_FILE = { value = \"x\", relative = true }\n";
    let folder = Folder::of(&[CARGO.as_slice(), &[(".cargo/config.toml", configuration)]].concat());
    let started = folder.init();
    let left = ["build.host-config"; 3].into_iter().chain(["image.labels"]);
    assert_eq!(open(&started, spec::FILE), left.collect::<Vec<_>>());
    let spec = folder.spec();
    let BuildSpec::Cargo(cargo) = &spec.build else {
        panic!("{:?}", spec.build);
    };
    assert_eq!(cargo.conditions, ["tokio_unstable".to_owned()].into());
    assert_eq!(cargo.processor, "x86-64-v2");
    let names: Vec<_> = cargo.environment.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["WORD"]);
    let refused = Wanted::read(folder.path()).unwrap_err().to_string();
    let named = ["env.x.y", "env.CARGO_HOME", "env.BY_FILE"].map(|name| refused.contains(name));
    assert_eq!(
        (named, refused.contains("rustflags")),
        ([true; 3], false),
        "{refused}"
    );
}

#[test]
fn what_is_ambiguous_is_said() {
    let folder = Folder::of(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\n",
        ),
        ("a/src/bin/one.rs", ""),
        ("a/src/bin/two.rs", ""),
        (
            "b/Cargo.toml",
            "[package]\nname = \"b\"\nversion = \"1.0.0\"\n",
        ),
        ("b/src/main.rs", ""),
    ]);
    let started = folder.init();
    let open = open(&started, spec::FILE);
    assert_eq!(
        open,
        ["build.package", "file.binary", "build", "image.labels"]
    );
    assert_eq!(folder.spec().binaries(), ["one"].into());
}

#[test]
fn a_module_is_what_a_lock_expects() {
    let folder = Folder::of(&[
        ("go.mod", "module example.org/app\n\ngo 1.21\n"),
        ("go.sum", ""),
        ("cmd/serve/main.go", "package main\n\nfunc main() {}\n"),
    ]);
    let started = folder.init();
    assert_eq!(open(&started, spec::FILE), ["image.labels"]);
    let spec = folder.spec();
    assert!(matches!(&spec.build, BuildSpec::Go(go) if go.packages == ["./cmd/serve"]));
    assert_eq!(spec.images[0].start.entrypoint, ["/serve"]);
    assert_eq!(Wanted::read(folder.path()).unwrap().spec, spec);
    let old = Folder::of(&[
        ("go.mod", "module example.org/app\n\ngo 1.19\n"),
        ("main.go", "package main\n"),
    ]);
    assert_eq!(open(&old.init(), spec::FILE), ["build.go", "image.labels"]);
    assert!(matches!(&old.spec().build, BuildSpec::Go(go) if go.go.is_some()));
}

#[test]
fn a_program_in_python_is_its_files() {
    let folder = Folder::of(&[
        ("main.py", "import lib\n"),
        ("lib/__init__.py", ""),
        ("tests/test_lib.py", ""),
        ("requirements.txt", "flask==3.1.0\n"),
        ("README.md", ""),
    ]);
    let started = folder.init();
    let expected = ["file", "wheels", "image.labels"];
    assert_eq!(open(&started, spec::FILE), expected);
    let spec = folder.spec();
    assert_eq!(spec.images[0].parts.runtime.packages, ["python3"]);
    assert_eq!(
        spec.images[0].start.entrypoint,
        ["/usr/bin/python3", "/app/main.py"]
    );
    let files = spec.files().map(|file| (file.path.as_str(), &file.origin));
    assert_eq!(
        files.collect::<Vec<_>>(),
        [
            ("/app/lib", &Origin::Tree("lib".into())),
            ("/app/main.py", &Origin::Source("main.py".into())),
            (
                "/etc/countersign/terms.json",
                &Origin::Source("terms.json".into())
            ),
            ("/tmp", &Origin::Directory),
        ]
    );
}

#[test]
fn a_command_of_a_project_starts_its_function() {
    let project = "[project]\nname = \"server\"\n[project.scripts]\nadmin = \"pkg.cli:admin\"\nserver = \"pkg.cli:app.run\"\n";
    let folder = Folder::of(&[
        ("pyproject.toml", project),
        ("requirements.txt", "a==1 \\\n    --hash=sha256:00\n"),
        ("src/pkg/__init__.py", ""),
        ("setup.py", ""),
        ("run.sh", "#!/bin/sh\n"),
    ]);
    let started = folder.init();
    let expected = ["image.entrypoint", "file", "image.labels"];
    assert_eq!(open(&started, spec::FILE), expected);
    let spec = folder.spec();
    let call = "import sys; from pkg.cli import app; sys.exit(app.run())";
    assert_eq!(
        spec.images[0].start.entrypoint,
        ["/usr/bin/python3", "-c", call]
    );
    assert_eq!(
        spec.images[0].start.env["PYTHONPATH"],
        "/app:/app/site-packages"
    );
    assert_eq!(spec.images[0].parts.files[0].path, "/app/pkg");
    assert_eq!(
        spec.images[0].parts.files[0].origin,
        Origin::Tree("src/pkg".into())
    );
    assert_eq!(spec.wheels[0].requirements, "requirements.txt");
}

#[test]
fn a_module_in_python_is_started() {
    let folder = Folder::of(&[
        ("setup.py", ""),
        ("pkg/__init__.py", ""),
        ("pkg/__main__.py", ""),
        ("extras/x.py", ""),
    ]);
    let started = folder.init();
    let entrypoint = folder.spec().images.remove(0).start.entrypoint;
    assert_eq!(entrypoint, ["/usr/bin/python3", "-m", "pkg"]);
    assert_eq!(
        open(&started, spec::FILE),
        ["file", "wheels", "image.labels"]
    );
    let wheels = &started.open[1].what;
    assert!(
        wheels.contains("3.13 setup.py -o requirements.txt"),
        "{wheels}"
    );
    // What tools read is no program.
    for files in [
        &[("setup.py", "")][..],
        &[
            (
                "pyproject.toml",
                "[project]\nname = \"a\"\n[project.scripts]\na = \"a: b\"\n",
            ),
            ("a.py", ""),
            ("b.py", ""),
        ],
    ] {
        let folder = Folder::of(files);
        let directory = folder.path();
        assert!(
            init(Wish {
                directory,
                exec: None
            })
            .is_err()
        );
    }
}

#[test]
fn a_script_is_run_by_its_interpreter() {
    let folder = Folder::of(&[("run", "#!/bin/sh\necho hello\n"), ("notes", "text\n")]);
    let started = folder.init();
    assert_eq!(
        open(&started, spec::FILE),
        ["runtime.packages", "image.labels"]
    );
    let spec = folder.spec();
    assert_eq!(
        spec.images[0].start.entrypoint,
        ["/usr/bin/dash", "/app/run"]
    );
    assert_eq!(spec.images[0].parts.runtime.packages, ["dash", "coreutils"]);
    assert_eq!(Wanted::read(folder.path()).unwrap().spec, spec);
    let perl = Folder::of(&[("run", "#!/usr/bin/perl\n")]);
    perl.init();
    let packages = perl.spec().images.remove(0).parts.runtime.packages;
    assert_eq!(packages, ["perl-base"]);
}

#[test]
fn another_program_can_start_it() {
    let folder = Folder::of(&[("run", "#!/bin/sh\n")]);
    let digest = content::Digest::of(b"workload");
    let base: ImageRef = format!("registry.example/countersign/workload@{digest}")
        .parse()
        .unwrap();
    init(Wish {
        directory: folder.path(),
        exec: Some(&base),
    })
    .unwrap();
    let spec = folder.spec();
    assert_eq!(spec.images[0].start.base.as_ref(), Some(&base));
    assert_eq!(
        (
            spec.images[0].start.entrypoint.len(),
            spec.images[0].start.user.as_deref()
        ),
        (0, Some("0:0"))
    );
    let terms: serde_json::Value = serde_json::from_str(&folder.read("terms.json")).unwrap();
    let command = serde_json::json!(["/usr/bin/dash", "/app/run"]);
    assert_eq!(terms["job"]["exec"]["command"], command);
    // The workload would trust what the program wrote to its home.
    for (exec, home) in [(Some(&base), None), (None, Some("/tmp"))] {
        let folder = Folder::of(&[("main.py", "")]);
        let directory = folder.path();
        init(Wish { directory, exec }).unwrap();
        let start = folder.spec().images.remove(0).start;
        assert_eq!(start.env.get("HOME").map(String::as_str), home);
    }
}

#[test]
fn nothing_that_exists_is_changed() {
    let folder = Folder::of(&[("run", "#!/bin/sh\n"), ("terms.json", "{}\n")]);
    let started = folder.init();
    assert_eq!(started.kept, [folder.path().join("terms.json")]);
    assert_eq!(folder.read("terms.json"), "{}\n");
    assert!(open(&started, "terms.json").is_empty());
    let again = folder.init();
    assert_eq!((again.written.len(), again.kept.len()), (0, 5));
    assert_eq!(again.open, []);
    let names = fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 6, "a partial file is left");
}

#[test]
fn a_folder_without_a_program_is_left_as_it_is() {
    for files in [
        &[("README.md", "")][..],
        &[
            ("Cargo.toml", "[package]\nname = \"a\"\n"),
            ("src/lib.rs", ""),
        ],
        &[("go.mod", "module a\n"), ("a.go", "package a\n")],
    ] {
        let folder = Folder::of(files);
        let error = init(Wish {
            directory: folder.path(),
            exec: None,
        });
        let error = error.unwrap_err();
        assert!(
            error.to_string().starts_with("finding a program in /"),
            "{error}"
        );
        assert!(error.hint().is_some());
        assert!(!folder.path().join(spec::FILE).exists());
    }
}
