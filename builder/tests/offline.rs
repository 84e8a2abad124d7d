//! Signatures that openssl and cosign make over what `builder payload` prints are published by `builder attach` as
//! `builder sign` publishes its own, and cosign verifies them. A test whose program is missing is reported as skipped.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../../crates/remote/tests/server/mod.rs"]
#[allow(dead_code, reason = "not every test asks for everything")]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use content::Digest;
use oci::{Descriptor, ImageRef, Manifest, Repository, Tag, Target, media};
use remote::{Registry, Transport};
use server::Server;
use tempfile::TempDir;

/// An image in a registry, and a folder for keys and signatures.
struct World {
    folder: TempDir,
    _server: Server,
    repository: Repository,
    image: ImageRef,
    cosign: PathBuf,
}

fn success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

impl World {
    fn new(test: &str) -> Option<Self> {
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
            _server: server,
            repository,
            image,
            cosign,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.folder);
        command.env("HOME", self.folder.path());
        command.env("COSIGN_PASSWORD", "").output().unwrap()
    }

    fn openssl(&self, words: &[&str]) {
        success(&self.run(Path::new("openssl"), words));
    }

    fn cosign(&self, words: &[&str]) -> Output {
        self.run(&self.cosign, words)
    }

    /// Runs the builder with the image as its first argument.
    fn builder(&self, command: &str, words: &[&str]) -> Output {
        let image = self.image.to_string();
        let words = [&[command, &image], words].concat();
        self.run(Path::new(env!("CARGO_BIN_EXE_builder")), &words)
    }

    /// Writes what is to be signed by `key.pub` to the file `payload`.
    fn payload(&self, words: &[&str]) {
        let printed = self.builder("payload", &[&["--key", "key.pub"], words].concat());
        success(&printed);
        fs::write(self.path("payload"), printed.stdout).unwrap();
    }

    fn attach(&self, words: &[&str]) -> Output {
        let start = ["--payload", "payload", "--signature", "signature"];
        self.builder("attach", &[&start, words].concat())
    }

    /// Makes a key pair with openssl: `key` and `key.pub`.
    fn key(&self, algorithm: &[&str]) {
        self.openssl(&[&["genpkey", "-out", "key"], algorithm].concat());
        self.openssl(&["pkey", "-in", "key", "-pubout", "-out", "key.pub"]);
    }

    fn verifies(&self, words: &[&str]) -> bool {
        let start = [words[0], "--key", "key.pub", "--insecure-ignore-tlog"];
        let image = self.image.to_string();
        let end = ["--allow-http-registry", &image];
        let output = self.cosign(&[&start[..], &words[1..], &end].concat());
        output.status.success()
    }

    /// The manifests under the tags with signatures, attestations and referrers.
    fn published(&self) -> [Option<Vec<u8>>; 3] {
        [".sig", ".att", ""].map(|suffix| {
            let tag = Tag::of_digest(&self.image.digest, suffix).unwrap();
            let registry = connect(&self.repository);
            block_on(async move { registry.manifest_by_tag(&tag).await.unwrap() })
        })
    }
}

/// Runs a request. A client of a registry must not be used in another runtime, so each request has its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn connect(repository: &Repository) -> Registry {
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

const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const OPENSSL: [&str; 7] = [
    "dgst",
    "-sha256",
    "-sign",
    "key",
    "-out",
    "signature",
    "payload",
];

#[test]
fn openssl_signs_what_cosign_verifies() {
    let Some(world) = World::new("openssl_signs_what_cosign_verifies") else {
        return;
    };
    world.key(&P256);
    for (layout, flag) in [
        ("legacy", "--new-bundle-format=false"),
        ("bundle", "--new-bundle-format=true"),
    ] {
        world.payload(&["--layout", layout, "-a", "stage=test", "-a", "by=me"]);
        world.openssl(&OPENSSL);
        success(&world.attach(&["--key", "key.pub"]));
        assert!(world.verifies(&["verify", flag]), "{layout}");
        assert!(world.verifies(&["verify", flag, "-a", "stage=test", "-a", "by=me"]));
        assert!(!world.verifies(&["verify", flag, "-a", "stage=other"]));
    }
    // The same signatures, made by `builder sign`, are there already.
    let before = world.published();
    assert!(before[0].is_some() && before[1].is_none() && before[2].is_some());
    let sign = ["--key", "key", "-a", "by=me", "--annotations", "stage=test"];
    success(&world.builder("sign", &sign));
    success(&world.attach(&["--key", "key.pub"]));
    assert_eq!(world.published(), before);
    success(&world.builder("sign", &["--key", "key", "-a", "stage=other"]));
    assert_ne!(world.published(), before);
    assert!(world.verifies(&["verify", "-a", "stage=other"]));
}

#[test]
fn cosign_signs_what_cosign_verifies() {
    let Some(world) = World::new("cosign_signs_what_cosign_verifies") else {
        return;
    };
    success(&world.cosign(&["generate-key-pair", "--output-key-prefix", "cosign"]));
    fs::rename(world.path("cosign.pub"), world.path("key.pub")).unwrap();
    let sign = |words: &[&str]| {
        let start = ["sign-blob", "--key", "cosign.key", "-y", "payload"];
        let offline = ["--use-signing-config=false", "--tlog-upload=false"];
        success(&world.cosign(&[&start[..], &offline, words].concat()));
        success(&world.attach(&["--key", "key.pub"]));
    };
    world.payload(&[]);
    sign(&["--bundle", "signature"]);
    assert!(world.verifies(&["verify", "--new-bundle-format=false"]));
    world.payload(&["--layout", "bundle"]);
    sign(&[
        "--new-bundle-format=false",
        "--output-signature",
        "signature",
    ]);
    assert!(world.verifies(&["verify"]));
}

