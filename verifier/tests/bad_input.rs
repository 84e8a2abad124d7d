//! Whatever keeps the verifier from a verdict is told in one sentence, with what helps, as exit
//! status 2, and leaves nothing.
#![allow(clippy::unwrap_used, reason = "a test panics")]

#[path = "../../builder/tests/told/mod.rs"]
mod told;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use told::told;

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

/// A repository at the port of the discard protocol: nobody listens.
const NOWHERE: &str = "127.0.0.1:9/a/b";

/// A folder with a policy, a grant, a key and a file of nonsense.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["policy.toml", "grant.toml", "nonsense"] {
            let example = Path::new(POLICIES).join(name.replace("policy", "release"));
            let text = fs::read_to_string(example).unwrap_or_else(|_| "nonsense".to_owned());
            fs::write(place.at(name), text).unwrap();
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the verifier's command `words` in this place; gives what it said.
    fn fails(&self, words: &str) -> String {
        let before = self.names();
        let mut verifier = Command::new(env!("CARGO_BIN_EXE_verifier"));
        verifier.args(words.split_whitespace());
        verifier
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path());
        let said = told("verifier", verifier);
        assert_eq!(self.names(), before, "{words}");
        said
    }

    fn names(&self) -> Vec<std::ffi::OsString> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }
}

fn image(repository: &str) -> String {
    format!("{repository}@sha256:{}", "0".repeat(64))
}

/// A server that is no registry: it greets whoever asks anything.
fn no_registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\
                  Connection: close\r\n\r\nhello\n",
            );
        }
    });
    format!("{address}/a/b")
}

#[test]
fn policies() {
    let place = Place::new();
    let image = image(NOWHERE);
    let said = place.fails(&format!("verify {image} --policy missing.toml"));
    assert!(said.contains("missing.toml"), "{said}");
    let said = place.fails(&format!("verify {image} --policy nonsense"));
    assert!(said.contains("nonsense: parsing policy"), "{said}");
    let said = place.fails(&format!("verify {image} --policy policy.toml"));
    assert!(said.contains("--source"), "{said}");
}

#[test]
fn grants_and_keys() {
    let place = Place::new();
    let image = image(NOWHERE);
    let authorize = format!("authorize {image} --policy policy.toml --source .");
    let said = place.fails(&format!("{authorize} --grant missing --key nonsense"));
    assert!(said.contains("missing"), "{said}");
    let said = place.fails(&format!("{authorize} --grant nonsense --key nonsense"));
    assert!(said.contains("nonsense: parsing grant"), "{said}");
    let said = place.fails(&format!("{authorize} --grant grant.toml --key missing"));
    assert!(said.contains("missing"), "{said}");
    let said = place.fails(&format!("{authorize} --grant grant.toml --key nonsense"));
    assert!(said.contains("PEM"), "{said}");
    let said = place.fails(&format!("revoke {image} --grant missing"));
    assert!(said.contains("missing"), "{said}");
}

#[test]
fn registries() {
    let place = Place::new();
    let verify = "--policy policy.toml --source . --plain-http";
    let said = place.fails(&format!("verify {} {verify}", image(NOWHERE)));
    assert!(said.contains("127.0.0.1:9"), "{said}");
    let said = place.fails(&format!("verify {NOWHERE}:v1 {verify}"));
    assert!(said.contains("127.0.0.1:9"), "{said}");
    let wrong = no_registry();
    for reference in [image(&wrong), format!("{wrong}:v1")] {
        let said = place.fails(&format!("verify {reference} {verify}"));
        assert!(said.contains("expected a manifest"), "{said}");
    }
    let said = place.fails(&format!(
        "verify {NOWHERE}:v1 --policy policy.toml --source . --ca missing"
    ));
    assert!(said.contains("missing"), "{said}");
}

#[test]
fn rebuilds() {
    let place = Place::new();
    let image = image(NOWHERE);
    let said = place.fails(&format!(
        "rebuild {image} --source . -o nonsense --plain-http"
    ));
    assert!(said.contains("exists already"), "{said}");
    place.fails(&format!(
        "rebuild {image} --source . -o layout --plain-http"
    ));
}
