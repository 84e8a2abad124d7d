//! A repository of The Update Framework, and a server that may lie about it.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, json};
use serde_json::{Value, json};
use signature::{KeyType, PrivateKey};
use tempfile::TempDir;

pub const NEVER: &str = "2999-01-01T00:00:00Z";
pub const PAST: &str = "2020-01-01T00:00:00Z";
pub const TRUSTED_ROOT: &str = "trusted_root.json";
pub const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// What the server answers for a path.
#[derive(Clone)]
pub enum Answer {
    File(Vec<u8>),
    Status(u16),
    /// A file without an end.
    Endless,
}

/// Answers by path; any other path is not found.
pub type Files = BTreeMap<String, Answer>;

pub fn key() -> PrivateKey {
    PrivateKey::generate_of(KeyType::Ed25519).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key as metadata has it, and its ID.
fn public(key: &PrivateKey) -> (String, Value) {
    let pem = key.public().to_pem();
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    let raw = hex(&der[der.len() - 32..]);
    let value = json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": raw}});
    (key.public().key_id().hex(), value)
}

/// Metadata with the signatures of these keys.
pub fn signed(body: &Value, keys: &[&PrivateKey]) -> Vec<u8> {
    // All texts are plain, so that the canonical forms of TUF and of RFC 8785 are equal.
    let bytes = json::canonical(body).unwrap();
    let signatures = keys.iter().map(|key| {
        let signature = hex(&key.sign(&bytes).unwrap());
        json!({"keyid": public(key).0, "sig": signature})
    });
    let signatures: Vec<_> = signatures.collect();
    json!({"signed": body, "signatures": signatures})
        .to_string()
        .into_bytes()
}

fn role(kind: &str, version: u64, expires: &str) -> Value {
    json!({"_type": kind, "spec_version": "1.0.31", "version": version, "expires": expires})
}

/// The entry of a file in other metadata.
fn pinned(bytes: &[u8], version: u64) -> Value {
    json!({"version": version, "length": bytes.len(), "hashes": {"sha256": Digest::of(bytes).hex()}})
}

/// Who signs a repository, and what it has. Each field can be changed before it is published.
pub struct Repository {
    /// The keys of the root, each with a signature.
    pub root: Vec<PrivateKey>,
    pub root_threshold: u64,
    pub root_version: u64,
    pub root_expires: &'static str,
    /// The key of all other roles.
    pub online: PrivateKey,
    pub online_threshold: u64,
    /// Who signs the targets metadata in place of that key.
    pub targets_by: Option<PrivateKey>,
    pub timestamp_version: u64,
    pub timestamp_expires: &'static str,
    pub snapshot_version: u64,
    pub targets_version: u64,
    pub targets: BTreeMap<String, Vec<u8>>,
    /// Members of the targets metadata in place of those that are made.
    pub targets_members: Value,
    /// Metadata of delegated roles, by name.
    pub delegated: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    pub fn new() -> Self {
        let targets = [
            (TRUSTED_ROOT, keyless::PRODUCTION.to_owned()),
            (SIGNING_CONFIG, signing_config()),
        ];
        Self {
            root: vec![key()],
            root_threshold: 1,
            root_version: 1,
            root_expires: NEVER,
            online: key(),
            online_threshold: 1,
            targets_by: None,
            timestamp_version: 3,
            timestamp_expires: NEVER,
            snapshot_version: 3,
            targets_version: 3,
            targets: targets
                .map(|(name, text)| (name.to_owned(), text.into_bytes()))
                .into(),
            targets_members: json!({}),
            delegated: BTreeMap::new(),
        }
    }

    pub fn root_body(&self) -> Value {
        let keys = self.root.iter().chain([&self.online]).map(public);
        let ids: Vec<_> = self.root.iter().map(|key| public(key).0).collect();
        let online =
            json!({"keyids": [public(&self.online).0], "threshold": self.online_threshold});
        let mut body = role("root", self.root_version, self.root_expires);
        body["consistent_snapshot"] = true.into();
        body["keys"] = keys.collect::<serde_json::Map<_, _>>().into();
        body["roles"] = json!({
            "root": {"keyids": ids, "threshold": self.root_threshold},
            "timestamp": online, "snapshot": online, "targets": online,
        });
        body
    }

    pub fn root_metadata(&self) -> Vec<u8> {
        signed(&self.root_body(), &self.root.iter().collect::<Vec<_>>())
    }

    /// Targets metadata with these files.
    pub fn targets_body(version: u64, targets: &BTreeMap<String, Vec<u8>>) -> Value {
        let files = targets.iter().map(|(name, bytes)| {
            let hashes = json!({"sha256": Digest::of(bytes).hex()});
            (
                name.clone(),
                json!({"length": bytes.len(), "hashes": hashes}),
            )
        });
        let mut body = role("targets", version, NEVER);
        body["targets"] = files.collect::<serde_json::Map<_, _>>().into();
        body
    }

    /// A delegation of all targets to a role of these keys.
    pub fn delegation(name: &str, keys: &[&PrivateKey], threshold: usize) -> Value {
        let all = keys.iter().map(|key| public(key));
        let ids: Vec<_> = keys.iter().map(|key| public(key).0).collect();
        json!({
            "keys": all.collect::<serde_json::Map<_, _>>(),
            "roles": [{"name": name, "keyids": ids, "threshold": threshold, "paths": ["*"], "terminating": false}],
        })
    }

    /// All files, as a server has them.
    pub fn publish(&self) -> Files {
        let mut targets = Self::targets_body(self.targets_version, &self.targets);
        for (name, value) in self.targets_members.as_object().unwrap() {
            targets[name] = value.clone();
        }
        let online = [&self.online];
        let targets = signed(
            &targets,
            &[self.targets_by.as_ref().unwrap_or(&self.online)],
        );
        let mut snapshot = role("snapshot", self.snapshot_version, NEVER);
        snapshot["meta"] = json!({"targets.json": pinned(&targets, self.targets_version)});
        for (name, bytes) in &self.delegated {
            snapshot["meta"][format!("{name}.json")] = pinned(bytes, 1);
        }
        let snapshot = signed(&snapshot, &online);
        let mut timestamp = role("timestamp", self.timestamp_version, self.timestamp_expires);
        timestamp["meta"] = json!({"snapshot.json": pinned(&snapshot, self.snapshot_version)});
        let mut files = Files::new();
        let mut put = |path: String, bytes: Vec<u8>| drop(files.insert(path, Answer::File(bytes)));
        put(
            format!("{}.root.json", self.root_version),
            self.root_metadata(),
        );
        put("timestamp.json".to_owned(), signed(&timestamp, &online));
        put(format!("{}.snapshot.json", self.snapshot_version), snapshot);
        put(format!("{}.targets.json", self.targets_version), targets);
        for (name, bytes) in &self.delegated {
            put(format!("1.{name}.json"), bytes.clone());
        }
        for (name, bytes) in &self.targets {
            put(
                format!("targets/{}.{name}", Digest::of(bytes).hex()),
                bytes.clone(),
            );
        }
        files
    }

    /// Raises all versions but that of the root.
    pub fn advance(&mut self) {
        self.timestamp_version += 1;
        self.snapshot_version += 1;
        self.targets_version += 1;
    }
}

pub fn signing_config() -> String {
    let media_type = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
    json!({"mediaType": media_type, "caUrls": [], "oidcUrls": [], "rekorTlogUrls": [], "tsaUrls": []}).to_string()
}

/// A user's directory, with the root that the user trusts, and a server.
pub struct User {
    pub folder: TempDir,
    files: Arc<Mutex<Files>>,
    pub mirror: String,
}

impl User {
    /// A user who trusts the root of a repository. The server has it in the directory `repo`.
    pub fn of(repository: &Repository) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("own")).unwrap();
        std::fs::write(
            folder.path().join("own/root.json"),
            repository.root_metadata(),
        )
        .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mirror = format!("http://{}/repo", listener.local_addr().unwrap());
        let files = Arc::new(Mutex::new(repository.publish()));
        let served = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let files = served.clone();
                std::thread::spawn(move || drop(answer(stream, &files)));
            }
        });
        Self {
            folder,
            files,
            mirror,
        }
    }

    /// Changes what the server has.
    pub fn serve(&self, files: Files) {
        *self.files.lock().unwrap() = files;
    }

    /// Runs the command with further arguments; gives the exit status, standard output and standard error.
    pub fn update(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command.args([
            "trusted-root",
            "--mirror",
            &self.mirror,
            "--root",
            "root.json",
        ]);
        command
            .args(["--store", "store", "-o", "trusted_root.json"])
            .args(words);
        let output = command.current_dir(self.path("")).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// A path in the directory in which the command runs.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("own").join(name)
    }

    /// The paths of all files that the user has.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        list(self.folder.path(), self.folder.path(), &mut paths);
        paths.sort();
        paths
    }
}

fn list(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(root, &path, paths),
            false => paths.push(path.strip_prefix(root).unwrap().display().to_string()),
        }
    }
}

fn answer(mut stream: TcpStream, files: &Mutex<Files>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
    }
    let path = request
        .split(' ')
        .nth(1)
        .and_then(|path| path.strip_prefix("/repo/"));
    let answer = path.and_then(|path| files.lock().unwrap().get(path).cloned());
    match answer.unwrap_or(Answer::Status(404)) {
        Answer::File(bytes) => {
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
            )?;
            stream.write_all(&bytes)
        }
        Answer::Status(status) => {
            write!(
                stream,
                "HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
        }
        Answer::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b' '; 4096])?;
            }
        }
    }
}