#[test]
fn other_keys_sign_elsewhere_too() {
    let Some(world) = World::new("other_keys_sign_elsewhere_too") else {
        return;
    };
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let raw = [
        "pkeyutl",
        "-sign",
        "-rawin",
        "-inkey",
        "key",
        "-in",
        "payload",
        "-out",
        "signature",
    ];
    for (algorithm, sign) in [(&rsa[..], &OPENSSL[..]), (&["-algorithm", "ED25519"], &raw)] {
        world.key(algorithm);
        for layout in ["legacy", "bundle"] {
            world.payload(&["--layout", layout]);
            world.openssl(sign);
            let attached = world.attach(&["--key", "key.pub"]);
            success(&attached);
            let noted = String::from_utf8_lossy(&attached.stderr).contains("Confidential Space");
            assert_eq!(noted, algorithm[1] == "ED25519" && layout == "legacy");
        }
        assert!(world.verifies(&["verify"]), "{algorithm:?}");
    }
}

#[test]
fn a_predicate_is_signed_elsewhere() {
    let Some(world) = World::new("a_predicate_is_signed_elsewhere") else {
        return;
    };
    world.key(&P256);
    let predicate = r#"{"buildDefinition":{"buildType":"t","externalParameters":{}},"runDetails":{"builder":{"id":"b"}}}"#;
    fs::write(world.path("predicate"), predicate).unwrap();
    let attestation = ["--type", "slsaprovenance1", "--predicate", "predicate"];
    world.payload(&attestation);
    world.openssl(&OPENSSL);
    success(&world.attach(&["--key", "key.pub"]));
    for flag in ["--new-bundle-format=false", "--new-bundle-format=true"] {
        assert!(world.verifies(&["verify-attestation", "--type", "slsaprovenance1", flag]));
    }
    let before = world.published();
    success(&world.builder("attest", &[&["--key", "key"], &attestation[..]].concat()));
    assert_eq!(world.published(), before);
}

/// The envelope may be cosign's own bundle.
#[test]
fn an_envelope_is_made_elsewhere() {
    let Some(world) = World::new("an_envelope_is_made_elsewhere") else {
        return;
    };
    world.key(&P256);
    let subject = format!(
        r#"[{{"name":"{}","digest":{{"sha256":"{}"}}}}]"#,
        world.repository,
        world.image.digest.hex()
    );
    let statement = |subject: &str| {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject},"predicateType":"https://example.com/review","predicate":{{"by":"me"}}}}"#
        );
        fs::write(world.path("statement"), statement).unwrap();
        let _ = fs::remove_file(world.path("envelope"));
        success(&world.cosign(&["import-key-pair", "--key", "key", "-o", "imported", "-y"]));
        let attest = [
            "attest-blob",
            "--key",
            "imported.key",
            "-y",
            "--statement",
            "statement",
        ];
        let offline = ["--use-signing-config=false", "--tlog-upload=false"];
        let bundle = ["--bundle", "envelope"];
        success(&world.cosign(&[&attest[..], &offline, &bundle].concat()));
    };
    statement(&subject);
    let attach = ["--envelope", "envelope", "--key", "key.pub"];
    success(&world.builder("attach", &attach));
    for flag in ["--new-bundle-format=false", "--new-bundle-format=true"] {
        let kind = ["--type", "https://example.com/review"];
        assert!(world.verifies(&["verify-attestation", kind[0], kind[1], flag]));
    }
    let before = world.published();
    statement(&subject.replace("some/image", "other/image"));
    let refused = world.builder("attach", &attach);
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(
        stderr.contains("checking repository of payload"),
        "{stderr}"
    );
    assert_eq!(world.published(), before);
}

#[test]
fn a_signature_that_does_not_verify_is_not_published() {
    let Some(world) = World::new("a_signature_that_does_not_verify_is_not_published") else {
        return;
    };
    world.key(&P256);
    world.payload(&[]);
    world.openssl(&OPENSSL);
    let payload = fs::read_to_string(world.path("payload")).unwrap();
    let refused = |status: i32, reason: &str| {
        let output = world.attach(&["--key", "key.pub"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        assert!(
            stderr.contains(reason) && stderr.contains("hint: "),
            "{stderr}"
        );
    };
    fs::write(world.path("payload"), format!("{payload} ")).unwrap();
    refused(1, "verifying signature: it was not made with key");
    let other = payload.replace(&world.image.digest.hex(), &Digest::of(b"other").hex());
    fs::write(world.path("payload"), other).unwrap();
    world.openssl(&OPENSSL);
    refused(1, "checking digest of payload");
    fs::write(world.path("payload"), "{}").unwrap();
    refused(2, "parsing simple-signing payload");
    fs::rename(world.path("key"), world.path("key.pub")).unwrap();
    refused(2, "expected one PEM block PUBLIC KEY");
    assert_eq!(world.published(), [None, None, None]);
    for (words, reason) in [
        (&["-a", "dev.cosignproject.cosign/pub=x"][..], "is reserved"),
        (&["-a", "a=1", "-a", "a=2"], "\"a\" is given twice"),
    ] {
        let output = world.builder("sign", &[&["--key", "key.pub"], words].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    }
}
