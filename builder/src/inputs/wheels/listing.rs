//! What a package index says of a project: its files, in the two forms of the Simple API (PyPA specifications, "Simple repository
//! API").

mod html;
mod listed;

use std::collections::BTreeMap;

use content::json;
use serde::Deserialize;
use serde_json::Value;

pub(super) use listed::Listed;
use listed::digest;

/// Maximum size of an answer, in bytes. Projects with thousands of files have a few MiB.
pub(super) const ANSWER: u64 = 64 << 20;
/// The media types, the preferred one first.
pub(super) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

#[derive(Deserialize)]
struct Answer {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    yanked: Value,
}

/// Parses an answer in one of the two forms.
///
/// # Errors
/// What is wrong.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
        return html::parse(text);
    }
    let answer: Answer = json::parse(bytes, ANSWER).map_err(|error| error.to_string())?;
    let files = answer.files.into_iter().map(|file| {
        let sha256 = file.hashes.get("sha256").map(|hex| digest(hex));
        Ok(Listed {
            sha256: sha256.transpose()?,
            name: file.filename,
            url: file.url,
            is_yanked: !matches!(file.yanked, Value::Bool(false) | Value::Null),
        })
    });
    files.collect()
}

/// The names of the files in an answer.
///
/// # Errors
/// What is wrong.
pub fn names(bytes: &[u8]) -> Result<Vec<String>, String> {
    Ok(parse(bytes)?.into_iter().map(|file| file.name).collect())
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let hex = Digest::of(b"x").hex();
        let json = format!(
            r#"{{"meta":{{"api-version":"1.1"}},"name":"a","files":[
                {{"filename":"a-1-py3-none-any.whl","url":"../../a-1-py3-none-any.whl","hashes":{{"sha256":"{hex}"}},"yanked":false,"size":1}},
                {{"filename":"a-1.tar.gz","url":"https://host.example/a-1.tar.gz?x&y","hashes":{{}},"yanked":"broken"}}]}}"#
        );
        let html = format!(
            "<!DOCTYPE html>\n<html><body><h1>Links</h1>\n\
             <a href=\"../../a-1-py3-none-any.whl#sha256={hex}\" data-requires-python=\"&gt;=3\">a-1-py3-none-any.whl</a><br/>\n\
             <A class='x' data-yanked='broken'\n HREF='https://host.example/a-1.tar.gz?x&amp;y'>\n a-1.tar.gz </A></body></html>"
        );
        let read = parse(json.as_bytes()).unwrap();
        assert_eq!(read, parse(html.as_bytes()).unwrap());
        assert_eq!(read[0].sha256, Some(Digest::of(b"x")));
        let files: Vec<_> = read
            .iter()
            .map(|one| (one.sha256.is_some(), one.is_yanked))
            .collect();
        assert_eq!(files, [(true, false), (false, true)]);
    }

    #[test]
    fn other_answers_are_refused() {
        for text in [
            "",
            "login",
            "{}",
            r#"{"files":[{"filename":"a"}]}"#,
            r#"{"files":[],"files":[]}"#,
            r#"{"files":[{"filename":"a","url":"b","hashes":{"sha256":"0"}}]}"#,
            "<a href='x#sha256=0'>x</a>",
            "<a href='x",
        ] {
            parse(text.as_bytes()).unwrap_err();
        }
        assert_eq!(parse(b"<html></html>"), Ok(Vec::new()));
    }
}
