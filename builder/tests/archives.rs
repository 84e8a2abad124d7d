//! A build uses an archive that `Image.toml` names by digest. It is fetched once, from a server of HTTPS.
//!
//! The first run needs the network, for the compiler's packages; they are kept below `target/tmp`.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod https;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use content::Digest;
use https::{Answer, HOST, Server};

/// A tar archive of `tool-1/data/text` and a library without members beside it, packed by gzip.
fn archive(text: &str) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (name, text) in [("text", text), ("libnone.a", "!<arch>\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        let path = format!("tool-1/data/{name}");
        archive
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A repository with a crate that includes a file of the archive, and links a library of it.
struct Place {
    folder: tempfile::TempDir,
    server: Server,
    _identity: tempfile::TempDir,
}

fn url() -> String {
    format!("https://{HOST}/tool.tar.gz")
}

impl Place {
    /// `answer` is what the server has at the URL in `Image.toml`.
    fn new(sha256: &str, answer: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        let (folder, url) = (tempfile::tempdir().unwrap(), url());
        let identity = tempfile::tempdir().unwrap();
        let server = Server::start(identity.path(), move |_| answer());
        let files = [
            (
                "Cargo.toml",
                "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n".to_owned(),
            ),
            (
                "Cargo.lock",
                "version = 3\n\n[[package]]\nname = \"p\"\nversion = \"0.1.0\"\n".to_owned(),
            ),
            (
                "src/main.rs",
                "fn main() { print!(include_str!(\"/opt/tool/text\")) }\n".to_owned(),
            ),
            (
                "build.rs",
                "fn main() {\n    println!(\"cargo:rustc-link-search=native=/opt/tool\");\n    \
                 println!(\"cargo:rustc-link-lib=static=none\");\n}\n"
                    .to_owned(),
            ),
            (
                "Image.toml",
                format!(
                    "[build]\npackage = \"p\"\ntarget = \"x86_64-unknown-linux-gnu\"\nstatic = \"glibc\"\n\
                     [root]\nsuite = \"bookworm\"\n\
                     packages = [\"gcc-12\", \"libc6-dev\", \"dash\", \"rustc-web\", \"cargo-web\"]\n\
                     [[archive]]\nurl = \"{url}\"\nsha256 = \"{sha256}\"\npath = \"/opt/tool\"\nstrip = 2\n\
                     [image]\nentrypoint = [\"/p\"]\n[[file]]\npath = \"/p\"\nbinary = \"p\"\n"
                ),
            ),
        ];
        fs::create_dir(folder.path().join("src")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let place = Self {
            folder,
            server,
            _identity: identity,
        };
        place.git(&["init", "--quiet"]);
        place
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        git.args(arguments).current_dir(self.folder.path());
        assert!(git.status().unwrap().success(), "{arguments:?}");
    }

    fn builder(&self, arguments: &[&str], store: &Path) -> Output {
        let mut builder = Command::new(env!("CARGO_BIN_EXE_builder"));
        builder.args(arguments).arg("--store").arg(store);
        builder.stdin(Stdio::null()).current_dir(self.folder.path());
        self.server.lead(&mut builder);
        builder.output().unwrap()
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.folder.path().join("Image.lock")).unwrap()
    }
}

fn store() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("store")
}

/// The reason why this machine cannot build, if there is one.
fn impossible(output: &Output) -> Option<String> {
    let reason = said(output);
    let known = ["package archive", "making sandbox: "];
    let impossible = !output.status.success() && known.iter().any(|why| reason.contains(why));
    impossible.then_some(reason)
}

#[test]
fn a_build_sees_the_archive_that_the_lock_names() {
    let test = "a_build_sees_the_archive_that_the_lock_names";
    let text = format!("from the archive {}\n", std::process::id());
    let bytes = archive(&text);
    let digest = Digest::of(&bytes);
    let place = Place::new(&digest.hex(), move || Answer::Bytes(bytes.clone()));
    let locked = place.builder(&["lock"], &store());
    if let Some(reason) = impossible(&locked) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    assert!(locked.status.success(), "{}", said(&locked));
    let lock = place.lock();
    let (_, entry) = lock.split_once("[[archive]]\n").unwrap();
    let url = url();
    let expected = format!("url = \"{url}\"\nsha256 = \"{digest}\"\nsize = ");
    assert!(entry.starts_with(&expected), "{entry}");
    let again = place.builder(&["lock"], &store());
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(place.server.answered(), 1);
    assert_eq!(place.lock(), lock);
    place.git(&["add", "--all"]);
    place.git(&["commit", "--quiet", "--message", "one"]);
    let built = place.builder(&["build", "-o", "layout"], &store());
    if let Some(reason) = impossible(&built) {
        return testkit::skip(
            test,
            format_args!("no namespaces on this machine: {reason}"),
        );
    }
    assert!(built.status.success(), "{}", said(&built));
    let layout = place.folder.path().join("layout");
    let provenance = fs::read_to_string(layout.join("provenance.json")).unwrap();
    assert!(provenance.contains(&url), "{provenance}");
    let unlisted = "files that are linked and belong to no package: 1, such as /opt/tool/libnone.a";
    assert!(said(&built).contains(unlisted), "{}", said(&built));
    let layers = fs::read_dir(layout.join("blobs/sha256")).unwrap();
    let has_text = |path: PathBuf| {
        let bytes = fs::read(path).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(
        layers
            .into_iter()
            .any(|layer| has_text(layer.unwrap().path()))
    );
}

#[test]
fn an_archive_with_another_digest_is_refused() {
    let test = "an_archive_with_another_digest_is_refused";
    let expected = Digest::of(b"another");
    let place = Place::new(&expected.hex(), || Answer::Bytes(archive("evil")));
    let refused = place.builder(&["lock"], &store());
    if let Some(reason) = impossible(&refused) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    let said = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let start = format!(
        "checking archive {}: checking content: expected {expected}, found sha256:",
        url()
    );
    assert!(said.contains(&start), "{said}");
    assert!(
        said.contains("hint: compare sha256 in Image.toml"),
        "{said}"
    );
    assert!(!place.folder.path().join("Image.lock").exists());
}

#[test]
fn no_redirect_to_this_machine_is_followed() {
    let test = "no_redirect_to_this_machine_is_followed";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let own = format!("https://{}/x", listener.local_addr().unwrap());
    let place = Place::new(&Digest::of(b"x").hex(), move || {
        Answer::Elsewhere(own.clone())
    });
    let refused = place.builder(&["lock"], &store());
    if let Some(reason) = impossible(&refused) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    let said = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("redirected to this machine"), "{said}");
    listener.set_nonblocking(true).unwrap();
    let asked = listener.accept().err().map(|error| error.kind());
    assert_eq!(asked, Some(std::io::ErrorKind::WouldBlock));
}
