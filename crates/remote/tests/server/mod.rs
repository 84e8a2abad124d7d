//! Debian's `docker-registry` on loopback, with its own directory and configuration. It has
//! no referrers API.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use content::Digest;
use oci::Repository;
use tempfile::TempDir;

pub struct Server {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Server {
    /// Starts the server; `None`, reported as a skip, if the program is not installed.
    pub fn start(test: &str, extra: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.yml");
        fs::write(&config, configuration(dir.path(), extra)).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            testkit::skip(test, "docker-registry is not installed");
            return None;
        };
        let port = listens(child.stderr.take().unwrap());
        Some(Self { child, dir, port })
    }

    pub fn repository(&self, path: &str) -> Repository {
        format!("127.0.0.1:{}/{path}", self.port).parse().unwrap()
    }

    /// The file in which the registry keeps a blob.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let blobs = self.dir.path().join("docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(&hex).join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port that the registry reports. The system chose it, so that no other process can have taken
/// it.
fn listens(stderr: ChildStderr) -> u16 {
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    let mut said = String::new();
    let port = lines.find_map(|line| {
        said.push_str(&line);
        let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    port.unwrap_or_else(|| panic!("docker-registry does not start: {said}"))
}

fn configuration(dir: &Path, extra: &str) -> String {
    format!(
        "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp:\n  addr: 127.0.0.1:0\n{extra}",
        dir.display()
    )
}
