//! What the entries of `[build]` do to programs: each binary of this package prints how it was compiled.

use super::*;

const FILES: [(&str, &str); 11] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = ['crates/*']\nresolver = '2'\n[workspace.package]\nversion = '0.1.0'\nedition = '2021'\n\
         [profile.small]\ninherits = 'release'\ndebug-assertions = true\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"beside\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"many\"\nversion = \"0.1.0\"\n\
         dependencies = [\n \"beside\",\n]\n",
    ),
    (
        "crates/many/Cargo.toml",
        "[package]\nname = 'many'\nversion.workspace = true\nedition.workspace = true\n[dependencies]\n\
         beside = { path = '../../elsewhere/beside' }\n[features]\ndefault = ['quiet']\nquiet = []\nloud = []\n\
         [[bin]]\nname = 'first'\npath = 'src/first.rs'\nrequired-features = ['loud']\n",
    ),
    (
        "crates/many/src/first.rs",
        "fn main() {\n    let found = [cfg!(feature = \"loud\"), cfg!(feature = \"quiet\"), cfg!(debug_assertions), cfg!(special), \
         cfg!(evil), cfg!(target_feature = \"sse4.2\")];\n    println!(\"{found:?} {} {} {}\", env!(\"TEXT\"), env!(\"COMMIT\"), \
         env!(\"TIME\"));\n}\n",
    ),
    (
        "elsewhere/beside/Cargo.toml",
        "[package]\nname = 'beside'\nversion = '0.1.0'\nedition = '2021'\n",
    ),
    (
        "elsewhere/beside/src/lib.rs",
        "extern \"C\" {\n    fn own() -> i32;\n    fn crypt_gensalt(p: *const u8, c: u64, r: *const u8, n: i32) -> *const u8;\n}\n\
         pub fn word() -> &'static str {\n    let none = unsafe { crypt_gensalt(b\"?\\0\".as_ptr(), 0, b\"\".as_ptr(), 0) };\n    \
         if none.is_null() && unsafe { own() } == 7 { \"beside\" } else { \"\" }\n}\n",
    ),
    // Links a library of a package, and one that it compiles itself.
    (
        "elsewhere/beside/build.rs",
        "use std::{env, process::Command};\nfn main() {\n    let out = env::var(\"OUT_DIR\").unwrap();\n    \
         let run = |tool: &str, arguments: &[&str]| assert!(Command::new(env::var(tool).unwrap()).current_dir(&out)\
         .args(arguments).status().unwrap().success());\n    \
         let source = format!(\"{}/own.c\", env::var(\"CARGO_MANIFEST_DIR\").unwrap());\n    \
         run(\"CC\", &[\"-c\", &source, \"-o\", \"own.o\"]);\n    run(\"AR\", &[\"crs\", \"libown.a\", \"own.o\"]);\n    \
         println!(\"cargo:rustc-link-search=native={out}\");\n    println!(\"cargo:rustc-link-lib=static=own\");\n    \
         println!(\"cargo:rustc-link-search=native=/usr/lib/x86_64-linux-gnu\");\n    \
         println!(\"cargo:rustc-link-lib=static=crypt\");\n}\n",
    ),
    ("elsewhere/beside/own.c", "int own(void) { return 7; }\n"),
    (
        "shared/second.rs",
        "fn main() {\n    println!(\"{}\", beside::word());\n}\n",
    ),
    (
        ".cargo/config.toml",
        "[build]\nrustflags = ['--cfg', 'evil']\nrustc-wrapper = '/nowhere'\n[profile.small]\ndebug-assertions = false\n",
    ),
    (
        "deploy/Image.toml",
        r#"[build]
package = "many"
features = ["loud"]
default-features = false
profile = "small"
target-cpu = "x86-64-v2"
cfg = ["special"]
host-config = "ignore"
[build.env]
TEXT = "a text"
COMMIT = { source = "commit" }
TIME = { source = "time" }
[root]
suite = "bookworm"
component = "main"
architecture = "amd64"
packages = ["gcc-12", "libc6-dev", "dash", "rustc-web", "cargo-web"]
[image]
entrypoint = ["/first"]
[[file]]
path = "/first"
binary = "first"
[[file]]
path = "/second"
binary = "second"
"#,
    ),
];

