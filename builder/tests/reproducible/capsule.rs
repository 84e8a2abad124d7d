//! A capsule has all inputs of a lock: a build from it needs no network, no cargo and no apt.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use builder::lock::Lock;
use content::Digest;

use super::https::{Answer, HOST, Server};
use super::repositories::{Repositories, use_words};
use super::*;

/// No process listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A program with inputs of each kind, which was built, and its capsule.
struct Packed {
    place: Place,
    made: Repositories,
    lock: Lock,
    layout: PathBuf,
    /// The digest of the image.
    image: String,
    capsule: PathBuf,
}

impl Packed {
    fn make(test: &str) -> Option<Self> {
        let place = Place::open(test)?;
        let made = Repositories::make(place.folder.path());
        use_words(&place, &made.commit);
        let bytes = archive();
        let spec = place.repository().join("Image.toml");
        let text = fs::read_to_string(&spec).unwrap();
        let sha256 = Digest::of(&bytes).hex();
        let entry = format!(
            "\n[[archive]]\nurl = \"https://{HOST}/data.tar\"\nsha256 = \"{sha256}\"\npath = \"/opt/data\"\n"
        );
        fs::write(&spec, text + &entry).unwrap();
        let server = Server::start(place.folder.path(), move |_| Answer::Bytes(bytes.clone()));
        let mut lock = place.command("lock");
        server.lead(&mut lock);
        let locked = lock
            .env("GIT_CONFIG_GLOBAL", &made.configuration)
            .output()
            .unwrap();
        assert!(locked.status.success(), "{}", said(&locked));
        let text = fs::read_to_string(place.repository().join("Image.lock")).unwrap();
        place.commit();
        let layout = place.folder.path().join("layout");
        let built = place
            .build(&layout)
            .env("GIT_CONFIG_GLOBAL", &made.configuration)
            .output()
            .unwrap();
        if is_impossible(&built, test) {
            return None;
        }
        assert!(built.status.success(), "{}", said(&built));
        Some(Self {
            capsule: place.folder.path().join("inputs.capsule"),
            image: String::from_utf8(built.stdout).unwrap(),
            lock: Lock::parse(&text).unwrap(),
            layout,
            made,
            place,
        })
    }

    /// Runs `capsule`. Returns what it prints.
    fn pack(&self, words: &[&str]) -> String {
        let mut pack = self.place.command("capsule");
        pack.args(words).current_dir(self.place.folder.path());
        pack.env("GIT_CONFIG_GLOBAL", &self.made.configuration);
        let packed = pack.output().unwrap();
        assert!(packed.status.success(), "{}", said(&packed));
        String::from_utf8(packed.stdout).unwrap()
    }

    /// Builds from a capsule with an empty store, and nothing but git and gpgv.
    fn build_poorly(&self, capsule: &str) -> Output {
        let poor = tempfile::tempdir().unwrap();
        let at = |name: &str| poor.path().join(name);
        fs::create_dir(at("bin")).unwrap();
        for program in ["git", "gpgv"] {
            symlink(found(program), at("bin").join(program)).unwrap();
        }
        let mut build = Command::new(env!("CARGO_BIN_EXE_builder"));
        build
            .env_clear()
            .env("PATH", at("bin"))
            .env("HOME", poor.path());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "COUNTERSIGN_ARCHIVE"] {
            build.env(name, NOWHERE);
        }
        build.arg("build").arg(self.place.repository());
        build.args(["--source-uri", "git+https://source.example/probe"]);
        build
            .arg("-o")
            .arg(at("layout"))
            .arg("--store")
            .arg(at("store"));
        let built = build.args(["--capsule", capsule]).output().unwrap();
        if built.status.success() {
            let checks = fs::read_to_string(at("layout/checks.json")).unwrap();
            assert!(checks.contains("built from the capsule"), "{checks}");
            assert_eq!(fs::read_dir(at("store/coming")).unwrap().count(), 0);
        } else {
            assert!(!at("layout").exists());
        }
        built
    }
}

impl Place {
    fn command(&self, action: &str) -> Command {
        let mut command = builder();
        command.arg(action).arg(self.repository());
        command.arg("--store").arg(&self.store);
        command
    }
}

fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut folders = std::env::split_paths(&path);
    let found = folders.find_map(|folder| {
        let path = folder.join(program);
        path.is_file().then_some(path)
    });
    found.unwrap()
}

/// An archive of one file.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    header.set_mode(0o644);
    archive
        .append_data(&mut header, "data/text", &b"hello"[..])
        .unwrap();
    archive.into_inner().unwrap()
}

