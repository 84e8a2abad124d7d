//! What the programs print: the help of each command, a success and a refusal, in
//! `ceremony/tests/transcripts`. `just golden` rewrites them. Standard output is unchanged, lines of
//! standard error begin with `! `, and the exit status comes last. The successes of commands that compile
//! or launch are one transcript, of one small program; `attacks.rs` compares the ceremony's own.
//!
//! The first run needs the network, for the compiler's packages; they are kept below `target/tmp`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../src/cloud.rs"]
#[allow(dead_code, reason = "only the ceremony uses all of it")]
mod cloud;
#[path = "../src/error.rs"]
#[allow(dead_code, reason = "only the ceremony has all of these errors")]
mod error;
#[allow(dead_code, reason = "only other tests use all of it")]
mod rehearsal;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use console::process::Network;
use error::Error;
use rehearsal::sending::TOPIC;
use rehearsal::{Rehearsal, Release, program};
use rustix::process::{Pid, Signal, kill_process};
use signature::PublicKey;

/// Commands by file. Words in capitals replace text that differs between runs.
const SESSIONS: [(&str, &[&str]); 22] = [
    (
        "builder-init",
        &["builder init --help", "builder init layout"],
    ),
    (
        "builder-lock",
        &["builder lock --help", "builder lock nothing"],
    ),
    (
        "builder-build",
        &["builder build --help", "builder build nothing -o out"],
    ),
    (
        "builder-digest",
        &["builder digest --help", "builder digest nothing"],
    ),
    (
        "builder-keygen",
        &[
            "builder keygen --help",
            "builder keygen mine",
            "builder keygen mine --algorithm ed25519",
        ],
    ),
    (
        "builder-key",
        &[
            "builder key --help",
            "builder key builder.pub",
            "builder key builder.toml",
        ],
    ),
    (
        "builder-publish",
        &[
            "builder publish --help",
            "builder publish layout REGISTRY/builder/app:v3 --key builder.key --plain-http",
            "builder publish nothing REGISTRY/builder/app:v3 --key builder.key --plain-http",
        ],
    ),
    (
        "builder-deploy",
        &[
            "builder deploy --help",
            "builder deploy REGISTRY/builder/app@DIGEST --project operator --zone us-central1-a \
             --service-account runner@operator.iam.gserviceaccount.com --plain-http",
            "builder deploy REGISTRY/builder/app@DIGEST --project operator --zone us-central1-a \
             --service-account runner@operator.iam.gserviceaccount.com --cmd [\"--leak\"] --plain-http",
        ],
    ),
    (
        "builder-push",
        &[
            "builder push --help",
            "builder push layout REGISTRY/builder/app:v2 --plain-http",
            "builder push nothing REGISTRY/builder/app:v2 --plain-http",
        ],
    ),
    (
        "builder-sign",
        &[
            "builder sign --help",
            "builder sign REGISTRY/builder/app@DIGEST --key builder.key --plain-http",
            "builder sign REGISTRY/builder/app@DIGEST --key builder.pub --plain-http",
        ],
    ),
    (
        "builder-attest",
        &[
            "builder attest --help",
            "builder attest REGISTRY/builder/app@DIGEST --type cyclonedx \
             --predicate layout/sbom.cdx.json --key builder.key --plain-http",
            "builder attest REGISTRY/builder/app@DIGEST --type cyclonedx \
             --predicate layout/provenance.json --key builder.key --plain-http",
        ],
    ),
    (
        "builder-store-prune",
        &[
            "builder store prune --help",
            "builder store prune --store store",
            "builder store prune --store builder.key",
        ],
    ),
    (
        "verifier-verify",
        &[
            "verifier verify --help",
            "verifier verify REGISTRY/builder/app:v1 --policy builder.toml --plain-http",
            "verifier verify REGISTRY/builder/app:v1 --policy both.toml --plain-http",
            "verifier verify REGISTRY/builder/app:v1 --policy builder.toml --plain-http --signatures-only",
            "verifier verify REGISTRY/builder/app:v1 --policy both.toml --plain-http --signatures-only",
        ],
    ),
    (
        "verifier-countersign",
        &[
            "verifier authorize REGISTRY/builder/app@DIGEST --policy builder.toml --plain-http \
             --grant grant.toml --kms-endpoint KMS --apply",
            "verifier countersign --help",
            "verifier countersign REGISTRY/builder/app@DIGEST --policy both.toml --plain-http \
             --key SIGNING-KEY --kms-endpoint KMS",
            "verifier countersign REGISTRY/builder/app@DIGEST --policy builder.toml --plain-http \
             --key SIGNING-KEY --kms-endpoint KMS",
        ],
    ),
    (
        "verifier-authorize",
        &[
            "verifier authorize --help",
            "verifier authorize REGISTRY/builder/app@DIGEST --policy builder.toml --plain-http \
             --grant grant.toml --kms-endpoint KMS --apply",
        ],
    ),
    (
        "client-publish",
        &[
            "client publish --help",
            "client publish --grant sending.toml --digest REGISTRY/builder/app@DIGEST --topic TOPIC \
             --collaborator collaborator --message first --kms-endpoint KMS --iam-endpoint IAM \
             --pubsub-endpoint PUBSUB --resource-manager-endpoint RESOURCES builder.pub",
            "client publish --grant sending.toml --digest NEWER --topic TOPIC \
             --collaborator collaborator --message first --kms-endpoint KMS --iam-endpoint IAM \
             --pubsub-endpoint PUBSUB --resource-manager-endpoint RESOURCES builder.pub",
            "client publish --grant sending.toml --digest REGISTRY/builder/app:v1 --topic TOPIC \
             --collaborator collaborator builder.pub",
            "client publish --grant grant.toml --digest DIGEST --topic TOPIC \
             --collaborator collaborator builder.pub",
        ],
    ),
    (
        "verifier-revoke",
        &[
            "verifier revoke --help",
            "verifier revoke REGISTRY/builder/app@DIGEST --grant grant.toml --kms-endpoint KMS --apply",
            "verifier revoke REGISTRY/builder/app@DIGEST --grant owner.toml",
        ],
    ),
    (
        "verifier-rebuild",
        &[
            "verifier rebuild --help",
            "verifier rebuild REGISTRY/builder/app@DIGEST --source nothing -o out --plain-http",
        ],
    ),
    (
        "verifier-check-bundle",
        &[
            "verifier check bundle --help",
            "verifier check bundle --bundle both.toml --key builder.pub both.toml",
            "verifier check bundle --bundle nothing --key builder.pub both.toml",
        ],
    ),
    (
        "verifier-check",
        &[
            "verifier check --help",
            "verifier check signature --help",
            "verifier check signature --key builder.pub --signature builder.pub builder.toml",
            "verifier check envelope --help",
            "verifier check envelope --key builder.pub builder.toml",
            "verifier check envelope --key builder.toml builder.pub",
        ],
    ),
    (
        "emulator-launch",
        &[
            "emulator launch --help",
            "emulator launch REGISTRY/builder/none:v1 --attestation KMS --project operator --plain-http",
        ],
    ),
    (
        "ceremony",
        &["ceremony --help", "ceremony --attack bribery"],
    ),
];

