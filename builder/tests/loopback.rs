//! Services on this machine need no option for plain HTTP, and are reached without a proxy.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Config, Execution, Layout, Manifest, RootFs, media};

/// Answers requests by `answer`, and records the first line of each.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: fn(&str) -> (&'static str, &'static str)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, noted) = (stream.unwrap(), noted.clone());
                std::thread::spawn(move || speak(stream, answer, &noted));
            }
        });
        Self { address, seen }
    }

    fn seen(&self, start: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|line| line.starts_with(start)).count()
    }
}

fn speak(
    stream: TcpStream,
    answer: fn(&str) -> (&'static str, &'static str),
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut first = Vec::new();
        stream.read_until(b'\n', &mut first).ok()?;
        let first = String::from_utf8(first)
            .ok()
            .filter(|line| line.contains("HTTP/"))?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let line = line.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).ok()?;
        let (status, body) = answer(&first);
        seen.lock().unwrap().push(first);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream
            .get_mut()
            .write_all(format!("{head}{body}").as_bytes())
            .ok()?;
    }
}

/// A proxy, which must not be used.
fn proxy() -> Server {
    Server::start(|_| ("502 Bad Gateway", ""))
}

fn builder(proxy: &Server, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
    command
        .args(arguments)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"] {
        command.env(name, format!("http://{}", proxy.address));
    }
    command.env("DOCKER_CONFIG", folder);
    let credentials = folder.join("credentials.json");
    command.env("GOOGLE_APPLICATION_CREDENTIALS", credentials);
    command.output().unwrap()
}

fn write_layout(folder: &Path) {
    let layout = Layout::create(folder).unwrap();
    let kind = Kind::File {
        content: Content::Bytes(b"program".to_vec()),
        executable: Executable::Yes,
    };
    let path = "workload".parse().unwrap();
    let (layer, written) = layout.write_layer([Entry { path, kind }]).unwrap();
    let config = Config {
        architecture: "amd64".into(),
        os: "linux".into(),
        config: Execution::default(),
        rootfs: RootFs::of_layers(vec![written.diff_id]),
        ..Config::default()
    };
    let config = config.to_bytes().unwrap();
    let config = layout.write_blob(media::CONFIG, &config).unwrap();
    let manifest = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    let manifest = layout.write_blob(media::MANIFEST, &manifest).unwrap();
    layout.set_image(&manifest).unwrap();
}

#[test]
fn a_layout_is_pushed_to_a_local_registry_without_option_or_proxy() {
    let proxy = proxy();
    let registry = Server::start(|line| match line {
        line if line.starts_with("PUT ") => ("201 Created", ""),
        _ => ("200 OK", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    write_layout(&folder.path().join("layout"));
    let layout = folder.path().join("layout");
    let port = registry.address.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let reference = format!("{host}:{port}/a/b:v1");
        let arguments = ["push", layout.to_str().unwrap(), &reference];
        let output = builder(&proxy, &arguments, folder.path());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            printed.starts_with(&format!("{host}:{port}/a/b@sha256:")),
            "{printed}"
        );
    }
    assert_eq!(registry.seen("PUT /v2/a/b/manifests/v1 "), 2);
    assert_eq!(proxy.seen(""), 0);
}

#[test]
fn a_local_key_service_is_used_without_proxy() {
    let proxy = proxy();
    let google = Server::start(|line| match line {
        line if line.starts_with("POST /token ") => {
            let token = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
            ("200 OK", token)
        }
        _ => (
            "404 Not Found",
            r#"{"error":{"code":404,"message":"no key","status":"NOT_FOUND"}}"#,
        ),
    });
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", google.address);
    let credentials = format!(
        r#"{{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r",
            "token_uri":"{endpoint}/token"}}"#
    );
    std::fs::write(folder.path().join("credentials.json"), credentials).unwrap();
    let image = format!("127.0.0.1:1/a/b@sha256:{}", "0".repeat(64));
    let key = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
    let arguments = ["sign", &image, "--key", key, "--kms-endpoint", &endpoint];
    let output = builder(&proxy, &arguments, folder.path());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("no key"), "{stderr}");
    assert_eq!(google.seen("GET /v1/projects/p/"), 1);
    assert_eq!(proxy.seen(""), 0);
}
