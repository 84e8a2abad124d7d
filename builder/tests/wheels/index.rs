//! A package index on loopback, and small wheels.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::Digest;
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

type Pages = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// An index that answers until the test ends.
pub(crate) struct Index {
    address: String,
    pages: Pages,
    listed: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Index {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pages = Pages::default();
        let served = Arc::clone(&pages);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || answer(&stream.unwrap(), &served));
            }
        });
        Self {
            address,
            pages,
            listed: Mutex::default(),
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("{}/simple", self.address)
    }

    /// Publishes a file. Returns its digest as requirements have it.
    pub(crate) fn publish(&self, project: &str, file: &str, bytes: &[u8]) -> String {
        self.list(project, file, &Digest::of(bytes).hex());
        let mut pages = self.pages.lock().unwrap();
        pages.insert(format!("/files/{file}"), bytes.to_vec());
        format!("--hash=sha256:{}", Digest::of(bytes).hex())
    }

    /// Lists a file with a digest.
    pub(crate) fn list(&self, project: &str, file: &str, hex: &str) {
        let mut listed = self.listed.lock().unwrap();
        let files = listed.entry(project.to_owned()).or_default();
        files.retain(|one| !one.contains(file));
        files.push(format!(
            "{{\"filename\":\"{file}\",\"url\":\"../../files/{file}\",\"hashes\":{{\"sha256\":\"{hex}\"}}}}"
        ));
        let page = format!(
            "{{\"meta\":{{\"api-version\":\"1.0\"}},\"name\":\"{project}\",\"files\":[{}]}}",
            files.join(",")
        );
        let mut pages = self.pages.lock().unwrap();
        pages.insert(format!("/simple/{project}/"), page.into_bytes());
    }
}

fn answer(stream: &TcpStream, pages: &Pages) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let page = pages.lock().unwrap().get(path).cloned();
    let status = if page.is_some() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = page.unwrap_or_default();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = stream;
    // A client may have gone.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

/// A wheel of `name` at `version`, with these files and further lines of `METADATA`.
pub(crate) fn wheel(name: &str, version: &str, metadata: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let info = format!("{name}-{version}.dist-info");
    let metadata =
        format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}\nText\n");
    let format = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let own = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let described = [
        (format!("{info}/METADATA"), metadata),
        (format!("{info}/WHEEL"), format.to_owned()),
    ];
    let mut files: Vec<_> = own.chain(described).collect();
    let lines = files.iter().map(|(path, text)| {
        let digest = URL_SAFE_NO_PAD.encode(Digest::of(text.as_bytes()).as_bytes());
        format!("{path},sha256={digest},{}\n", text.len())
    });
    let record = format!("{}{info}/RECORD,,\n", lines.collect::<String>());
    files.push((format!("{info}/RECORD"), record));
    archive(&files)
}

pub(crate) fn archive(files: &[(String, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (path, text) in files {
        let file = archive.new_file(EntryPath::verbatim(path.as_bytes()));
        let mode = if path.ends_with(".so") {
            0o100_755
        } else {
            0o100_644
        };
        let file = file.unix_permissions(mode);
        let (mut entry, config) = file
            .compression_method(CompressionMethod::STORE)
            .start()
            .unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(text.as_bytes()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}
