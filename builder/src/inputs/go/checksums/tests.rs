use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use signature::{KeyType, PrivateKey};

use super::*;

const LINE: &str = "golang.org/toolchain v0.0.1-go1.26.0.linux-amd64";

/// A database with one record that matters, and its key.
struct Log {
    key: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Log {
    fn new() -> Self {
        let private = PrivateKey::generate_of(KeyType::Ed25519).unwrap();
        let public = private.public().der();
        let public = [&[1], &public[public.len() - 32..]].concat();
        let hash = note::hash_of("log.example", &public);
        let h1 = H1::from_digest(Digest::of(b"toolchain"));
        let mut records: Vec<_> = (0..300).map(|number| format!("other {number}\n")).collect();
        records[260] = format!("{LINE} {h1}\n{LINE}/go.mod {h1}\n");
        let (root, tiles) = tree::tiles(&records);
        let head = format!(
            "go.sum database tree\n300\n{}\n",
            STANDARD.encode(root.as_bytes())
        );
        let signature = [&hash[..], &private.sign(head.as_bytes()).unwrap()].concat();
        let signature = STANDARD.encode(signature);
        let answer = format!(
            "260\n{}\n{head}\n\u{2014} log.example {signature}\n",
            records[260]
        );
        let base = "sumdb/log.example";
        let files = tiles
            .into_iter()
            .map(|(path, bytes)| (format!("{base}/{path}"), bytes));
        let mut files: BTreeMap<_, _> = files.collect();
        let path = LINE.replace(' ', "@");
        files.insert(format!("{base}/lookup/{path}"), answer.into_bytes());
        Self {
            key: format!(
                "log.example+{}+{}",
                hex::encode(hash),
                STANDARD.encode(public)
            ),
            files,
        }
    }

    fn lookup(&self) -> Result<H1, String> {
        let ask = |path: &str, _| {
            let file = self.files.get(path);
            file.cloned()
                .ok_or_else(|| format!("{path} does not exist"))
        };
        let (name, version) = LINE.split_once(' ').unwrap();
        lookup(
            &self.key,
            &name.parse().unwrap(),
            &version.parse().unwrap(),
            &ask,
        )
    }

    /// The reason, if the answer has `new` in place of `old`.
    fn refused(&self, old: &str, new: &str) -> String {
        let mut files = self.files.clone();
        for (path, bytes) in &mut files {
            if path.contains("/lookup/") {
                let text = String::from_utf8(bytes.clone()).unwrap();
                assert!(text.contains(old), "{old}");
                *bytes = text.replacen(old, new, 1).into_bytes();
            }
        }
        let changed = Self {
            key: self.key.clone(),
            files,
        };
        changed.lookup().unwrap_err()
    }
}

#[test]
fn the_hash_of_a_record_in_the_log_is_found() {
    let log = Log::new();
    assert_eq!(log.lookup(), Ok(H1::from_digest(Digest::of(b"toolchain"))));
}

#[test]
fn what_is_not_in_the_signed_log_does_not_count() {
    let log = Log::new();
    let (h1, other) = (Digest::of(b"toolchain"), Digest::of(b"other"));
    let (h1, other) = (
        H1::from_digest(h1).to_string(),
        H1::from_digest(other).to_string(),
    );
    for (old, new, reason) in [
        (h1.as_str(), other.as_str(), "is not in its log"),
        ("260\n", "261\n", "is not in its log"),
        ("260\n", "300\n", "is not in its log"),
        ("tree\n300\n", "tree\n299\n", "is not signed by its key"),
        ("log.example ", "log2.example ", "is not signed by its key"),
        ("\u{2014}", "-", "is not signed by its key"),
        ("260\n", "x\n", "is not a record"),
    ] {
        let refused = log.refused(old, new);
        assert!(refused.contains(reason), "{old} {new}: {refused}");
    }
    let another = Log {
        key: Log::new().key,
        files: log.files.clone(),
    };
    assert!(
        another
            .lookup()
            .unwrap_err()
            .contains("not signed by its key")
    );
    // The first 256 records are one hash of the level above.
    let is_read = |path: &&String| path.contains("/tile/8/") && !path.ends_with("/0/000");
    for path in log.files.keys().filter(is_read) {
        let mut files = log.files.clone();
        for byte in files.get_mut(path).unwrap() {
            *byte ^= 1;
        }
        let changed = Log {
            key: log.key.clone(),
            files,
        };
        assert!(changed.lookup().is_err(), "{path}");
    }
}

#[test]
fn the_key_of_the_public_database_is_one() {
    assert_eq!(Key::parse(PUBLIC).unwrap().name(), "sum.golang.org");
    let other = PUBLIC.replace("033de0ae", "033de0af");
    assert!(Key::parse(&other).is_none());
}
