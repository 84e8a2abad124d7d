//! An image with one small static program, an attestation service that records its requests, and the
//! launcher as a process.
#![allow(dead_code, reason = "not every test asks for everything")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use confidential::event_log::{self, Launch, Register};
use content::Digest;
use oci::layer::{self, Content, Entry, Executable, Kind};
use oci::{Config, Descriptor, Execution, Manifest, Repository, RootFs, Target, media};
use remote::{Registry, Transport};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::loopback::Loopback;

/// Compiles the program; reports the test as skipped if there is no compiler.
pub fn compile() -> Option<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("probe");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/probe/probe.c");
    let mut compiler = Command::new("gcc");
    compiler
        .args(["-static", "-O1", "-w", "-o"])
        .arg(&program)
        .arg(source);
    match compiler.status() {
        Ok(status) => assert!(status.success()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            testkit::skip("launch", "gcc is not installed");
            return None;
        }
        Err(e) => panic!("gcc: {e}"),
    }
    Some((folder, program))
}

/// The registry, services and files of a launch.
pub struct Scene {
    registry: Loopback,
    attestation: String,
    /// The bodies of the requests to the attestation service.
    pub asked: Arc<Mutex<Vec<Value>>>,
    program: TempDir,
    /// A folder that every user can read.
    shared: TempDir,
    binary: PathBuf,
}

