//! An image with its bill of materials and its `Cargo.lock`.

use std::collections::BTreeMap;
use std::path::Path;

use content::Digest;
use oci::{Descriptor, Image, Layout, Manifest, media};
use serde_json::{Value, json};
use tempfile::TempDir;
use verifier::contents::Contents;
use verifier::inventory::{Inventory, View, locked};

use crate::program::{compressed, program};

/// An image, its bill of materials and its `Cargo.lock`.
pub struct Case {
    /// For each layer, the content of each file, or the target of a hard link.
    pub layers: Vec<BTreeMap<&'static str, Content>>,
    pub components: Value,
    pub lock: String,
}

#[derive(Clone)]
pub enum Content {
    File(Vec<u8>),
    HardLink(&'static str),
}

pub fn file(bytes: &[u8]) -> Content {
    Content::File(bytes.to_vec())
}

/// A program that contains these crates.
pub fn with_crates(crates: &[(&str, &str)]) -> Vec<u8> {
    let packages = crates.iter().map(|(name, version)| {
        json!({"name": name, "version": version, "source": "crates.io", "root": *name == "app"})
    });
    let list = json!({"packages": packages.collect::<Vec<_>>()});
    program(".dep-v0", &compressed(&list.to_string()))
}

pub const CRATES: [(&str, &str); 2] = [("app", "1.0.0"), ("ring", "0.17.14")];

pub fn hashes(bytes: &[u8]) -> Value {
    json!([{"alg": "SHA-256", "content": Digest::of(bytes).hex()}])
}

impl Case {
    pub fn honest() -> Self {
        let binary = with_crates(&CRATES);
        let lower = [
            ("bin/app", file(b"an older program")),
            ("etc/config", file(b"config")),
            ("etc/removed", file(b"removed")),
            ("var/a/b", file(b"below")),
        ];
        let upper = [
            ("bin/app", file(&binary)),
            ("bin/same", Content::HardLink("bin/app")),
            ("etc/.wh.removed", file(b"")),
            ("var/a/.wh..wh..opq", file(b"")),
            ("var/a/c", file(b"new")),
        ];
        let crates = |name: &str, version: &str, bytes: &[u8]| {
            json!({
                "type": "library", "name": name, "version": version, "hashes": hashes(bytes),
                "purl": format!("pkg:cargo/{name}@{version}"),
            })
        };
        let listed = |path: &str, bytes: &[u8]| json!({"type": "file", "name": path, "hashes": hashes(bytes)});
        let components = json!([
            listed("/bin/app", &binary),
            listed("/bin/same", &binary),
            crates("app", "1.0.0", b"app"),
            crates("ring", "0.17.14", b"ring"),
            {"type": "library", "name": "settings", "components": [listed("./etc/config", b"config")]},
            listed("var/a/c", b"new"),
            {"type": "library", "name": "libc6-dev", "version": "2.36", "purl": "pkg:deb/debian/libc6-dev@2.36?arch=amd64"},
        ]);
        let checksum = Digest::of(b"ring").hex();
        let lock = format!(
            "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n\
            [[package]]\nname = \"ring\"\nversion = \"0.17.14\"\nchecksum = \"{checksum}\"\n"
        );
        Self {
            layers: vec![lower.into(), upper.into()],
            components,
            lock,
        }
    }

    pub fn put(&mut self, path: &'static str, content: &[u8]) {
        self.layers[1].insert(path, file(content));
    }

    /// Replaces the program in the image and its digest in the bill of materials.
    pub fn link(&mut self, binary: &[u8]) {
        self.put("bin/app", binary);
        self.components[0]["hashes"] = hashes(binary);
        self.components[1]["hashes"] = hashes(binary);
    }

    pub fn push(&mut self, component: Value) {
        self.components.as_array_mut().unwrap().push(component);
    }

    pub fn remove(&mut self, index: usize) {
        self.components.as_array_mut().unwrap().remove(index);
    }

    pub fn document(&self) -> String {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": self.components})
            .to_string()
    }

    /// Writes the image, and gives it.
    pub fn layout(&self, dir: &Path) -> (Layout, Image) {
        let layout = Layout::create(dir).unwrap();
        let mut described = Vec::new();
        let mut diff_ids = Vec::new();
        for layer in &self.layers {
            let archive = archive(layer);
            diff_ids.push(Digest::of(&archive));
            described.push(layout.write_blob(media::LAYER_TAR, &archive).unwrap());
        }
        let config = json!({
            "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = layout
            .write_blob(media::CONFIG, config.to_string().as_bytes())
            .unwrap();
        let manifest = Manifest::new(config, described).to_bytes().unwrap();
        let descriptor: Descriptor = layout.write_blob(media::MANIFEST, &manifest).unwrap();
        layout.set_image(&descriptor).unwrap();
        let image = layout.image().unwrap();
        (layout, image)
    }

    /// The faults that are found, and what is not shown.
    pub fn report(&self) -> (Vec<String>, Vec<String>) {
        self.compared(self.document().as_bytes())
    }

    /// The faults that are found if these files are known to come as they are from a base image or package.
    pub fn with_delivered(&self, files: &[&str]) -> Vec<String> {
        let files = files.iter().map(|path| (*path).to_owned());
        self.checked(self.document().as_bytes(), |inventory| {
            inventory.with_delivered(files)
        })
        .0
    }

    /// As [`Case::report`], with another bill of materials.
    pub fn compared(&self, document: &[u8]) -> (Vec<String>, Vec<String>) {
        self.checked(document, |inventory| inventory)
    }

    fn checked(
        &self,
        document: &[u8],
        of: impl for<'a> FnOnce(Inventory<'a>) -> Inventory<'a>,
    ) -> (Vec<String>, Vec<String>) {
        let folder = TempDir::new().unwrap();
        let (layout, image) = self.layout(folder.path());
        let contents = Contents::read(image, &|descriptor| {
            Ok(Box::new(layout.open_blob(&descriptor.digest).unwrap()))
        });
        let document = sbom::parse(document).unwrap();
        let lock = locked(self.lock.as_bytes()).unwrap();
        let contents = contents.unwrap();
        let inventory = of(Inventory::of(&contents, View::Container));
        let report = inventory.check(&document, Some(&lock));
        let faults = report.faults.iter().map(ToString::to_string).collect();
        (faults, report.unshown)
    }
}

fn archive(entries: &BTreeMap<&'static str, Content>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    // Links after the files that they name.
    let is_link = |content: &Content| matches!(content, Content::HardLink(_));
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(_, content)| is_link(content));
    for (path, content) in sorted {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        match content {
            Content::File(bytes) => {
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, path, &bytes[..]).unwrap();
            }
            Content::HardLink(target) => {
                header.set_entry_type(tar::EntryType::Link);
                header.set_size(0);
                archive.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    archive.into_inner().unwrap()
}
