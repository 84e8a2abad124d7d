//! Every document that programs in Go also read is read as they read it, or refused: objects are
//! objects, names differ in more than case, and `null` is absent.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod documents;

use documents::{Document, all, token_header};
use serde_json::{Value, json};

/// Pointers to all objects in `value`, and whether their names are free.
fn objects(value: &Value, at: &str, free: &[&str]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    match value {
        Value::Object(members) => {
            let is_free = free.contains(&at.rsplit('/').next().unwrap_or_default());
            found.push((at.to_owned(), is_free));
            for (name, inner) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                found.extend(objects(inner, &format!("{at}/{name}"), free));
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                found.extend(objects(inner, &format!("{at}/{index}"), free));
            }
        }
        _ => {}
    }
    found
}

impl Document {
    fn reads(&self, value: &Value) -> bool {
        (self.read)(value.to_string().as_bytes()).is_some()
    }

    fn objects(&self) -> Vec<(String, bool)> {
        objects(&self.honest, "", self.free)
    }

    /// Whether the reader passes over the object and knows none of its names.
    fn passes_over(&self, at: &str) -> bool {
        self.passed_over.iter().any(|part| at.contains(part))
    }

    /// The document with what is at `at` changed.
    fn changed(&self, at: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut changed = self.honest.clone();
        change(changed.pointer_mut(at).unwrap());
        assert_ne!(changed, self.honest, "{}: {at}", self.name);
        changed
    }
}

fn other_cases(name: &str) -> Vec<String> {
    let kelvin = name.replace('k', "\u{212a}");
    let long_s = name.replace('s', "\u{17f}");
    let cases = [name.to_uppercase(), name.to_lowercase(), kelvin, long_s];
    cases.into_iter().filter(|other| other != name).collect()
}

#[test]
fn honest_documents_are_read() {
    for document in all() {
        assert!(document.reads(&document.honest), "{}", document.name);
    }
}

#[test]
fn no_name_beside_itself_in_another_case() {
    for document in all() {
        for (at, is_free) in document.objects() {
            let members = document.honest.pointer(&at).unwrap().as_object().unwrap();
            for (name, value) in members {
                for other in other_cases(name) {
                    let beside = document.changed(&at, |object| object[&other] = value.clone());
                    let case = format!("{}: {at}: {other} beside {name}", document.name);
                    assert_eq!(document.reads(&beside), is_free, "{case}");
                }
            }
        }
    }
}

#[test]
fn no_name_in_another_case() {
    for document in all() {
        let objects = document.objects().into_iter();
        for (at, _) in objects.filter(|(at, is_free)| !is_free && !document.passes_over(at)) {
            let members = document.honest.pointer(&at).unwrap().as_object().unwrap();
            for (name, value) in members {
                for other in other_cases(name) {
                    let instead = document.changed(&at, |object| {
                        object.as_object_mut().unwrap().remove(name);
                        object[&other] = value.clone();
                    });
                    let case = format!("{}: {at}: {other} for {name}", document.name);
                    assert!(!document.reads(&instead), "{case}");
                }
            }
        }
    }
}

#[test]
fn no_array_for_an_object() {
    for document in all() {
        let objects = document.objects().into_iter();
        for (at, _) in objects.filter(|(at, _)| !document.passes_over(at)) {
            let array = document.changed(&at, |object| {
                let members = object.as_object().unwrap().values();
                *object = members.cloned().collect();
            });
            assert!(!document.reads(&array), "{}: {at}", document.name);
            let empty = document.changed(&at, |object| *object = json!([]));
            assert!(!document.reads(&empty), "{}: {at}", document.name);
        }
    }
}

#[test]
fn null_is_absent() {
    for document in all() {
        for at in document.optional {
            let null = document.changed(at, |value| *value = Value::Null);
            assert!(document.reads(&null), "{}: {at}", document.name);
        }
    }
}

#[test]
fn a_token_header_says_nothing_with_null() {
    let header = token_header();
    for name in ["typ", "crit"] {
        let null = header.changed("", |object| object[name] = Value::Null);
        assert!(!header.reads(&null), "{name}");
    }
}
