//! The tag-value form, read as the JSON form, so that both are checked alike.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::json;
use super::tags::{Form, Place, TAGS, Tag};
use crate::{Document, Error, Format, SIZE};

const FORMAT: Format = Format::SpdxTagValue;
/// Around a text of several lines.
const TEXT: [&str; 2] = ["<text>", "</text>"];

type Object = Map<String, Value>;

/// Parses a document of tags and values, encoded as UTF-8.
///
/// # Errors
/// Larger than [`SIZE`], a line that is not a known tag with a value, a tag before the one that it belongs to, two of a tag
/// of which only one is allowed, or what [`from_value`](super::from_value) refuses in JSON.
pub fn parse_tag_value(bytes: &[u8]) -> Result<Document, Error> {
    if bytes.len() as u64 > SIZE {
        let reason = format!("{} bytes are more than the limit of {SIZE}", bytes.len());
        return Err(Error::text(FORMAT, reason));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Error::text(FORMAT, error))?;
    let mut builder = Builder::default();
    let mut lines = Lines { rest: text };
    while let Some((name, value)) = lines.next()? {
        builder.add(name, value)?;
    }
    json::read(builder.finish(), FORMAT)
}

/// The tags and values of a text.
struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Lines<'a> {
    /// The next tag with its value.
    fn next(&mut self) -> Result<Option<(&'a str, &'a str)>, Error> {
        loop {
            let line = self.rest.trim_start();
            if line.is_empty() {
                return Ok(None);
            }
            let (first, rest) = line.split_once('\n').unwrap_or((line, ""));
            if first.starts_with('#') {
                self.rest = rest;
                continue;
            }
            let (name, value) = first.split_once(':').ok_or_else(|| malformed(first))?;
            let value = value.trim();
            if !value.starts_with(TEXT[0]) {
                self.rest = rest;
                return Ok(Some((name.trim_end(), value)));
            }
            return self.text(name.trim_end(), line).map(Some);
        }
    }

    /// A value that ends with `</text>`, perhaps on a later line.
    fn text(&mut self, name: &'a str, line: &'a str) -> Result<(&'a str, &'a str), Error> {
        let (_, value) = line.split_once(TEXT[0]).ok_or_else(|| malformed(line))?;
        let (value, rest) = value.split_once(TEXT[1]).ok_or_else(|| {
            let reason = format!("the text of {name} does not end with {}", TEXT[1]);
            Error::text(FORMAT, reason)
        })?;
        let (after, rest) = rest.split_once('\n').unwrap_or((rest, ""));
        if !after.trim().is_empty() {
            return Err(malformed(after));
        }
        self.rest = rest;
        Ok((name, value))
    }
}

fn malformed(line: &str) -> Error {
    Error::value(FORMAT, "a tag, a colon and a value", line.trim())
}

/// The objects so far.
#[derive(Default)]
struct Builder {
    document: Object,
    creation: Object,
    lists: BTreeMap<&'static str, Vec<Object>>,
    /// The list whose last object a tag `SPDXID` belongs to; `None` for the document.
    current: Option<&'static str>,
    /// For each file, how many packages were begun before it.
    packages_before: Vec<usize>,
}

impl Builder {
    fn add(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let tag = TAGS.iter().find(|tag| tag.name == name);
        let tag = tag.ok_or_else(|| Error::value(FORMAT, "a tag of SPDX", name))?;
        if let Place::New(list) = tag.place {
            self.begin(list);
        }
        let object = self.object(tag)?;
        set(object, tag, value)
    }

    fn begin(&mut self, list: &'static str) {
        if list == "files" {
            let packages = self.lists.get("packages").map_or(0, Vec::len);
            self.packages_before.push(packages);
        }
        if matches!(list, "files" | "packages" | "snippets") {
            self.current = Some(list);
        }
        self.lists.entry(list).or_default().push(Object::new());
    }

    fn object(&mut self, tag: &Tag) -> Result<&mut Object, Error> {
        let list = match tag.place {
            Place::Document => return Ok(&mut self.document),
            Place::Creation => return Ok(&mut self.creation),
            Place::New(list) | Place::Last(list) => list,
            Place::Current => match self.current {
                Some(list) => list,
                None => return Ok(&mut self.document),
            },
        };
        let last = self.lists.get_mut(list).and_then(|list| list.last_mut());
        let expected = format!("{list} before {}", tag.name);
        last.ok_or_else(|| Error::value(FORMAT, expected, "the tag before them"))
    }

    /// The document in the JSON form.
    fn finish(mut self) -> Value {
        self.contain();
        for snippet in self.lists.get_mut("snippets").into_iter().flatten() {
            complete(snippet);
        }
        let mut document = self.document;
        document.insert("creationInfo".to_owned(), self.creation.into());
        for (name, list) in self.lists {
            let list = list.into_iter().map(Value::from).collect();
            document.insert(name.to_owned(), Value::Array(list));
        }
        document.into()
    }

