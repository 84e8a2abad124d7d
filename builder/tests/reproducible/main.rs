//! The same commit and lock give the same bytes, for every user, machine and folder. The program that is built contains
//! everything that its build script can see of its environment, so every difference changes the digest.
//!
//! The first run needs the network, for the compiler's packages; they are kept below `target/tmp`.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod capsule;
mod entries;
mod folders;
mod refused;
mod repositories;

#[path = "../https/mod.rs"]
mod https;
#[path = "../../../crates/remote/tests/server/mod.rs"]
#[allow(dead_code, reason = "not every test asks for everything")]
mod server;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use folders::{NOBODY, copy, give_away, readable, relative};
use rustix::process::{Pid, Signal, kill_process};

fn builder() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
    command.env_remove("XDG_CACHE_HOME").stdin(Stdio::null());
    command
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        said(&output)
    );
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The tests share a store, and one of them checks what is left in it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// The fixture's `Image.lock`, or why there is none.
static LOCK: OnceLock<Result<String, String>> = OnceLock::new();

/// A repository of the fixture with its lock, and the store with all inputs.
struct Place {
    _turn: MutexGuard<'static, ()>,
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Place {
    /// `None` if this machine cannot build; then the test is skipped.
    fn open(test: &str) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let place = Self {
            _turn: turn,
            folder,
            store: Path::new(env!("CARGO_TARGET_TMPDIR")).join("store"),
        };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
        copy(&fixture, &place.repository());
        match LOCK.get_or_init(|| place.lock()) {
            Ok(lock) => fs::write(place.repository().join("Image.lock"), lock).unwrap(),
            Err(reason) => {
                testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
                return None;
            }
        }
        git(&place.repository(), &["init", "--quiet"]);
        place.commit();
        Some(place)
    }

    /// The text of the lock; the error is the reason why this machine cannot make one.
    fn lock(&self) -> Result<String, String> {
        let mut lock = builder();
        lock.arg("lock")
            .arg(self.repository())
            .arg("--store")
            .arg(&self.store);
        let locked = lock.output().unwrap();
        if locked.status.success() {
            return Ok(fs::read_to_string(self.repository().join("Image.lock")).unwrap());
        }
        let reason = said(&locked);
        let unreachable = ["package archive", "cargo fetch"]
            .iter()
            .any(|why| reason.contains(why));
        assert!(unreachable, "{reason}");
        Err(reason)
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("one")
    }

    fn commit(&self) {
        git(&self.repository(), &["add", "--all"]);
        git(
            &self.repository(),
            &["commit", "--quiet", "--message", "one"],
        );
    }

    fn build(&self, layout: &Path) -> Command {
        let mut command = builder();
        command
            .arg("build")
            .arg(self.repository())
            .arg("-o")
            .arg(layout);
        command.args(["--source-uri", "git+https://source.example/probe"]);
        command.arg("--store").arg(&self.store);
        command
    }

    /// The same commit in another folder, and a store; owned by the user `nobody` if this process is root.
    fn elsewhere(&self) -> (PathBuf, PathBuf) {
        let other = self.folder.path().join("another place/with a longer name");
        copy(&self.repository(), &other.join("two"));
        let store = other.join("store");
        fs::create_dir_all(store.join("coming")).unwrap();
        for shared in ["crates", "packages", "indices", "roots"] {
            symlink(self.store.join(shared), store.join(shared)).unwrap();
        }
        if can_be_another() {
            readable(&self.store.join("crates"));
            readable(&self.store.join("packages"));
            readable(&self.store.join("indices"));
            give_away(&other);
        }
        (other.join("two"), store)
    }
}

/// Whether this process may run the builder as another user.
fn can_be_another() -> bool {
    let is_open = |folder: &Path| {
        let metadata = fs::metadata(folder);
        metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    };
    rustix::process::geteuid().is_root()
        && Path::new(env!("CARGO_BIN_EXE_builder"))
            .ancestors()
            .all(is_open)
}

/// Whether the build failed because there are no namespaces; then the test is skipped.
fn is_impossible(output: &Output, test: &str) -> bool {
    let reason = said(output);
    let impossible = reason.contains("making sandbox: ");
    if impossible {
        testkit::skip(
            test,
            format_args!("no namespaces on this machine: {reason}"),
        );
    }
    impossible
}

