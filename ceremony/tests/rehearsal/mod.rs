//! A cloud, a builder and a collaborator, and images that are published without a compiler: what
//! `verifier authorize` needs to pass under a policy that requires no rebuild.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use attest::Sbom;
use content::Digest;
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Config, Execution, Layout, Manifest, RootFs, media};
use scratch::Scratch;
use serde_json::{Value, json};

use crate::cloud::{self, Endpoints, Project};
use proxy::Proxy;

mod found;
mod granted;
pub mod proxy;
pub mod sending;

const BUILDER_ID: &str = "https://builder.example/countersign";
const SOURCE_URI: &str = "git+https://source.example/countersign";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PROJECT: &str = "collaborator";
/// The member that each data key has before the image is authorized.
pub const EARLIER: &str = "serviceAccount:owner@collaborator.iam.gserviceaccount.com";

/// The folder of the programs, compiled from the source as it is.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--workspace", "--bins"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = cargo.current_dir(root).output().unwrap();
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
        let ceremony = Path::new(env!("CARGO_BIN_EXE_ceremony"));
        ceremony.parent().unwrap().to_owned()
    })
}

/// A command that runs one of the programs.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    command.stdin(Stdio::null());
    command
}

/// The output of a program that must succeed.
#[track_caller]
fn must(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The emulator, the proxy in front of it, all keys, and an image in a layout.
pub struct Rehearsal {
    folder: Scratch,
    emulator: Child,
    endpoints: Endpoints,
    pub proxy: Proxy,
    layout: PathBuf,
    digest: Digest,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

impl Rehearsal {
    pub fn new() -> Self {
        let folder = Scratch::new().unwrap();
        let (emulator, endpoints) = start_emulator(&folder.path().join("state"));
        let proxy = Proxy::before(&endpoints.registry, &endpoints.kms);
        let layout = folder.path().join("layout");
        let digest = write_layout(&layout);
        let mut keygen = program("builder");
        keygen.arg("keygen").arg(folder.path().join("builder"));
        must(keygen);
        let rehearsal = Self {
            folder,
            emulator,
            endpoints,
            proxy,
            layout,
            digest,
        };
        rehearsal.make_signing_key();
        rehearsal.make_pool();
        rehearsal
    }

    fn project(&self) -> &Project {
        &self.endpoints.projects[PROJECT]
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/v1/{path}", self.endpoints.kms);
        cloud::call(method, &url, &self.project().access_token, body).unwrap()
    }

    /// The folder of all files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The URL of the attestation service.
    pub fn attestation(&self) -> &str {
        &self.endpoints.attestation
    }

    /// The key that the collaborator signs with.
    pub fn signing_key(&self) -> String {
        format!("gcpkms://{}/cryptoKeys/signing/cryptoKeyVersions/1", ring())
    }

    fn make_signing_key(&self) {
        let parent = format!("projects/{PROJECT}/locations/global/keyRings");
        self.call("POST", &format!("{parent}?keyRingId=ring"), &json!({}));
        let signing = json!({
            "purpose": "ASYMMETRIC_SIGN",
            "versionTemplate": {"algorithm": "EC_SIGN_P256_SHA256"},
        });
        let keys = format!("{}/cryptoKeys", ring());
        self.call("POST", &format!("{keys}?cryptoKeyId=signing"), &signing);
        let version = format!("{keys}/signing/cryptoKeyVersions/1/publicKey");
        let pem = cloud::text(&self.call("GET", &version, &Value::Null), "pem").unwrap();
        std::fs::write(self.path("collaborator.pub"), pem).unwrap();
    }

    /// The service grants nothing to members of a pool that does not exist.
    fn make_pool(&self) {
        let parent = format!("projects/{PROJECT}/locations/global/workloadIdentityPools");
        let path = format!("{parent}?workloadIdentityPoolId=confidential-space");
        let url = format!("{}/v1/{path}", self.endpoints.iam);
        let token = &self.project().access_token;
        cloud::call("POST", &url, token, &json!({})).unwrap();
    }

    /// Publishes the image under a new name, signed and attested by the builder, and makes a
    /// data key for it that another member may already use.
    pub fn publish(&self, name: &str) -> Release<'_> {
        let release = Release {
            rehearsal: self,
            name: name.to_owned(),
            evidence: None,
            repository: format!("{}/builder/{name}", self.proxy.registry),
        };
        let tagged = format!("{}:v1", release.repository);
        let mut push = program("builder");
        push.arg("push")
            .arg(&self.layout)
            .args([&tagged, "--plain-http"]);
        must(push);
        release.builder(&["sign"]);
        for (kind, file) in [
            ("slsaprovenance1", "provenance.json"),
            ("cyclonedx", "sbom.cdx.json"),
        ] {
            let file = self.layout.join(file).display().to_string();
            release.builder(&["attest", "--type", kind, "--predicate", &file]);
        }
        let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
        let path = format!("{}/cryptoKeys?cryptoKeyId={name}", ring());
        self.call("POST", &path, &purpose);
        let token = &self.project().access_token;
        cloud::bind(&self.endpoints.kms, &release.data_key(), token, EARLIER).unwrap();
        release
    }
}

fn ring() -> String {
    format!("projects/{PROJECT}/locations/global/keyRings/ring")
}

fn start_emulator(state: &Path) -> (Child, Endpoints) {
    let mut command = program("emulator");
    command.args(["serve", "--project", PROJECT, "--state"]);
    command.arg(state).stdout(Stdio::piped());
    let mut emulator = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(emulator.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    (emulator, serde_json::from_str(&line).unwrap())
}

/// An image of one file, with its provenance and its SBOM.
fn write_layout(path: &Path) -> Digest {
    let program = b"the program";
    let layout = Layout::create(path).unwrap();
    let entry = Entry {
        path: "workload".parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(program.to_vec()),
            executable: Executable::Yes,
        },
    };
    let (layer, written) = layout.write_layer([entry]).unwrap();
    let config = Config {
        created: None,
        author: None,
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        variant: None,
        os_version: None,
        os_features: Vec::new(),
        config: Execution {
            entrypoint: vec!["/workload".to_owned()],
            ..Execution::default()
        },
        rootfs: RootFs::of_layers(vec![written.diff_id]),
        history: Vec::new(),
    };
    let config = config.to_bytes().unwrap();
    let config = layout.write_blob(media::CONFIG, &config).unwrap();
    let manifest = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    let manifest = layout.write_blob(media::MANIFEST, &manifest).unwrap();
    layout.set_image(&manifest).unwrap();
    let mut sbom = Sbom::new();
    sbom.add_file("/workload", Digest::of(program));
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(path.join(name), bytes).unwrap();
    write("sbom.cdx.json", sbom.to_bytes().unwrap());
    write("provenance.json", provenance().to_string().into_bytes());
    manifest.digest
}

fn provenance() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://countersign.dev/hermetic-build/v1",
            "externalParameters": {"source": SOURCE_URI, "directory": "workload"},
            "resolvedDependencies": [
                {"uri": SOURCE_URI, "digest": {"gitCommit": COMMIT}},
            ],
        },
        "runDetails": {"builder": {"id": BUILDER_ID}},
    })
}