const LOCK: &str = "builder lock source --store STORE";

/// What follows on [`LOCK`] and a commit.
const BUILDING: [&str; 5] = [
    "builder build source -o hello --store STORE",
    "builder digest source --store STORE --json",
    "builder push hello REGISTRY/builder/hello:v1 --plain-http",
    "verifier rebuild REGISTRY/builder/hello:v1 --source source --directory . -o rebuilt \
     --plain-http --store STORE",
    "emulator launch REGISTRY/builder/hello:v1 --attestation ATTESTATION --project collaborator \
     --image-family debug --plain-http",
];

struct Session<'a> {
    folder: PathBuf,
    /// Each word in capitals, and the text that it replaces.
    names: Vec<(String, String)>,
    release: Release<'a>,
}

impl<'a> Session<'a> {
    fn new(rehearsal: &'a Rehearsal) -> Self {
        let release = rehearsal.publish("app");
        let folder = rehearsal.folder();
        std::fs::rename(release.policy(&["builder"]), folder.join("builder.toml")).unwrap();
        let both = release.policy(&["builder", "collaborator"]);
        std::fs::rename(both, folder.join("both.toml")).unwrap();
        std::fs::create_dir(folder.join("store")).unwrap();
        let grant = std::fs::read_to_string(release.grant()).unwrap();
        std::fs::write(folder.join("grant.toml"), &grant).unwrap();
        let owner = grant.replace(cloud::DECRYPTER, "roles/owner");
        std::fs::write(folder.join("owner.toml"), owner).unwrap();
        release.create_topic();
        release.set_key_policy(&serde_json::json!([]));
        let pool = release.pool_named("confidential-space");
        let sending = release.grant_to(&pool);
        release.create_provider(&pool, "attest", &release.provider_of(&sending));
        std::fs::rename(sending, folder.join("sending.toml")).unwrap();
        let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut names = vec![
            named("REGISTRY", &rehearsal.proxy.registry),
            named("KMS", &rehearsal.proxy.kms),
            named("IAM", rehearsal.iam()),
            named("PUBSUB", rehearsal.pubsub()),
            named("RESOURCES", rehearsal.resource_manager()),
            named("TOPIC", TOPIC),
            named("NEWER", &content::Digest::of(b"newer").to_string()),
            named("SIGNING-KEY", &rehearsal.signing_key()),
            named("ATTESTATION", rehearsal.attestation()),
            named("STORE", concat!(env!("CARGO_TARGET_TMPDIR"), "/store")),
            named("DIGEST", release.reference().split_once('@').unwrap().1),
            named("FOLDER", folder.to_str().unwrap()),
        ];
        names.push(named(
            "FOLDER",
            std::fs::canonicalize(folder).unwrap().to_str().unwrap(),
        ));
        Self {
            folder: folder.to_owned(),
            names,
            release,
        }
    }