impl Scene {
    /// Sets everything up; `None` if there is no compiler.
    pub fn set() -> Option<Self> {
        let (folder, binary) = compile()?;
        let shared = tempfile::tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(shared.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let registry = Loopback::start();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let attestation = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(attest).with_state(asked.clone());
        registry.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
        });
        Some(Self {
            registry,
            attestation,
            asked,
            program: folder,
            shared,
            binary,
        })
    }

    /// The repository that images are in.
    pub fn repository(&self) -> Repository {
        format!("{}/builder/probe", self.registry.address())
            .parse()
            .unwrap()
    }

    /// Pushes the program as an image with this configuration, and returns the reference.
    pub fn push(&self, execution: Execution, more: Vec<Entry>) -> String {
        self.push_as(&["linux", "amd64", media::LAYER_GZIP], execution, more)
    }

    /// Pushes the program as an image with this platform, and this media type of its layer.
    pub fn push_as(&self, said: &[&str; 3], execution: Execution, more: Vec<Entry>) -> String {
        let [os, architecture, layer_type] = *said;
        let binary = Entry {
            path: "probe".parse().unwrap(),
            kind: Kind::File {
                content: Content::File(self.binary.clone()),
                executable: Executable::Yes,
            },
        };
        let mut blob = Vec::new();
        let written = layer::write([binary].into_iter().chain(more), &mut blob).unwrap();
        let config = Config {
            architecture: architecture.into(),
            os: os.into(),
            config: execution,
            rootfs: RootFs::of_layers(vec![written.diff_id]),
            ..Config::default()
        };
        let digest = self.registry.block_on(async {
            let registry = Registry::connect(&self.repository(), &Transport::PlainHttp).unwrap();
            let layer = registry.push_blob(layer_type, &blob).await.unwrap();
            let config = config.to_bytes().unwrap();
            let config = registry.push_blob(media::CONFIG, &config).await.unwrap();
            let manifest = Manifest::new(config, vec![layer]).to_bytes().unwrap();
            let target = Target::Tag("v1".parse().unwrap());
            registry
                .push_manifest(&target, &manifest, media::MANIFEST)
                .await
                .unwrap()
        });
        format!("{}@{digest}", self.repository())
    }

    /// The pushed manifest or index.
    pub fn manifest(&self, image: &str) -> Value {
        serde_json::from_slice(&self.bytes(&image.parse().unwrap())).unwrap()
    }

    /// The bytes of a manifest.
    pub fn size(&self, image: &oci::ImageRef) -> usize {
        self.bytes(image).len()
    }

    fn bytes(&self, image: &oci::ImageRef) -> Vec<u8> {
        self.registry.block_on(async {
            let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
            registry.manifest(&image.digest).await.unwrap()
        })
    }

    /// Pushes a manifest or index under a tag, or by digest only, and returns the reference.
    pub fn put(&self, tag: Option<&str>, manifest: &Value, media_type: &str) -> String {
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        let target = match tag {
            Some(tag) => Target::Tag(tag.parse().unwrap()),
            None => Target::Digest(digest),
        };
        self.registry.block_on(async {
            let registry = Registry::connect(&self.repository(), &Transport::PlainHttp).unwrap();
            registry
                .push_manifest(&target, &bytes, media_type)
                .await
                .unwrap()
        });
        format!("{}@{digest}", self.repository())
    }

    /// Pushes an image again, with its layer in zstd, and returns the reference.
    pub fn in_zstd(&self, image: &str) -> String {
        let mut manifest = self.manifest(image);
        let layer: Descriptor = serde_json::from_value(manifest["layers"][0].clone()).unwrap();
        let path = self.shared.path().join("layer");
        let layer = self.registry.block_on(async {
            let registry = Registry::connect(&self.repository(), &Transport::PlainHttp).unwrap();
            registry.blob_to(&layer, &path).await.unwrap();
            let (file, mut archive) = (std::fs::File::open(&path).unwrap(), Vec::new());
            oci::archive::decompress(file, &mut |part| archive.extend(part)).unwrap();
            let blob = testkit::zstd(&archive);
            registry.push_blob(media::LAYER_ZSTD, &blob).await.unwrap()
        });
        manifest["layers"][0] = serde_json::to_value(layer).unwrap();
        self.put(None, &manifest, media::MANIFEST)
    }

    /// Adds a signature to an image under cosign's legacy tag; without an annotation if it is empty.
    pub fn sign(&self, image: &str, payload: &[u8], signature: &str) {
        let image: oci::ImageRef = image.parse().unwrap();
        let tag = oci::Tag::of_digest(&image.digest, ".sig").unwrap();
        let mut layer = Descriptor::of(media::SIMPLE_SIGNING, payload);
        if !signature.is_empty() {
            let annotation = "dev.cosignproject.cosign/signature".to_owned();
            layer
                .annotations
                .insert(annotation, STANDARD.encode(signature));
        }
        self.registry.block_on(async {
            let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
            registry.append_layer(&tag, layer, payload).await.unwrap();
        });
    }

    /// The launcher for an image, as the user who runs the test.
    pub fn launcher(&self, image: &str) -> Command {
        self.command(Path::new(env!("CARGO_BIN_EXE_emulator")), image)
    }

    /// The launcher, as a user without privileges. A test that does not run as root has none already.
    pub fn rootless_launcher(&self, image: &str) -> Command {
        if !rustix::process::geteuid().is_root() {
            return self.launcher(image);
        }
        let copy = self.shared.path().join(Digest::of(image.as_bytes()).hex());
        std::fs::copy(env!("CARGO_BIN_EXE_emulator"), &copy).unwrap();
        let mut command = self.command(&copy, image);
        unprivileged(&mut command);
        command
    }

    /// The launcher, started by this shell script as the same user.
    pub fn through(&self, script: &str, launcher: &Command) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{script}; exec \"$@\""), "-"]);
        shell.arg(launcher.get_program()).args(launcher.get_args());
        if launcher.get_program() != env!("CARGO_BIN_EXE_emulator") {
            unprivileged(&mut shell);
        }
        shell
    }

    fn command(&self, program: &Path, image: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["launch", image, "--plain-http", "--project", "operator"]);
        command.args(["--attestation", &self.attestation]);
        command.args(["--signed-image-repos", &self.repository().to_string()]);
        command.stdin(Stdio::null());
        command
    }

    /// The replayed events of the last request for a token.
    pub fn measured(&self) -> Launch {
        let asked = self.asked.lock().unwrap();
        let body = asked.last().expect("no token was asked for");
        let log = body["tdCcel"]["canonicalEventLog"].as_str().unwrap();
        let events = event_log::decode(&STANDARD.decode(log).unwrap(), Register::Rtmr).unwrap();
        event_log::replay(&events).unwrap()
    }

    /// The bytes of the program.
    pub fn program(&self) -> Vec<u8> {
        std::fs::read(&self.binary).unwrap()
    }

    /// A folder that every user can read.
    pub fn shared(&self) -> &Path {
        self.shared.path()
    }

    /// The folder of the program, in which a test can keep files.
    pub fn folder(&self) -> &Path {
        self.program.path()
    }
}

