//! A server of HTTPS with a name of its own. Clients reach it by a proxy, as many machines reach all others.
#![allow(dead_code, reason = "not every test uses all functions")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

/// The name of the server.
pub const HOST: &str = "toolchains.example";

/// The certificate authorities of a Debian system.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A running server.
pub struct Server {
    proxy: String,
    certificate: PathBuf,
    answered: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that answers each request by this function of its path. Its certificate is written into `folder`.
    pub fn start(folder: &Path, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let (config, certificate) = identity(folder);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let answered = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (answered.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, count, answer) = (config.clone(), count.clone(), answer.clone());
                let stream = stream.unwrap();
                std::thread::spawn(move || {
                    // A client may end a connection at any time.
                    let _ = speak(stream, config, &|path| {
                        count.fetch_add(1, Ordering::Relaxed);
                        answer(path)
                    });
                });
            }
        });
        Self {
            proxy,
            certificate,
            answered,
        }
    }

    /// Lets a program reach the server.
    pub fn lead(&self, command: &mut Command) {
        for name in ["NO_PROXY", "no_proxy", "SSL_CERT_DIR"] {
            command.env_remove(name);
        }
        command.env("HTTPS_PROXY", &self.proxy);
        command.env("SSL_CERT_FILE", &self.certificate);
    }

    /// How many requests it has answered.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }
}

/// An answer of the server.
pub enum Answer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes are elsewhere.
    Elsewhere(String),
}

fn identity(folder: &Path) -> (Arc<ServerConfig>, PathBuf) {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    let body = STANDARD.encode(made.cert.der());
    let path = folder.join("authority.pem");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    // Other servers are reached as before.
    let others = std::env::var_os("SSL_CERT_FILE").unwrap_or_else(|| AUTHORITIES.into());
    let others = std::fs::read_to_string(others).unwrap_or_default();
    std::fs::write(&path, pem + &others).unwrap();
    (Arc::new(config.unwrap()), path)
}

/// Plays the proxy, and then the server behind it, for one request.
fn speak(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    answer: &dyn Fn(&str) -> Answer,
) -> std::io::Result<()> {
    let asked = head(&mut stream)?;
    if !asked.starts_with(&format!("CONNECT {HOST}:443 ")) {
        return lead_on(stream, &asked);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut connection = ServerConnection::new(config).unwrap();
    let mut tls = Stream::new(&mut connection, &mut stream);
    let first = head(&mut tls)?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match answer(path) {
        Answer::Bytes(bytes) => ("200 OK".to_owned(), bytes),
        Answer::Elsewhere(url) => (format!("302 Found\r\nLocation: {url}"), Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    tls.write_all(&[head.as_bytes(), &body].concat())?;
    connection.send_close_notify();
    connection.complete_io(&mut stream).map(drop)
}

/// Connects a client to another server.
fn lead_on(mut stream: TcpStream, asked: &str) -> std::io::Result<()> {
    let other = asked.split(' ').nth(1).unwrap_or_default();
    let mut other = TcpStream::connect(other)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (other.try_clone()?, stream.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut stream, &mut other).map(drop)
}

/// The first line of a request; the others are skipped.
fn head(stream: &mut impl Read) -> std::io::Result<String> {
    // One byte at a time: the bytes after the head belong to what follows.
    let mut reader = BufReader::with_capacity(1, stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = first.clone();
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    match first.is_empty() {
        true => Err(std::io::ErrorKind::UnexpectedEof.into()),
        false => Ok(first),
    }
}
