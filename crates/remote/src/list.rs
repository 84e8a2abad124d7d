//! Lists of referrers, read entry by entry: a malformed entry of another tool must not make the other
//! entries unreadable.

use content::{Digest, json, limits};
use oci::{Descriptor, media};
use serde_json::{Map, Value};

use crate::Error;

/// One referrer in a list. Only its digest is used, and whether it can be a manifest: some registries
/// list wrong artifact types.
pub(crate) enum Entry {
    /// An image manifest, or an entry without a media type.
    Manifest(Digest),
    /// An entry of another media type, for example an index.
    Other,
    /// An entry without a valid SHA-256 digest. The value is the text in its place, escaped for printing.
    Unreadable(String),
}

/// A list of referrers: an image index (OCI image specification, image-index.md).
pub(crate) struct List {
    document: Map<String, Value>,
}

impl List {
    /// Parses a list; `None` for a JSON document of another kind.
    ///
    /// # Errors
    /// The bytes are not strict JSON.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, json::JsonError> {
        let document: Value = json::parse(bytes, limits::MANIFEST)?;
        let Value::Object(document) = document else {
            return Ok(None);
        };
        let media_type = document.get("mediaType").filter(|found| !found.is_null());
        let is_index = media_type.is_none_or(|found| found == media::INDEX)
            && document.get("schemaVersion") == Some(&2.into())
            // Go writes an empty list as null.
            && matches!(document.get("manifests"), Some(Value::Array(_) | Value::Null))
            && !document.contains_key("layers")
            && !document.contains_key("config");
        Ok(is_index.then_some(Self { document }))
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
    pub(crate) fn with(mut self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let described: Value = json::parse(&json::canonical(descriptor)?, limits::MANIFEST)?;
        match self.document.get_mut("manifests") {
            Some(Value::Array(listed)) => listed.push(described),
            _ => {
                let listed = Value::Array(vec![described]);
                self.document.insert("manifests".to_owned(), listed);
            }
        }
        Ok(json::canonical(&self.document)?)
    }
}

fn entry(value: &Value) -> Entry {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("mediaType") {
        "" | media::MANIFEST => {}
        _ => return Entry::Other,
    }
    match text("digest").parse() {
        Ok(digest) => Entry::Manifest(digest),
        Err(_) => Entry::Unreadable(content::printable(text("digest"), 100)),
    }
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
    fn a_malformed_entry_does_not_affect_the_others() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[
                {{"mediaType":"{}","digest":"{digest}","size":1,"artifactType":"spdx","urls":[1]}},
                {{"mediaType":"{}","digest":"{digest}"}}, {{"digest":"{digest}","annotations":null}},
                {{"digest":"sha512:00"}}, null, 7]}}"#,
            media::MANIFEST,
            media::INDEX
        );
        let list = parse(&text).unwrap();
        let kinds: Vec<&str> = list
            .entries()
            .map(|entry| match entry {
                Entry::Manifest(found) if found == digest => "manifest",
                Entry::Manifest(_) => "another",
                Entry::Other => "other",
                Entry::Unreadable(_) => "unreadable",
            })
            .collect();
        let unreadable = "unreadable";
        assert_eq!(
            kinds,
            [
                "manifest", "other", "manifest", unreadable, unreadable, unreadable
            ]
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