fn unprivileged(command: &mut Command) {
    command
        .uid(65534)
        .gid(65534)
        .current_dir("/")
        .env("TMPDIR", "/tmp")
        .env_remove("HOME");
}

/// An image that lets the operator choose the command and see the output.
pub fn open_image() -> Execution {
    let labels = [("allow_cmd_override", "true"), ("log_redirect", "always")];
    Execution {
        entrypoint: vec!["/probe".into()],
        cmd: vec!["ids".into()],
        user: "65532:65533".into(),
        env: vec!["GREETING=hello".into()],
        labels: labels
            .map(|(k, v)| (format!("tee.launch_policy.{k}"), v.into()))
            .into(),
        ..Execution::default()
    }
}

/// The command as JSON, as the operator writes it.
pub fn cmd(words: &[&str]) -> String {
    json!(words).to_string()
}

/// The output of a process. Panics unless it ended with this status.
pub fn said(output: &Output, status: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(status), "{stdout}\n{stderr}");
    stdout.into_owned()
}

/// The attestation service: it issues tokens with the audience and the number of signatures in the
/// request, and refuses the audience `refused`.
async fn attest(
    State(asked): State<Arc<Mutex<Vec<Value>>>>,
    Json(body): Json<Value>,
) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let Some(challenge) = body.get("challenge") else {
        let name = "projects/operator/locations/us-central1/challenges/c1";
        return Json(json!({"name": name, "tpmNonce": "bm9uY2U="})).into_response();
    };
    assert_eq!(
        challenge,
        "projects/operator/locations/us-central1/challenges/c1"
    );
    let audience = body["options"]["audience"].clone();
    if audience == "refused" {
        let error = json!({"error": {"code": 400, "message": "bad audience", "status": "INVALID_ARGUMENT"}});
        return (axum::http::StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    let signatures = body["signedEntities"][0]["containerImageSignatures"]
        .as_array()
        .map(Vec::len);
    let claims = json!({"aud": audience, "iat": 0, "exp": 3600, "signatures": signatures});
    asked.lock().unwrap().push(body);
    let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
    Json(json!({"attestationToken": token, "partialErrors": []})).into_response()
}

/// The claims of the token in an answer of the socket.
pub fn claims(answer: &str) -> Value {
    let start = answer
        .find("h.")
        .unwrap_or_else(|| panic!("no token in {answer}"));
    let payload = answer[start..].split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Runs the workload with these arguments, once as the current user and once without privileges.
pub fn both(scene: &Scene, image: &str, words: &[&str], check: impl Fn(&str)) {
    for mut launcher in [scene.launcher(image), scene.rootless_launcher(image)] {
        let output = launcher.args(["--cmd", &cmd(words)]).output().unwrap();
        check(&said(&output, 0));
    }
}

/// Returns once the workload has printed that it waits, with the lines that follow.
pub fn wait_until_it_waits(
    child: &mut std::process::Child,
) -> impl Iterator<Item = String> + use<> {
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = said.map_while(Result::ok);
    assert!(said.any(|line| line == "waiting"));
    said
}
