//! Services on this machine need no option for plain HTTP, and are reached without a proxy.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// A registry that has every blob, and takes a while for the manifest.
fn slow_registry() -> Server {
    Server::start(|line| {
        if line.starts_with("PUT ") {
            std::thread::sleep(Duration::from_millis(900));
        }
        ("200 OK", "")
    })
}

/// The arguments that push a layout in `folder`.
fn pushing(registry: &Server, folder: &Path) -> String {
    let layout = folder.join("layout");
    write_layout(&layout);
    let address = &registry.address;
    format!("push {} {address}/a/b:v1", layout.display())
}

/// `builder` with these arguments on a terminal of this many columns, of util-linux's script(1).
fn on_terminal(arguments: &str, columns: u16) -> Command {
    let program = env!("CARGO_BIN_EXE_builder");
    let command = format!("stty cols {columns} rows 20; exec {program} {arguments}");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    script.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    script.env_remove("COUNTERSIGN_PROGRESS");
    script
}

#[test]
fn progress_is_lines_where_there_is_no_terminal() {
    let registry = Server::start(|_| ("200 OK", ""));
    let folder = tempfile::tempdir().unwrap();
    let pushing = pushing(&registry, folder.path());
    let words: Vec<_> = pushing.split(' ').collect();
    let said = |how: &[&str]| {
        let output = builder(&proxy(), &[&words[..], how].concat(), folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.starts_with(b"127.0.0.1:"), "{said}");
        said
    };
    let plain = said(&[]);
    let lines: Vec<_> = plain.lines().collect();
    let [begin, amount, end] = lines[..] else {
        panic!("{plain}")
    };
    assert_eq!(begin, "#1 push the image");
    let (done, all) = amount.split_once(" / ").unwrap();
    assert_eq!(done, format!("#1 push the image {all}"));
    assert!(end.starts_with("#1 done ") && end.ends_with('s'), "{end}");
    assert_eq!(said(&["--progress", "quiet"]), "");
    let raw = said(&["--progress", "rawjson"]);
    let first = r#"{"begun":{"step":1,"name":"push the image"}}"#;
    assert_eq!(raw.lines().next(), Some(first));
    let arguments = [&words[..], &["--progress", "tty"]].concat();
    let refused = builder(&proxy(), &arguments, folder.path());
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("standard error is not a terminal"), "{said}");
}

#[test]
fn progress_is_redrawn_on_a_terminal() {
    let (registry, folder) = (slow_registry(), tempfile::tempdir().unwrap());
    let pushing = pushing(&registry, folder.path());
    for (columns, colors) in [(80, true), (20, false)] {
        let mut script = on_terminal(&pushing, columns);
        if !colors {
            script.env("NO_COLOR", "1");
        }
        let output = script.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        assert_eq!(said.contains("\u{1b}[36m"), colors, "{said:?}");
        // Each time that the block is drawn, its line is erased before.
        let drawn: Vec<_> = said.split("\u{1b}[2K").collect();
        assert!(drawn.len() > 3, "{said:?}");
        let last: Vec<_> = drawn[drawn.len() - 1].lines().collect();
        assert!(last[0].starts_with("#1 push the image "), "{said:?}");
        assert!(last[0].contains(" done "), "{said:?}");
        assert!(last[1].starts_with("127.0.0.1:"), "{said:?}");
        for block in &drawn[..drawn.len() - 1] {
            assert!(colors || block.trim().chars().count() <= 20, "{block:?}");
        }
    }
}

#[test]
fn an_interrupt_on_a_terminal_leaves_no_block() {
    let (registry, folder) = (slow_registry(), tempfile::tempdir().unwrap());
    let mut script = on_terminal(&pushing(&registry, folder.path()), 80);
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = script.spawn().unwrap();
    let (mut stdin, stdout) = (
        running.stdin.take().unwrap(),
        running.stdout.take().unwrap(),
    );
    let (mut said, mut stdout) = (Vec::new(), BufReader::new(stdout));
    while !String::from_utf8_lossy(&said).contains("push the image") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        said.extend(byte);
    }
    // The terminal makes a signal of this key.
    stdin.write_all(b"\x03").unwrap();
    stdout.read_to_end(&mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(2));
    let said = String::from_utf8(said).unwrap();
    let last: Vec<_> = said.lines().rev().take(2).collect();
    assert!(
        last[0].starts_with("builder: error: interrupted"),
        "{said:?}"
    );
    assert!(last[1].contains("#1 push the image"), "{said:?}");
    assert!(last[1].contains(" canceled "), "{said:?}");
}