#[test]
fn different_users_and_folders_give_one_digest() {
    let test = "different_users_and_folders_give_one_digest";
    let Some(place) = Place::open(test) else {
        return;
    };
    let first = place.folder.path().join("layout");
    let one = place
        .build(&first)
        .args(["--jobs", "1"])
        .env("TZ", "UTC")
        .output()
        .unwrap();
    if is_impossible(&one, test) {
        return;
    }
    assert!(one.status.success(), "{}", said(&one));

    let (repository, store) = place.elsewhere();
    let second = repository.with_file_name("layout");
    let mut other = with_other_habits(&repository, &second, &store);
    if can_be_another() {
        other.uid(NOBODY).gid(NOBODY);
    } else {
        let reason = "not root, or the target folder is closed to others";
        testkit::leave_out(&format!("{test} as another user"), reason);
    }
    let two = other.output().unwrap();
    assert!(two.status.success(), "{}", said(&two));

    assert_eq!(
        String::from_utf8_lossy(&one.stdout),
        String::from_utf8_lossy(&two.stdout)
    );
    // The checks depend on the machine: with another home there may be no cargo.
    for layout in [&first, &second] {
        fs::remove_file(layout.join("checks.json")).unwrap();
    }
    assert_eq!(relative(&first), relative(&second));
    let bill = attest::Sbom::parse(&fs::read(first.join("sbom.cdx.json")).unwrap()).unwrap();
    let crates: Vec<_> = bill.crates().map(|one| one.name.as_str()).collect();
    assert_eq!(crates, ["itoa", "probe"]);
    let spdx = sbom::parse(&fs::read(first.join(attest::Sbom::SPDX_FILE)).unwrap()).unwrap();
    let crates = spdx
        .components
        .iter()
        .filter_map(sbom::Component::named_crate);
    let mut crates: Vec<_> = crates.collect();
    crates.sort();
    assert_eq!(in_program(&first), crates);
    assert_eq!(fs::read_dir(store.join("coming")).unwrap().count(), 0);
}

/// The crates that the program of an image lists.
fn in_program(layout: &Path) -> Vec<sbom::Crate> {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = layout
        .open_blob(&image.manifest().layers[0].digest)
        .unwrap();
    let mut crates = Vec::new();
    oci::layer::read(layer, |_, content| -> Result<(), oci::Error> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        crates.extend(sbom::linked(&bytes).unwrap().unwrap_or_default());
        Ok(())
    })
    .unwrap();
    crates
}

/// A build with another umask, time zone, language, environment, home and current folder.
fn with_other_habits(repository: &Path, layout: &Path, store: &Path) -> Command {
    let mut other = Command::new("/bin/sh");
    other.args([
        "-c",
        "umask 077; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_builder"),
        "build",
    ]);
    other
        .arg(repository)
        .arg("-o")
        .arg(layout)
        .arg("--store")
        .arg(store);
    other.args([
        "--source-uri",
        "git+https://source.example/probe",
        "--jobs",
        "3",
    ]);
    other.env_clear().envs([
        ("TZ", "Asia/Tokyo"),
        ("LANG", "tr_TR.UTF-8"),
        ("CFLAGS", "-g"),
        ("RUSTFLAGS", "-g"),
    ]);
    other
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", repository.parent().unwrap());
    other.current_dir("/");
    other
}

/// Processes whose command line has `word` in it.
fn processes(word: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(word))
        .count()
}

fn is_soon(condition: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn an_interrupted_build_leaves_no_process() {
    let test = "an_interrupted_build_leaves_no_process";
    let Some(place) = Place::open(test) else {
        return;
    };
    let name = format!("probe{}", std::process::id());
    let endless = "fn main() { loop { std::thread::park() } }\n";
    fs::write(place.repository().join("build.rs"), endless).unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "Image.toml"] {
        let path = place.repository().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"probe\"", &format!("{name:?}"))).unwrap();
    }
    place.lock().unwrap();
    place.commit();
    let layout = place.folder.path().join("layout");
    for (signal, code) in [
        (Signal::KILL, None),
        (Signal::TERM, Some(2)),
        (Signal::INT, Some(2)),
        (Signal::HUP, Some(2)),
    ] {
        let mut build = place
            .build(&layout)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(build.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let started = lines
            .find(|line| line.contains(&format!("Compiling {name}")) || line.contains("error"));
        if started.is_none_or(|line| line.contains("making sandbox")) {
            testkit::skip(test, "no namespaces on this machine");
            build.wait().unwrap();
            return;
        }
        let script = format!("/build/target/release/build/{name}");
        assert!(
            is_soon(|| processes(&script) == 1),
            "the build script never ran"
        );
        kill_process(Pid::from_child(&build), signal).unwrap();
        let ended = build.wait().unwrap();
        assert_eq!(ended.code(), code, "{signal:?}");
        assert!(
            is_soon(|| processes(&name) == 0),
            "{signal:?} left something running"
        );
        assert!(!layout.exists());
    }
    // The interrupted builds have removed their temporary files, and those of the killed build.
    let coming = fs::read_dir(place.store.join("coming")).unwrap();
    let left: Vec<_> = coming.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
