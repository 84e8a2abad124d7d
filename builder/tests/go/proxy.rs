//! A module proxy in a folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, Hasher};
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

pub(crate) struct Proxy(PathBuf);

impl Proxy {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(crate) fn address(&self) -> String {
        format!("file://{}", self.0.display())
    }

    /// Publishes a module of one file. Returns its lines for `go.sum`.
    pub(crate) fn publish(&self, name: &str, version: &str, code: &str) -> String {
        let manifest = format!("module {name}\n\ngo 1.21\n");
        let top = format!("{name}@{version}");
        let files = [
            (format!("{top}/code.go"), code),
            (format!("{top}/go.mod"), &manifest),
        ];
        let folder = self.0.join(name).join("@v");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{version}.mod")), &manifest).unwrap();
        fs::write(folder.join(format!("{version}.zip")), archive(&files)).unwrap();
        let whole = hash(&files);
        let alone = hash(&[("go.mod".to_owned(), &manifest)]);
        format!("{name} {version} {whole}\n{name} {version}/go.mod {alone}\n")
    }
}

fn archive(files: &[(String, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (path, content) in files {
        let file = archive.new_file(EntryPath::verbatim(path.as_bytes()));
        let (mut entry, config) = file
            .compression_method(CompressionMethod::STORE)
            .start()
            .unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content.as_bytes()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// The hash of files in the order of their names (golang.org/x/mod/sumdb/dirhash, `Hash1`).
fn hash(files: &[(String, &str)]) -> String {
    let mut hasher = Hasher::new();
    for (name, content) in files {
        let digest = Digest::of(content.as_bytes());
        hasher.update(format!("{}  {name}\n", digest.hex()).as_bytes());
    }
    format!("h1:{}", STANDARD.encode(hasher.finish().as_bytes()))
}