/// Replaces the source of `place`.
fn replace(place: &Place) {
    let repository = place.repository();
    for name in ["Cargo.toml", "Cargo.lock", "Image.toml", "build.rs"] {
        fs::remove_file(repository.join(name)).unwrap();
    }
    for name in ["src", "elsewhere"] {
        fs::remove_dir_all(repository.join(name)).unwrap();
    }
    for (path, text) in FILES {
        let path = repository.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    // It names the digest of the same build root, which is then not unpacked again.
    let (old, new) = (
        repository.join("Image.lock"),
        repository.join("deploy/Image.lock"),
    );
    fs::rename(old, new).unwrap();
    let programs = repository.join("crates/many/src/bin");
    fs::create_dir(&programs).unwrap();
    symlink("../../../../shared/second.rs", programs.join("second.rs")).unwrap();
}

/// The output of each program in the image of a layout, by path.
fn outputs(layout: &Path, folder: &Path) -> Vec<(String, String)> {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = &image.manifest().layers[0].digest;
    let mut outputs = Vec::new();
    oci::layer::read(layout.open_blob(layer).unwrap(), |_, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        let path = folder.join(format!("program-{}", outputs.len()));
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&path).output().unwrap();
        outputs.push(String::from_utf8(output.stdout).unwrap());
        Ok::<_, oci::Error>(())
    })
    .unwrap();
    let names = ["/first", "/second"].map(str::to_owned);
    names.into_iter().zip(outputs).collect()
}

#[test]
fn every_entry_has_its_effect() {
    let test = "every_entry_has_its_effect";
    let Some(place) = Place::open(test) else {
        return;
    };
    replace(&place);
    let deploy = place.repository().join("deploy");
    let mut lock = builder();
    lock.arg("lock")
        .arg(&deploy)
        .arg("--store")
        .arg(&place.store);
    let locked = lock.output().unwrap();
    assert!(locked.status.success(), "{}", said(&locked));
    place.commit();
    let layout = place.folder.path().join("layout");
    let mut build = builder();
    build.arg("build").arg(&deploy).arg("-o").arg(&layout);
    build.arg("--store").arg(&place.store);
    let built = build.output().unwrap();
    if is_impossible(&built, test) {
        return;
    }
    assert!(built.status.success(), "{}", said(&built));
    let ask = |format: &str| {
        let mut log = Command::new("git");
        log.arg("-C")
            .arg(place.repository())
            .args(["log", "-1", format]);
        let output = log.output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (commit, time) = (ask("--format=%H"), ask("--format=%ct"));
    let first = format!("[true, false, true, true, false, true] a text {commit} {time}\n");
    let expected = [("/first", first.as_str()), ("/second", "beside\n")];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(outputs(&layout, place.folder.path()), expected);
    let linked = |path: &str| {
        let sbom = attest::Sbom::parse(&fs::read(layout.join("sbom.cdx.json")).unwrap()).unwrap();
        let linked = sbom.linked_into(path).map(|purl| {
            let (_, rest) = purl.split_once("pkg:deb/debian/").unwrap();
            rest.split('@').next().unwrap().to_owned()
        });
        linked.collect::<Vec<_>>()
    };
    let always = ["libc6-dev", "libgcc-12-dev", "libstd-rust-web-dev"];
    assert_eq!(linked("/first"), always);
    assert_eq!(
        linked("/second"),
        [always[0], "libcrypt-dev", always[1], always[2]]
    );
    let provenance = fs::read_to_string(layout.join("provenance.json")).unwrap();
    for named in [
        "\"ignored\":[\".cargo/config.toml\"]",
        "--profile=small",
        "--features=loud",
        "\"TEXT\":\"a text\"",
    ] {
        assert!(provenance.contains(named), "{named}: {provenance}");
    }
}
