//! An image on a registry without the referrers API, and the programs that sign it. A test whose program is missing is
//! reported as skipped.

#[path = "../../../crates/remote/tests/server/mod.rs"]
#[allow(dead_code, reason = "not every test asks for everything")]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use builder::image::assemble::{ImageSpec, assemble};
use content::Digest;
use oci::{Descriptor, Execution, ImageRef, Layout, Manifest, Repository, Tag, Target, media};
use remote::{Registry, Transport};
use server::Server;
use tempfile::TempDir;

/// An image in a registry, and a folder for keys and signatures.
pub struct World {
    pub folder: TempDir,
    server: Option<Server>,
    pub repository: Repository,
    pub image: ImageRef,
    cosign: PathBuf,
}

pub fn success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

impl World {
    pub fn new(test: &str) -> Option<Self> {
        let server = Server::start(test, "")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let go = std::env::home_dir().unwrap_or_default().join("go/bin");
        let mut folders = std::env::split_paths(&path).chain([go]);
        let cosign = folders.find_map(|folder| {
            let path = folder.join("cosign");
            path.is_file().then_some(path)
        });
        let Some(cosign) = cosign else {
            testkit::skip(test, "cosign is not installed");
            return None;
        };
        let repository = server.repository("some/image");
        let image = ImageRef {
            digest: block_on(push(connect(&repository))),
            repository: repository.clone(),
        };
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
            server: Some(server),
            repository,
            image,
            cosign,
        })
    }

    /// Ends the registry.
    pub fn stop(&mut self) {
        self.server = None;
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.folder);
        command.env("HOME", self.folder.path());
        command.env("COSIGN_PASSWORD", "").output().unwrap()
    }

    pub fn openssl(&self, words: &[&str]) {
        success(&self.run(Path::new("openssl"), words));
    }

    pub fn cosign(&self, words: &[&str]) -> Output {
        self.run(&self.cosign, words)
    }

    /// Runs the builder with the image as its first argument.
    pub fn builder(&self, command: &str, words: &[&str]) -> Output {
        let image = self.image.to_string();
        self.build(&[&[command, &image], words].concat())
    }

    /// Runs the builder.
    pub fn build(&self, words: &[&str]) -> Output {
        self.run(Path::new(env!("CARGO_BIN_EXE_builder")), words)
    }

    /// Writes the layout of a small image that starts like this, with the documents about it, and returns its digest.
    pub fn layout(&self, name: &str, execution: Execution) -> Digest {
        let layout = Layout::create(&self.path(name)).unwrap();
        let spec = ImageSpec {
            base: None,
            entries: Vec::new(),
            architecture: "amd64".to_owned(),
            execution,
        };
        let digest = assemble(spec, &layout).unwrap().image_digest;
        let provenance = r#"{"buildDefinition":{"buildType":"t","externalParameters":{}},"runDetails":{"builder":{"id":"b"}}}"#;
        fs::write(self.path(name).join("provenance.json"), provenance).unwrap();
        let sbom = attest::Sbom::new().to_bytes().unwrap();
        fs::write(self.path(name).join("sbom.cdx.json"), sbom).unwrap();
        digest
    }

    /// Writes what is to be signed by `key.pub` to the file `payload`.
    pub fn payload(&self, words: &[&str]) {
        let printed = self.builder("payload", &[&["--key", "key.pub"], words].concat());
        success(&printed);
        fs::write(self.path("payload"), printed.stdout).unwrap();
    }

    pub fn attach(&self, words: &[&str]) -> Output {
        let start = ["--payload", "payload", "--signature", "signature"];
        self.builder("attach", &[&start, words].concat())
    }

    /// Makes a key pair with openssl: `key` and `key.pub`.
    pub fn key(&self, algorithm: &[&str]) {
        self.key_pair("key", algorithm);
    }

    /// Makes a key pair with openssl: NAME and NAME.pub.
    pub fn key_pair(&self, name: &str, algorithm: &[&str]) {
        let public = format!("{name}.pub");
        self.openssl(&[&["genpkey", "-out", name], algorithm].concat());
        self.openssl(&["pkey", "-in", name, "-pubout", "-out", &public]);
    }

    pub fn verifies(&self, words: &[&str]) -> bool {
        let start = [words[0], "--key", "key.pub", "--insecure-ignore-tlog"];
        let image = self.image.to_string();
        let end = ["--allow-http-registry", &image];
        let output = self.cosign(&[&start[..], &words[1..], &end].concat());
        output.status.success()
    }

    /// The manifests under the tags with signatures, attestations and referrers.
    pub fn published(&self) -> [Option<Vec<u8>>; 3] {
        [".sig", ".att", ""].map(|suffix| {
            let tag = Tag::of_digest(&self.image.digest, suffix).unwrap();
            let registry = connect(&self.repository);
            block_on(async move { registry.manifest_by_tag(&tag).await.unwrap() })
        })
    }
}

/// Runs a request. A client of a registry must not be used in another runtime, so each request has its own.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

pub fn connect(repository: &Repository) -> Registry {
    Registry::connect(repository, &Transport::PlainHttp).unwrap()
}

async fn push(registry: Registry) -> Digest {
    let layer = b"not read here";
    let config = format!(
        r#"{{"architecture":"amd64","config":{{}},"os":"linux","rootfs":{{"diff_ids":["{}"],"type":"layers"}}}}"#,
        Digest::of(layer)
    );
    let config = registry.push_blob(media::CONFIG, config.as_bytes());
    let config: Descriptor = config.await.unwrap();
    let layer = registry.push_blob(media::LAYER_GZIP, layer).await.unwrap();
    let bytes = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    let target = Target::Digest(Digest::of(&bytes));
    let pushed = registry.push_manifest(&target, &bytes, media::MANIFEST);
    pushed.await.unwrap()
}

pub const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub const OPENSSL: [&str; 7] = [
    "dgst",
    "-sha256",
    "-sign",
    "key",
    "-out",
    "signature",
    "payload",
];
