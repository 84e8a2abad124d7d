//! Every failure prints one error with one hint, has exit status 2, and leaves no files.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

mod failure;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use failure::{after, fails, fails_with, fails_with_few_files, interrupted};
use rustix::process::{Pid, Signal, kill_process};

const BUILDER: &str = env!("CARGO_BIN_EXE_builder");

/// A repository with one crate, whose lock names no package and no crate.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let script = "cp -r \"$FIXTURE\" source && cd source && git init -q && git add . && \
                      git -c user.name=a -c user.email=a@b commit -qm a";
        place.shell(script);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn shell(&self, script: &str) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(self.0.path());
        assert!(shell.env("FIXTURE", fixture).status().unwrap().success());
    }

    /// Commits what `script` changes in the source.
    fn commit(&self, script: &str) {
        self.shell(&format!("({script})"));
        self.shell("cd source && git add . && git -c user.name=a -c user.email=a@b commit -qm b");
    }

    /// Runs the builder's command `words`, which must fail. Returns its standard error.
    fn fails(&self, words: &str) -> String {
        self.fails_as(Command::new(BUILDER), words)
    }

    /// As [`Place::fails`], with exit status 1: the source is refused.
    fn refuses(&self, words: &str) -> String {
        let mut command = Command::new(BUILDER);
        command.args(words.split_whitespace());
        fails_with(1, "builder", self.within(command))
    }

    fn fails_as(&self, mut command: Command, words: &str) -> String {
        command.args(words.split_whitespace());
        fails("builder", self.within(command))
    }

    fn within(&self, mut command: Command) -> Command {
        command.current_dir(self.0.path());
        command.env_remove("CARGO_NET_OFFLINE");
        command
    }

    /// Whether there is nothing but the source and the store.
    fn is_clean(&self) -> bool {
        let names = fs::read_dir(self.0.path()).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name());
        names.all(|name| name == "source" || name == "store")
    }
}

/// Writes a lock of the files in the current folder.
const LOCK: &str = "printf 'version = 2\\nspec = \"sha256:%s\"\\ncargo_lock = \"sha256:%s\"\\nroot = \"sha256:%064d\"\\npackage = []\\ncrate = []\\n' \
    $(sha256sum Image.toml | cut -d' ' -f1) $(sha256sum Cargo.lock | cut -d' ' -f1) 0 >Image.lock && \
    printf '[index]\\ndate = \"2026-07-11T12:00:00Z\"\\nsignature = []\\n' >>Image.lock && \
    for file in release packages keyring; do \
        printf '[index.%s]\\nsha256 = \"sha256:%064d\"\\nsize = 1\\n' $file 0 >>Image.lock; \
    done";

#[test]
fn source() {
    let place = Place::new();
    let build = "build source -o layout --store store";
    // The temporary folder next to the layout is not reported as a change of the source.
    let within = place.fails("build source -o source/layout --store store");
    assert!(within.contains("Image.lock does not exist"), "{within}");
    assert!(place.fails(build).contains("Image.lock does not exist"));
    place.shell("touch source/new");
    assert!(place.fails(build).contains("uncommitted files: new"));
    place.shell("rm source/new");
    place.commit("cp source/Image.toml kept && echo nonsense >source/Image.toml");
    let said = place.fails(build);
    assert!(said.contains("parsing Image.toml: "), "{said}");
    place.commit("head -c 20000000 /dev/zero >source/Image.toml");
    let said = place.fails(build);
    assert!(said.contains("larger than any file of its kind"), "{said}");
    place.commit("mv kept source/Image.toml && echo nonsense >source/Image.lock");
    let said = place.fails(build);
    assert!(said.contains("parsing Image.lock: "), "{said}");
    place.commit(&format!("cd source && {LOCK}"));
    let said = place.fails(build);
    assert!(
        said.contains("differ from those of Cargo.lock: itoa "),
        "{said}"
    );
    place.commit("sed -i 's/^version = 2/version = 1/' source/Image.lock");
    let said = place.fails(build);
    assert!(said.contains("expected version 2, found 1"), "{said}");
    let again = "run `builder lock` in that directory again, and commit Image.lock";
    assert!(said.contains(again), "{said}");
    place.commit("mkdir source/.cargo && echo 'build.rustflags = [\"-Cpanic=abort\"]' >source/.cargo/config.toml");
    let said = place.refuses(build);
    let configured = ".cargo/config.toml sets build.rustflags = [\"-Cpanic=abort\"] (panic in a profile of Cargo.toml)";
    assert!(said.contains(configured), "{said}");
    place.commit("rm -r source/.cargo && ln -s /etc source/link");
    let said = place.refuses(build);
    assert!(
        said.contains("symbolic links lead out of the repository: "),
        "{said}"
    );
    assert!(said.contains("link -> /etc"), "{said}");
    let said = place.fails("build nowhere -o layout --store store");
    assert!(said.contains("nowhere: No such file"), "{said}");
    place.shell("rm -rf source/.git");
    let said = place.fails(build);
    let outside = "source is not in a git repository that can be read";
    assert!(said.contains(outside), "{said}");
    assert!(place.is_clean());
}

#[test]
fn archive_and_network() {
    let place = Place::new();
    // The port of the discard protocol: nothing listens there.
    let lock = "lock source --store store --archive";
    let said = place.fails(&format!("{lock} http://127.0.0.1:9"));
    assert!(said.contains("package archive"), "{said}");
    place.fails(&format!("{lock} nonsense"));
    assert!(!place.at("source/Image.lock").exists() && place.is_clean());
}