/// Where each input ends in a capsule, by the digest in hex: also those in an archive in it.
fn ends(capsule: &Path) -> BTreeMap<String, u64> {
    let files = |start: u64, length: u64| {
        let mut files = Vec::new();
        let mut whole = File::open(capsule).unwrap();
        std::io::Seek::seek(&mut whole, std::io::SeekFrom::Start(start)).unwrap();
        let mut archive = tar::Archive::new(std::io::Read::take(whole, length));
        for entry in archive.entries().unwrap() {
            let Ok(entry) = entry else {
                // It is no archive.
                break;
            };
            let name = entry.path().unwrap().file_name().unwrap().to_owned();
            let place = start + entry.raw_file_position();
            files.push((name.into_string().unwrap(), place, entry.size()));
        }
        files
    };
    let length = fs::metadata(capsule).unwrap().len();
    let mut ends = BTreeMap::new();
    for (name, place, size) in files(0, length) {
        for (inner, place, size) in files(place, size) {
            ends.insert(inner, place + size);
        }
        ends.insert(name, place + size);
    }
    ends
}

/// Changes the byte before `end`, and returns what was there.
fn break_byte(capsule: &Path, end: u64) -> u8 {
    let file = File::options()
        .read(true)
        .write(true)
        .open(capsule)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, end - 1).unwrap();
    file.write_all_at(&[byte[0] ^ 1], end - 1).unwrap();
    byte[0]
}

#[test]
fn a_capsule_replaces_every_registry() {
    let test = "a_capsule_replaces_every_registry";
    let Some(packed) = Packed::make(test) else {
        return;
    };
    let printed = packed.pack(&["-o", "inputs.capsule"]);
    let again = packed.pack(&["-o", "again"]);
    assert!(
        printed.starts_with("sha256:") && printed == again,
        "{printed}{again}"
    );
    let again = packed.place.folder.path().join("again");
    assert!(fs::read(&packed.capsule).unwrap() == fs::read(&again).unwrap());

    let capsule = packed.capsule.to_str().unwrap();
    let built = packed.build_poorly(capsule);
    assert!(built.status.success(), "{}", said(&built));
    assert_eq!(String::from_utf8_lossy(&built.stdout), packed.image);
    assert!(!said(&built).contains("fetching"), "{}", said(&built));

    let ends = ends(&packed.capsule);
    let (package, one) = (&packed.lock.packages[7], &packed.lock.crates()[0]);
    let content = Digest::of(b"of a file beside the crates");
    let archive = packed.lock.archives[0].sha256;
    for (digest, name) in [
        (
            packed.lock.indexes.0[0].release.sha256,
            "index file InRelease bookworm".to_owned(),
        ),
        (
            package.sha256,
            format!("package {} {}", package.name, package.version),
        ),
        (archive, format!("archive https://{HOST}/data.tar")),
        (one.sha256, format!("crate {} {}", one.name, one.version)),
        (content, "https://source.example/words at".to_owned()),
    ] {
        let end = ends[&digest.hex()];
        break_byte(&packed.capsule, end);
        let refused = packed.build_poorly(capsule);
        assert_eq!(refused.status.code(), Some(2), "{name}: {}", said(&refused));
        let start = format!("builder: error: reading capsule {capsule}: ");
        let message = said(&refused);
        let message = message.lines().find(|line| line.starts_with(&start));
        assert!(
            message.is_some_and(|line| line.contains(&name)),
            "{name}: {}",
            said(&refused)
        );
        break_byte(&packed.capsule, end);
    }
}

#[test]
fn a_capsule_in_a_registry_is_used_by_digest() {
    let test = "a_capsule_in_a_registry_is_used_by_digest";
    let Some(server) = server::Server::start(test, "") else {
        return;
    };
    let Some(packed) = Packed::make(test) else {
        return;
    };
    let repository = server.repository("some/image").to_string();
    let mut push = builder();
    push.arg("push")
        .arg(&packed.layout)
        .arg(format!("{repository}:v1"));
    let pushed = push.output().unwrap();
    assert!(pushed.status.success(), "{}", said(&pushed));
    let image = String::from_utf8(pushed.stdout).unwrap();

    let printed = packed.pack(&[
        "--push",
        &format!("{repository}:inputs"),
        "-o",
        "inputs.capsule",
    ]);
    let (digest, reference) = printed.trim().split_once('\n').unwrap();
    assert_eq!(reference, format!("{repository}@{digest}"));
    let attached = packed.pack(&["--attach", image.trim()]);
    assert!(
        attached.starts_with(&format!("{repository}@sha256:")),
        "{attached}"
    );
    assert_ne!(attached.trim(), reference);
    for capsule in [reference, attached.trim()] {
        let built = packed.build_poorly(capsule);
        assert!(built.status.success(), "{}", said(&built));
        assert_eq!(String::from_utf8_lossy(&built.stdout), packed.image);
    }
    let refused = packed.build_poorly(image.trim());
    let reason = "expected application/vnd.countersign.capsule.v1, found an image";
    assert!(said(&refused).contains(reason), "{}", said(&refused));
}
