//! How a package archive is reached: by HTTP and HTTPS, with the system's certificate authorities, and by a proxy.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// The signed index of every server in this file. It is refused, but only after it was fetched.
const INDEX: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nunsigned";
const FETCHED: &str = "builder: error: parsing InRelease: ";

/// `builder lock` of the fixture in `folder`, with the archive at `url` and without proxies.
fn lock(folder: &Path, url: &str) -> Command {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
    fs::write(folder.join("keyring.gpg"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
    command.arg("lock").arg(fixture).args(["--archive", url]);
    command.args(["--store", "store", "--keyring", "keyring.gpg"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.env_remove("SSL_CERT_DIR").current_dir(folder);
    command
}

/// The standard error of `command`, which must fail.
fn said(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{command:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_login_of_an_address_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let refused = said(&mut lock(
        folder.path(),
        "ftp://user:secret@a.example/debian",
    ));
    assert!(
        refused.contains("found \"ftp://a.example/debian\""),
        "{refused}"
    );
    let silent = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://user:secret@{silent}/debian");
    let refused = said(&mut lock(folder.path(), &url));
    assert!(refused.contains("fetching dists/"), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}

#[test]
fn an_archive_is_reached_by_the_proxy_of_the_environment() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (stream, _) = proxy.accept().unwrap();
        let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        (&stream).write_all(INDEX.as_bytes()).unwrap();
        first
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = lock(folder.path(), "http://archive.example");
    command.env("http_proxy", format!("http://{address}"));
    let said = said(&mut command);
    assert!(said.contains(FETCHED), "{said}");
    assert_eq!(
        asked.join().unwrap(),
        "GET http://archive.example/dists/bookworm/InRelease HTTP/1.1"
    );
}

/// An archive with HTTPS on loopback, until this is dropped.
struct Secure {
    server: Child,
    url: String,
}

impl Secure {
    /// Creates two authorities (`ca.pem`, `other.pem`) in `folder`, and a server with a certificate of the first, if
    /// openssl is installed.
    fn start(folder: &Path) -> Option<Self> {
        let script = "set -e
exec 2>&1
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test -keyout ca.key -out ca.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=other -keyout other.key -out other.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=archive -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out server.pem";
        let certify = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder)
            .output();
        if !certify.is_ok_and(|output| output.status.success()) {
            return None;
        }
        fs::create_dir_all(folder.join("dists/bookworm")).unwrap();
        fs::write(folder.join("dists/bookworm/InRelease"), INDEX).unwrap();
        // -HTTP serves files with the headers that they have.
        let mut server = Command::new("openssl")
            .args(["s_server", "-HTTP", "-accept", "127.0.0.1:0"])
            .args(["-cert", "server.pem", "-key", "server.key"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
        // The server must be able to continue printing.
        thread::spawn(move || lines.for_each(drop));
        let url = format!("https://{}", address.unwrap());
        Some(Self { server, url })
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn https_trusts_the_authorities_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let Some(archive) = Secure::start(folder.path()) else {
        let test = "https_trusts_the_authorities_of_the_system";
        return testkit::skip(test, "openssl is not installed");
    };
    let trusting = |authorities: &str| {
        let mut command = lock(folder.path(), &archive.url);
        said(command.env("SSL_CERT_FILE", folder.path().join(authorities)))
    };
    let trusted = trusting("ca.pem");
    assert!(trusted.contains(FETCHED), "{trusted}");
    let strict = trusting("other.pem");
    assert!(strict.contains("invalid peer certificate"), "{strict}");
    let none = trusting("missing.pem");
    let expected = "connecting to package archive: builder error: ";
    assert!(none.contains(expected), "{none}");
}
