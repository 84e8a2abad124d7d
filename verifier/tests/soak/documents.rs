//! Documents that Go programs read as well. Their mutants may mean something else, as they do in the hands of the owner
//! of a key, but not something else than they mean to Go.

#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../../crates/testkit/tests/documents/mod.rs"]
mod made;

use made::Document;
use oci::media;
use serde_json::Value;
use testkit::go;
use testkit::mutate::Tree;

use crate::subject::{Judged, Subject};

pub fn subjects() -> Vec<Subject> {
    made::all().into_iter().map(subject).collect()
}

fn tree(value: &Value) -> Tree {
    Tree::parse(value.to_string().as_bytes()).unwrap()
}

/// A value in the one form that both sides are compared in.
fn normal(tree: Tree, document: &str) -> Tree {
    let Tree::Object(members) = go::filled(tree) else {
        return Tree::Null;
    };
    let members = members.into_iter().map(|(name, value)| match value {
        // A list of one nonce is written as the nonce.
        Tree::Array(mut nonces) if name == "eat_nonce" && nonces.len() == 1 => {
            (name, nonces.remove(0))
        }
        value => (name, value),
    });
    let mut members: Vec<_> = members.collect();
    // A manifest or an index without media type is written with it.
    let media_type = match document {
        "manifest" => Some(media::MANIFEST),
        "index" => Some(media::INDEX),
        _ => None,
    };
    let is_absent = !members.iter().any(|(name, _)| name == "mediaType");
    if let Some(media_type) = media_type.filter(|_| is_absent) {
        members.push(("mediaType".to_owned(), Tree::Text(media_type.to_owned())));
    }
    go::filled(Tree::Object(members))
}

fn subject(document: Document) -> Subject {
    let (name, free, read) = (document.name, document.free, document.read);
    let parts = vec![document.honest.to_string().into_bytes()];
    let honest = tree(&document.honest);
    Subject::new(name, parts, move |parts| {
        let ours = match read(&parts[0]) {
            None => return Judged::Refused,
            Some(Value::Null) => return Judged::Same,
            Some(ours) => normal(tree(&ours), name),
        };
        match go::read(&parts[0], &honest, free) {
            Some(gos) => Judged::compare(&format!("{:?}", normal(gos, name)), &format!("{ours:?}")),
            // Go refuses it.
            None => Judged::Same,
        }
    })
}
