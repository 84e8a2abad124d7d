//! A layer: a tar archive, plain or in gzip or zstd.

use std::fs::File;
use std::path::Path;

use console::at::At;
use oci::archive::{self, Entry};
use serde_json::{Value, json};

use super::{Facts, Judgement, refusal};
use crate::Error;

/// Checks whether a layer can be read as container runtimes read it, and nothing in it is outside the image's root. The
/// facts are the `diff_id` and the `entries`.
///
/// # Errors
/// The file cannot be read.
pub fn layer(path: &Path, mut facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let file = File::open(path).map_err(At::reading(path))?;
    let mut entries = Vec::new();
    let read = archive::read(file, |entry| -> Result<(), oci::Error> {
        if facts.is_some() {
            entries.push(described(&entry));
        }
        Ok(())
    });
    let diff_id = match read {
        Ok(diff_id) => diff_id,
        Err(error) => return refusal(path, error).map(Judgement::Refused),
    };
    if let Some(facts) = &mut facts {
        facts.insert("diff_id".to_owned(), diff_id.to_string().into());
        facts.insert("entries".to_owned(), entries.into());
    }
    Ok(Judgement::Accepted)
}

fn described(entry: &Entry) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = json!({
        "name": text(&entry.name),
        "type": char::from(entry.flag).to_string(),
        "size": entry.size,
        "mode": entry.mode,
        "uid": entry.uid,
        "gid": entry.gid,
        "mtime": entry.mtime,
    });
    if !entry.link.is_empty() {
        line["link"] = text(&entry.link).into();
    }
    if let Some(digest) = entry.digest {
        line["digest"] = digest.to_string().into();
    }
    for (key, value) in &entry.records {
        line["records"][text(key)] = text(value).into();
    }
    line
}