    /// A file after a package is in it (SPDX 2.3, section 8.1).
    fn contain(&mut self) {
        let files = self.lists.get("files").into_iter().flatten();
        let ids: Vec<_> = files.map(|file| file.get("SPDXID").cloned()).collect();
        let Some(packages) = self.lists.get_mut("packages") else {
            return;
        };
        for (id, before) in ids.into_iter().zip(&self.packages_before) {
            let package = before
                .checked_sub(1)
                .and_then(|index| packages.get_mut(index));
            if let (Some(id), Some(package)) = (id, package) {
                push(package, "hasFiles", id);
            }
        }
    }
}

/// Adds what the JSON form requires of a snippet and the tag-value form does not: its name, and the file in each pointer.
fn complete(snippet: &mut Object) {
    let id = snippet.get("SPDXID").cloned().unwrap_or_default();
    let file = snippet.get("snippetFromFile").cloned().unwrap_or_default();
    snippet.entry("name").or_insert(id);
    let ranges = snippet.get_mut("ranges").and_then(Value::as_array_mut);
    for range in ranges.into_iter().flatten() {
        for pointer in ["startPointer", "endPointer"] {
            range[pointer]["reference"] = file.clone();
        }
    }
}

fn set(object: &mut Object, tag: &Tag, value: &str) -> Result<(), Error> {
    let wrong = |expected: &str| Error::value(FORMAT, format!("{}: {expected}", tag.name), value);
    match tag.form {
        Form::Text => return once(object, tag, value.into()),
        Form::Bool => {
            // Other programs write `True` and `TRUE`, too.
            let lower = value.to_ascii_lowercase();
            let parsed = lower.parse::<bool>().map_err(|_| wrong("true or false"))?;
            return once(object, tag, parsed.into());
        }
        Form::VerificationCode => return once(object, tag, verification_code(value)),
        Form::Texts => push(object, tag.member, value.into()),
        Form::Checksum => {
            let checksum = checksum(value).ok_or_else(|| wrong("an algorithm and a digest"))?;
            push(object, tag.member, checksum);
        }
        Form::Words(names) => {
            let words = words(value, names).ok_or_else(|| wrong(&names.join(" ")))?;
            object.extend(words);
        }
        Form::ListOfWords(names) => {
            let words = words(value, names).ok_or_else(|| wrong(&names.join(" ")))?;
            push(object, tag.member, words.into());
        }
        Form::CommentOnLast => {
            let list = object.get_mut(tag.member).and_then(Value::as_array_mut);
            let last = list.and_then(|list| list.last_mut());
            let last = last.ok_or_else(|| wrong("something to comment on"))?;
            last["comment"] = value.into();
        }
        Form::Range(member) => {
            let range = range(value, member).ok_or_else(|| wrong("two numbers"))?;
            push(object, tag.member, range);
        }
        Form::Ignored => {}
    }
    Ok(())
}

fn once(object: &mut Object, tag: &Tag, value: Value) -> Result<(), Error> {
    match object.insert(tag.member.to_owned(), value) {
        Some(_) => Err(Error::value(FORMAT, format!("{} once", tag.name), "twice")),
        None => Ok(()),
    }
}

fn push(object: &mut Object, member: &str, value: Value) {
    let list = object.entry(member).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

fn checksum(value: &str) -> Option<Value> {
    let (algorithm, digest) = value.split_once(':')?;
    Some(json!({"algorithm": algorithm.trim(), "checksumValue": digest.trim()}))
}

fn verification_code(value: &str) -> Value {
    let (code, excluded) = value.split_once('(').unwrap_or((value, ""));
    let excluded = excluded.trim_end().trim_end_matches(')');
    let excluded = excluded.trim_start().trim_start_matches("excludes:");
    let files = excluded.split(',').map(str::trim);
    let files: Vec<_> = files.filter(|file| !file.is_empty()).collect();
    let mut object = json!({"packageVerificationCodeValue": code.trim()});
    if !files.is_empty() {
        object["packageVerificationCodeExcludedFiles"] = files.into();
    }
    object
}

fn words(value: &str, names: &[&str]) -> Option<Object> {
    let mut object = Object::new();
    let mut rest = value.trim();
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        let (word, after) = match is_last {
            true => (rest, ""),
            false => rest.split_once(char::is_whitespace)?,
        };
        let word = match *name {
            "checksum" => checksum(word)?,
            _ => word.into(),
        };
        object.insert((*name).to_owned(), word);
        rest = after.trim_start();
    }
    Some(object)
}

fn range(value: &str, member: &str) -> Option<Value> {
    let (start, end) = value.split_once(':')?;
    let [start, end] = [start, end].map(|number| number.trim().parse::<u64>().ok());
    Some(json!({"startPointer": {member: start?}, "endPointer": {member: end?}}))
}