    /// A command with the environment of the test.
    fn inheriting(&self, line: &str) -> Command {
        let mut words = line.split_whitespace().map(|word| {
            let replace = |word: String, (name, text): &(String, String)| word.replace(name, text);
            self.names.iter().fold(word.to_owned(), replace)
        });
        let mut command = program(&words.next().unwrap());
        command.args(words).current_dir(&self.folder);
        command
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.inheriting(line);
        command.env_clear().env("HOME", &self.folder);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let credentials = self.release.credentials();
        command.env("GOOGLE_APPLICATION_CREDENTIALS", credentials);
        command
    }

    /// The text with a word in capitals for all that differs from run to run.
    fn normal(&self, text: &str) -> String {
        let mut text = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (name, found)| {
                text.replace(found.as_str(), name)
            });
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "pub") {
                let key = PublicKey::from_pem(&std::fs::read_to_string(&path).unwrap()).unwrap();
                let name = path.file_stem().unwrap().to_str().unwrap();
                text = text.replace(
                    &key.key_id().hex(),
                    &format!("KEY-ID-OF-{}", name.to_uppercase()),
                );
            }
        }
        let text = timeless(&text);
        let text = without(&text, "127.0.0.1:", "PORT", |c| c.is_ascii_digit());
        let text = without(&text, "published to TOPIC as ", "ID", |c| {
            c.is_ascii_digit()
        });
        // Signatures and the digests of their manifests differ each time.
        without(&text, "referrer sha256:", "REFERRER", |c| {
            c.is_ascii_hexdigit()
        })
    }

    fn record(&self, line: &str, output: &Output) -> String {
        let mut text = format!("$ {line}\n");
        text += &self.normal(std::str::from_utf8(&output.stdout).unwrap());
        for said in self
            .normal(std::str::from_utf8(&output.stderr).unwrap())
            .lines()
        {
            writeln!(text, "{}", format!("! {said}").trim_end()).unwrap();
        }
        let status = output.status.code().unwrap();
        writeln!(text, "exit status {status}\n").unwrap();
        text
    }

    fn run(&self, line: &str) -> String {
        self.record(line, &self.command(line).output().unwrap())
    }

    /// Interrupts the command once it has printed a line.
    fn interrupt(&self, line: &str) -> String {
        let mut command = self.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let mut output = child.wait_with_output().unwrap();
        output.stdout = first.into_bytes();
        stdout.read_to_end(&mut output.stdout).unwrap();
        self.record(line, &output)
    }
}