/// One published image, and the key that it is to be bound to.
pub struct Release<'a> {
    rehearsal: &'a Rehearsal,
    name: String,
    /// A repository that policies name beside the image's.
    evidence: Option<String>,
    pub repository: String,
}

impl Release<'_> {
    pub fn reference(&self) -> String {
        format!("{}@{}", self.repository, self.rehearsal.digest)
    }

    fn data_key(&self) -> String {
        format!("{}/cryptoKeys/{}", ring(), self.name)
    }

    fn pool(&self) -> String {
        let number = &self.rehearsal.project().number;
        format!("projects/{number}/locations/global/workloadIdentityPools/confidential-space")
    }

    /// The member of the binding: all workloads that run this image.
    pub fn member(&self) -> String {
        let (pool, digest) = (self.pool(), &self.rehearsal.digest);
        format!("principalSet://iam.googleapis.com/{pool}/attribute.image_digest/{digest}")
    }

    fn builder(&self, words: &[&str]) {
        let mut command = program("builder");
        command
            .arg(words[0])
            .arg(self.reference())
            .args(&words[1..]);
        command.arg("--plain-http");
        command.arg("--key").arg(self.rehearsal.path("builder.key"));
        must(command);
    }

    fn write(&self, what: &str, text: &str) -> PathBuf {
        let path = self.rehearsal.path(&format!("{what}-{}.toml", self.name));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A policy that requires the signatures of all of `signers`, and the collaborator's countersignature for a binding.
    pub fn policy(&self, signers: &[&str]) -> PathBuf {
        let repository = &self.repository;
        let count = signers.len();
        let text = format!(
            "repository = {repository:?}\n\
             [builder]\nid = {BUILDER_ID:?}\n\
             build_type = \"https://countersign.dev/hermetic-build/v1\"\n\
             [source]\nuri = {SOURCE_URI:?}\n\
             [[principal]]\nname = \"builder\"\nkey = \"builder.pub\"\n\
             [[principal]]\nname = \"collaborator\"\nkey = \"collaborator.pub\"\n\
             [signatures]\nrequire = {signers:?}\nthreshold = {count}\n\
             [countersignatures]\nfrom = [\"collaborator\"]\n\
             [attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [\"builder\"]\n\
             [rebuild]\nrequire = false\n"
        );
        let evidence = self.evidence.as_ref();
        let evidence = evidence.map(|name| format!("[evidence]\nrepositories = [{name:?}]\n"));
        let text = text + &evidence.unwrap_or_default();
        self.write(&signers.join("-"), &text)
    }

    fn verifier(&self, verb: &str, signers: &[&str]) -> Command {
        let mut command = program("verifier");
        command.arg(verb).arg(self.reference());
        command.args(["--plain-http", "--json", "--policy"]);
        command.arg(self.policy(signers));
        command
    }

    /// The collaborator's credentials for Google Cloud.
    pub fn credentials(&self) -> &Path {
        &self.rehearsal.project().credentials
    }

    /// A grant of the right to decrypt with the data key.
    pub fn grant(&self) -> PathBuf {
        let grant = format!(
            "key = {:?}\nrole = {:?}\npool = {:?}\n",
            self.data_key(),
            cloud::DECRYPTER,
            self.pool()
        );
        self.write("grant", &grant)
    }

    /// The collaborator's command to check and to countersign.
    pub fn countersign(&self) -> Command {
        let mut command = self.verifier("countersign", &["builder"]);
        command.args(["--key", &self.rehearsal.signing_key()]);
        command.args(["--kms-endpoint", &self.rehearsal.proxy.kms]);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", self.credentials());
        command
    }

    /// The collaborator's command to check and to bind.
    pub fn authorize(&self) -> Command {
        let mut command = self.verifier("authorize", &["builder"]);
        command.arg("--grant").arg(self.grant());
        command.args(["--apply", "--kms-endpoint", &self.rehearsal.proxy.kms]);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", self.credentials());
        command
    }

    /// Verifies by a policy that also requires the collaborator's signature.
    pub fn verify_countersigned(&self) -> Output {
        let mut verify = self.verifier("verify", &["builder", "collaborator"]);
        verify.output().unwrap()
    }

    /// The members that may decrypt with the data key; one that is named twice is listed twice.
    pub fn members(&self) -> Vec<String> {
        let (kms, token) = (
            &self.rehearsal.endpoints.kms,
            &self.rehearsal.project().access_token,
        );
        let policy = cloud::key_policy(kms, &self.data_key(), token).unwrap();
        let bindings = policy["bindings"].as_array().cloned().unwrap_or_default();
        let named = bindings
            .iter()
            .filter(|binding| binding["role"] == cloud::DECRYPTER);
        let members = named.flat_map(|binding| binding["members"].as_array().unwrap().clone());
        let mut members: Vec<_> = members.map(|m| m.as_str().unwrap().to_owned()).collect();
        members.sort();
        members
    }
}
