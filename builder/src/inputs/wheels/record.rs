//! The file `RECORD` of a wheel: the digest of each of its files (PyPA specifications, "Recording installed projects").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::Digest;

use crate::untrusted::shown;

/// What a record says of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Recorded {
    pub(super) sha256: Option<Digest>,
    pub(super) size: Option<u64>,
}

/// Parses a record: the files by path.
///
/// # Errors
/// What is wrong.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Recorded>, String> {
    let mut files = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let at = |fault: String| format!("line {}: {fault}", index + 1);
        let [path, digest, size] = fields(line).map_err(at)?;
        let recorded = recorded(&digest, &size).map_err(at)?;
        if files.insert(path.clone(), recorded).is_some() {
            return Err(at(format!("{} is there twice", shown(&path))));
        }
    }
    Ok(files)
}

fn recorded(digest: &str, size: &str) -> Result<Recorded, String> {
    let sha256 = match digest.split_once('=') {
        None if digest.is_empty() => None,
        Some(("sha256", text)) => Some(sha256(text).ok_or("expected a digest in base64")?),
        _ => return Err(format!("expected sha256=…, found \"{}\"", shown(digest))),
    };
    let size = match size {
        "" => None,
        size => Some(size.parse().map_err(|_| "expected a size in bytes")?),
    };
    Ok(Recorded { sha256, size })
}

fn sha256(text: &str) -> Option<Digest> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

/// The three fields of a line. A field in quotes may have commas, and two quotes in it stand for one.
fn fields(line: &str) -> Result<[String; 3], String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let doubled = is_quoted && c == '"' && characters.next_if_eq(&'"').is_some();
        match (c, fields.last_mut()) {
            ('"', Some(last)) if doubled => last.push('"'),
            ('"', _) => is_quoted = !is_quoted,
            (',', _) if !is_quoted => fields.push(String::new()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    let count = fields.len();
    match <[String; 3]>::try_from(fields) {
        Ok(fields) if !is_quoted => Ok(fields),
        Ok(_) => Err("a quote does not end".to_owned()),
        Err(_) => Err(format!(
            "expected path, digest and size, found {count} fields"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_digests_and_sizes() {
        let digest = URL_SAFE_NO_PAD.encode(Digest::of(b"x").as_bytes());
        let text = format!(
            "a/b.py,sha256={digest},1\r\n\"c,\"\"d\"\"\",sha256={digest}=,\na-1.dist-info/RECORD,,\n"
        );
        let files = parse(&text).unwrap();
        let full = Recorded {
            sha256: Some(Digest::of(b"x")),
            size: Some(1),
        };
        assert_eq!(files["a/b.py"], full);
        assert_eq!(files["c,\"d\""].sha256, full.sha256);
        let none = Recorded {
            sha256: None,
            size: None,
        };
        assert_eq!(files["a-1.dist-info/RECORD"], none);
        for (text, fault) in [
            (
                "a",
                "line 1: expected path, digest and size, found 1 fields",
            ),
            ("a,,\na,,", "line 2: a is there twice"),
            ("a,md5=x,", "line 1: expected sha256=…, found \"md5=x\""),
            ("a,sha256=x,", "line 1: expected a digest in base64"),
            ("a,,x", "line 1: expected a size in bytes"),
            ("\"a,,", "line 1: expected path"),
            ("a,,\"1", "line 1: a quote does not end"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