/// The text with `name` for the characters that follow each `start`, as far as they are of this kind.
fn without(text: &str, start: &str, name: &str, is_kind: fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        normal += start;
        normal += name;
        normal += part.trim_start_matches(is_kind);
    }
    normal
}

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    folder.join(format!("{name}.txt"))
}

#[test]
fn every_command() {
    let rehearsal = Rehearsal::new();
    let session = Session::new(&rehearsal);
    for (name, lines) in SESSIONS {
        let text: String = lines.iter().map(|line| session.run(line)).collect();
        testkit::golden(&golden(name), text.as_bytes());
    }
    let serve = [
        session.run("emulator serve --help"),
        session.interrupt("emulator serve --project operator --state operator"),
        session.run("emulator serve --project Operator"),
    ];
    testkit::golden(&golden("emulator-serve"), serve.concat().as_bytes());
}

#[test]
fn from_source_to_launch() {
    let rehearsal = Rehearsal::new();
    let session = Session::new(&rehearsal);
    write_source(&session.folder);
    let locked = session.inheriting(LOCK).output().unwrap();
    if let Some(reason) = impossible(&locked) {
        return testkit::skip("from_source_to_launch", reason);
    }
    let mut text = session.record(LOCK, &locked);
    git(&session.folder, &["add", "--all"]);
    git(&session.folder, &["commit", "--quiet", "--message=one"]);
    for line in BUILDING {
        let output = session.inheriting(line).output().unwrap();
        if let Some(reason) = impossible(&output) {
            return testkit::skip("from_source_to_launch", reason);
        }
        text += &session.record(line, &output);
    }
    let text = of_any_build(&text);
    testkit::golden(&golden("from-source-to-launch"), text.as_bytes());
}

/// A repository with a small program in the folder.
fn write_source(folder: &Path) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rehearsal/hello");
    let source = folder.join("source");
    let mut copy = Command::new("cp");
    copy.arg("-r").args([&fixture, &source]);
    assert!(copy.status().unwrap().success());
    git(folder, &["init", "--quiet"]);
}

fn git(folder: &Path, words: &[&str]) {
    let mut git = console::git::command(Network::Forbidden);
    git.arg("-C").arg(folder.join("source"));
    git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    assert!(git.args(words).status().unwrap().success(), "{words:?}");
}

/// The text without what differs with the packages that archive and store have, and with the machine's speed.
fn of_any_build(text: &str) -> String {
    let text = without_fetching(text);
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let text = without(&text, "sha256:", "HEX", is_hex);
    let text = without(&text, "\"commit\":\"", "COMMIT", is_hex);
    let text = without(&text, " commit ", "COMMIT", is_hex);
    let text = without(&text, "check out ", "COMMIT", is_hex);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let text = without(&text, "target(s) in ", "TIME", is_number);
    without(&text, "\"seconds\":", "SECONDS", is_number)
}

/// The text without the steps that fetch and unpack what the store does not have. The others are numbered anew.
fn without_fetching(text: &str) -> String {
    let (mut numbers, mut count) = (BTreeMap::new(), 0);
    let mut left = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("$ ") {
            (numbers, count) = (BTreeMap::new(), 0);
        }
        let step = line
            .strip_prefix("! #")
            .and_then(|step| step.split_once(' '));
        let Some((number, said)) = step else {
            left += line;
            continue;
        };
        let number = numbers.entry(number).or_insert_with(|| {
            let is_kept = !said.starts_with("fetch ") && !said.starts_with("unpack ");
            count += usize::from(is_kept);
            is_kept.then_some(count)
        });
        // How many bytes there are differs with compiler and archive.
        if let Some(number) = number
            && !said.trim_end().ends_with('B')
        {
            write!(left, "! #{number} {said}").unwrap();
        }
    }
    left
}

/// The text in which no step says how long it took.
fn timeless(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let ended = line
            .strip_prefix('#')
            .and_then(|step| step.rsplit_once(' '));
        match ended {
            Some((step, _)) if step.ends_with(" done") || step.ends_with(" failed") => {
                format!("#{step} TIME")
            }
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Why this machine cannot build, if it cannot.
fn impossible(output: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let known = ["package archive", "cargo fetch", "making sandbox: "];
    let impossible = !output.status.success() && known.iter().any(|why| said.contains(why));
    impossible.then(|| said.into_owned())
}
