//! A registry with one crate.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use content::Digest;

use super::{NAME, VERSION};

/// A crate archive whose text differs from that of others.
pub fn archive(text: &str) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), level));
    let manifest =
        format!("[package]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\nedition = \"2021\"\n");
    for (path, text) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", text)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let path = format!("{NAME}-{VERSION}/{path}");
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A registry with one crate, which is yanked: a lock may still name it.
pub struct Registry {
    pub address: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    pub fn serve(archive: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let registry = Self {
            address: address.clone(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&registry.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let path = answer(stream, &address, &archive);
                asked.lock().unwrap().push(path);
            }
        });
        registry
    }

    pub fn index(&self) -> String {
        format!("sparse+http://{}/", self.address)
    }

    pub fn was_asked(&self) -> bool {
        !self.asked.lock().unwrap().is_empty()
    }
}

fn answer(stream: TcpStream, address: &str, archive: &[u8]) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = match path.as_str() {
        "/config.json" => (
            "200 OK",
            format!("{{\"dl\":\"http://{address}/dl\"}}").into_bytes(),
        ),
        "/it/oa/itoa" => {
            let digest = Digest::of(archive).hex();
            let entry = format!(
                "{{\"name\":\"{NAME}\",\"vers\":\"{VERSION}\",\"deps\":[],\"features\":{{}},\"yanked\":true,\"cksum\":\"{digest}\"}}\n"
            );
            ("200 OK", entry.into_bytes())
        }
        path if path.starts_with("/dl/") => ("200 OK", archive.to_vec()),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    // cargo may have given up.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
    path
}
