//! Lists of referrers, read entry by entry: a malformed entry of another tool must not make the other
//! entries unreadable.

use content::{Digest, json, limits};
use oci::{Descriptor, media};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::Error;

/// One referrer in a list. Only its digest is used: some registries list wrong types.
pub(crate) enum Entry {
    /// A manifest of any type.
    Manifest(Digest),
    /// An entry without a valid SHA-256 digest. The value is the text in its place, escaped for printing.
    Unreadable(String),
}

/// The members that distinguish a list from other manifests. Go would match other spellings with these names, so the
/// parser refuses them. `None` is an absent member.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: Option<Value>,
    media_type: Option<Value>,
    #[serde(default, deserialize_with = "null_is_present")]
    manifests: Option<Value>,
    config: Option<Value>,
    layers: Option<Value>,
}

/// The member of an entry that is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default, deserialize_with = "json::null_is_default")]
    digest: String,
}

/// A list of referrers: an image index (OCI image specification, image-index.md).
pub(crate) struct List {
    document: Map<String, Value>,
}

impl List {
    /// Parses a list; `None` for a JSON document of another kind.
    ///
    /// # Errors
    /// The bytes are not strict JSON, or Go could read another list from them.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, json::JsonError> {
        let document: Value = json::parse(bytes, limits::MANIFEST)?;
        let Value::Object(document) = document else {
            return Ok(None);
        };
        let index: Index = json::parse(bytes, limits::MANIFEST)?;
        Ok(index.is_list().then_some(Self { document }))
    }

    pub(crate) fn empty() -> Self {
        let mut document = Map::new();
        document.insert("schemaVersion".to_owned(), 2.into());
        document.insert("mediaType".to_owned(), media::INDEX.into());
        document.insert("manifests".to_owned(), Value::Array(Vec::new()));
        Self { document }
    }

    fn listed(&self) -> &[Value] {
        let listed = self.document.get("manifests").and_then(Value::as_array);
        listed.map_or(&[], Vec::as_slice)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.listed().iter().map(entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.listed().len()
    }

    pub(crate) fn names(&self, digest: &Digest) -> bool {
        self.entries()
            .any(|entry| matches!(entry, Entry::Manifest(found) if found == *digest))
    }

    /// The list with `descriptor` added, as canonical JSON. All other members and entries are kept.
    ///
    /// # Errors
    /// The list contains a number that is not an integer.
    pub(crate) fn with(self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        self.add(descriptor).map_err(Error::unchanged)
    }

    fn add(mut self, descriptor: &Descriptor) -> Result<Vec<u8>, json::JsonError> {
        let described: Value = json::parse(&json::canonical(descriptor)?, limits::MANIFEST)?;
        match self.document.get_mut("manifests") {
            Some(Value::Array(listed)) => listed.push(described),
            _ => {
                let listed = Value::Array(vec![described]);
                self.document.insert("manifests".to_owned(), listed);
            }
        }
        json::canonical(&self.document)
    }
}

impl Index {
    fn is_list(&self) -> bool {
        let is_index = |found: &Value| found == media::INDEX;
        self.media_type.as_ref().is_none_or(is_index)
            && self.schema_version == Some(2.into())
            // Go writes an empty list as null.
            && matches!(self.manifests, Some(Value::Array(_) | Value::Null))
            && self.layers.is_none()
            && self.config.is_none()
    }
}

fn null_is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn entry(value: &Value) -> Entry {
    let text = value.get("digest").and_then(Value::as_str);
    let unreadable = || Entry::Unreadable(content::printable(text.unwrap_or_default(), 100));
    let listed: Result<Listed, _> = json::parse(value.to_string().as_bytes(), limits::MANIFEST);
    let digest = listed.ok().and_then(|listed| listed.digest.parse().ok());
    digest.map_or_else(unreadable, Entry::Manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{"schemaVersion":2,"manifests":null}"#;

    fn parse(text: &str) -> Option<List> {
        List::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_list_is_an_index() {
        assert_eq!(parse(EMPTY).unwrap().len(), 0);
        for other in [
            "[]",
            "{}",
            r#"{"errors":[]}"#,
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
            r#"{"schemaVersion":2,"mediaType":"a/b","manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
        let error = List::parse(b"<html>").err().unwrap();
        assert!(error.to_string().contains("line 1 column 1"), "{error}");
    }

    #[test]
    fn a_list_that_go_reads_otherwise_is_an_error() {
        for text in [
            r#"{"schemaVersion":2,"manifests":[],"Manifests":[{}]}"#,
            r#"{"schemaVersion":2,"Manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"MediaType":"a/b"}"#,
            r#"{"schemaVersion":2,"manifests":[],"Layers":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"subject":{"digest":"x","Digest":"y"}}"#,
        ] {
            assert!(List::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_malformed_entry_does_not_affect_the_others() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[
                {{"mediaType":"{}","digest":"{digest}","size":1,"artifactType":"spdx","urls":[1]}},
                {{"mediaType":"{}","digest":"{digest}"}}, {{"digest":"{digest}","annotations":null}},
                {{"digest":"sha512:00"}}, null, 7, {{"digest":"{digest}","Digest":"sha256:0"}},
                {{"Digest":"{digest}"}}, ["", "{digest}"]]}}"#,
            media::MANIFEST,
            media::INDEX
        );
        let list = parse(&text).unwrap();
        let kinds: Vec<&str> = list
            .entries()
            .map(|entry| match entry {
                Entry::Manifest(found) if found == digest => "manifest",
                Entry::Manifest(_) => "another",
                Entry::Unreadable(_) => "unreadable",
            })
            .collect();
        let unreadable = "unreadable";
        assert_eq!(
            kinds,
            [["manifest"; 3].as_slice(), &[unreadable; 6]].concat()
        );
    }

    #[test]
    fn other_entries_and_members_are_kept() {
        let text =
            r#"{"schemaVersion":2,"manifests":[{"digest":"x","artifactType":"spdx"}],"a":[1]}"#;
        let one = Descriptor::of(media::MANIFEST, b"one");
        for (before, count) in [(text, 2), (EMPTY, 1)] {
            let after = parse(before).unwrap().with(&one).unwrap();
            let list = List::parse(&after).unwrap().unwrap();
            assert_eq!(list.len(), count);
            assert!(list.names(&one.digest));
        }
        let after = parse(text).unwrap().with(&one).unwrap();
        let after: Value = serde_json::from_slice(&after).unwrap();
        assert_eq!(after["manifests"][0]["artifactType"], "spdx");
        assert_eq!(after["a"][0], 1);
    }
}