#[test]
fn registry_and_keys() {
    let place = Place::new();
    place.fails("push nowhere 127.0.0.1:9/a/b:v1 --plain-http");
    let image = format!("127.0.0.1:9/a/b@sha256:{}", "0".repeat(64));
    let said = place.fails(&format!("sign {image} --plain-http --key nowhere"));
    assert!(said.contains("hint: check the path"), "{said}");
    fs::write(place.at("store"), "no key").unwrap();
    place.fails(&format!("sign {image} --plain-http --key store"));
    let keygen = Command::new(BUILDER)
        .arg("keygen")
        .arg(place.at("key"))
        .output();
    assert!(keygen.unwrap().status.success());
    let said = place.fails(&format!("sign {image} --plain-http --key key.key"));
    assert!(said.contains("127.0.0.1:9"), "{said}");
}

#[test]
fn an_invalid_key_does_not_show_its_pin() {
    let place = Place::new();
    let image = format!("127.0.0.1:9/a/b@sha256:{}", "0".repeat(64));
    for key in failure::KEYS_WITH_PIN {
        let said = place.fails(&format!("sign {image} --plain-http --key {key}"));
        assert!(said.contains("pkcs11:"), "{said}");
        assert!(!said.contains("9317"), "{said}");
    }
    let mut misplaced = Command::new(BUILDER);
    misplaced.args(["sign", &image, failure::KEYS_WITH_PIN[0]]);
    let output = misplaced.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("error: unexpected argument"), "{said}");
    assert!(!said.contains("9317"), "{said}");
}

#[test]
fn namespaces_forbidden() {
    let forbid = "echo 0 >/proc/sys/user/max_user_namespaces";
    let builder = Command::new(BUILDER);
    let Some(builder) = after(forbid, &builder, "namespaces_forbidden") else {
        return;
    };
    let place = Place::new();
    let said = place.fails_as(builder, "build source -o layout --store store");
    assert!(said.contains("making sandbox"), "{said}");
    assert!(said.contains("max_user_namespaces"), "{said}");
    assert!(said.contains("limit on namespaces is reached"), "{said}");
    assert!(place.is_clean());
}

#[test]
fn a_signal_while_a_key_is_read() {
    let place = Place::new();
    let image = format!("127.0.0.1:9/a/b@sha256:{}", "0".repeat(64));
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut sign = Command::new(BUILDER);
        sign.current_dir(place.0.path());
        sign.args(["sign", &image, "--plain-http", "--key", "pipe"]);
        let said = interrupted(sign, signal, &place.at("pipe"));
        assert!(said.contains("interrupted"), "{said}");
    }
}

#[test]
fn an_ignored_sighup_does_not_end_the_program() {
    let place = Place::new();
    place.shell("mkfifo pipe");
    let image = format!("127.0.0.1:9/a/b@sha256:{}", "0".repeat(64));
    let mut sign = Command::new("sh");
    sign.args([
        "-c",
        "trap '' HUP; exec \"$@\"",
        "-",
        BUILDER,
        "sign",
        &image,
    ]);
    sign.args(["--plain-http", "--key", "pipe"]);
    sign.current_dir(place.0.path()).stderr(Stdio::piped());
    let child = sign.spawn().unwrap();
    let mut writer = fs::File::options()
        .write(true)
        .open(place.at("pipe"))
        .unwrap();
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    writer.write_all(b"nonsense").unwrap();
    drop(writer);
    let said = child.wait_with_output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("PEM"), "{said}");
}

#[test]
fn a_pipe_in_a_layout() {
    let place = Place::new();
    place.shell("mkdir -p store/blobs/sha256 && mkfifo store/oci-layout");
    let said = place.fails("push store 127.0.0.1:9/a/b:v1 --plain-http");
    assert!(said.contains("not a regular file"), "{said}");
    place.shell(
        "rm store/oci-layout && echo '{\"imageLayoutVersion\":\"1.0.0\"}' >store/oci-layout && \
         mkfifo store/index.json",
    );
    let said = place.fails("push store 127.0.0.1:9/a/b:v1 --plain-http");
    assert!(said.contains("not a regular file"), "{said}");
}

/// The full disk is a small one, which is mounted in a user namespace.
#[test]
fn full_disk() {
    let fill = "mount -t tmpfs -o size=64k none store && cat /dev/zero >store/filled";
    let Some(builder) = after(fill, &Command::new(BUILDER), "full_disk") else {
        return;
    };
    let place = Place::new();
    fs::create_dir(place.at("store")).unwrap();
    place.commit(&format!(
        "cd source && echo 'version = 4' >Cargo.lock && {LOCK}"
    ));
    let said = place.fails_as(builder, "build source -o layout --store store");
    assert!(said.contains("the disk is full"), "{said}");
    assert!(place.is_clean());
}

/// Programs of the build root cannot be run there.
#[test]
fn store_without_programs() {
    let mount = "mount -t tmpfs -o noexec none store";
    let Some(builder) = after(mount, &Command::new(BUILDER), "store_without_programs") else {
        return;
    };
    let place = Place::new();
    fs::create_dir(place.at("store")).unwrap();
    let said = place.fails_as(builder, "build source -o layout --store store");
    assert!(said.contains("mounted noexec"), "{said}");
    assert!(said.contains("--store"), "{said}");
    assert!(place.is_clean());
}

#[test]
fn pruning() {
    let place = Place::new();
    let said = place.fails("store prune --store nowhere");
    assert!(said.contains("using store"), "{said}");
    assert!(!place.at("nowhere").exists());
}

#[test]
fn few_open_files() {
    let mut keygen = Command::new(BUILDER);
    keygen.args(["keygen", "/nowhere/key"]);
    fails_with_few_files("builder", &keygen);
}
