//! What Go's `encoding/json` reads in a document: names without regard to case, the later of two, null as absent.
//! Container runtimes, cosign and Confidential Space's launcher read documents like this.

use crate::mutate::Tree;

/// What Go reads into a struct that has the members of `honest`, without what is empty. Members that are named in
/// `free` are maps, whose names are kept as they are. `None` if it is not JSON, or if Go would refuse a value's type.
pub fn read(bytes: &[u8], honest: &Tree, free: &[&str]) -> Option<Tree> {
    let mut found = Tree::Null;
    merge(&mut found, &Tree::parse(bytes)?, honest, free)?;
    Some(filled(found))
}

/// Decodes `given` into `found`, which has what an earlier member of the same name contained.
fn merge(found: &mut Tree, given: &Tree, honest: &Tree, free: &[&str]) -> Option<()> {
    match (given, honest) {
        (Tree::Null, _) => {}
        (Tree::Object(members), Tree::Object(known)) => {
            for (name, value) in members {
                if let Some((name, shape)) = member(known, name) {
                    let place = place(found, name);
                    match free.contains(&name.as_str()) {
                        true => merge_map(place, value, shape, free)?,
                        false => merge(place, value, shape, free)?,
                    }
                }
            }
            ensure_object(found);
        }
        (Tree::Array(items), Tree::Array(shapes)) => {
            let shape = union(shapes);
            let mut earlier = match std::mem::replace(found, Tree::Null) {
                Tree::Array(items) => items.into_iter(),
                _ => Vec::new().into_iter(),
            };
            // Go decodes into the items of an earlier array, and keeps what a later one does not name.
            let items = items.iter().map(|item| {
                let mut found = earlier.next().unwrap_or(Tree::Null);
                merge(&mut found, item, &shape, free).map(|()| found)
            });
            *found = Tree::Array(items.collect::<Option<_>>()?);
        }
        (Tree::Bool(_), Tree::Bool(_))
        | (Tree::Number(_), Tree::Number(_))
        | (Tree::Text(_), Tree::Text(_))
        | (_, Tree::Null) => *found = given.clone(),
        _ => return None,
    }
    Some(())
}

/// An item with the members of all items.
fn union(items: &[Tree]) -> Tree {
    let mut all: Vec<(String, Tree)> = Vec::new();
    for item in items {
        let Tree::Object(members) = item else {
            return item.clone();
        };
        for (name, value) in members {
            match all.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = union_of(own, value),
                None => all.push((name.clone(), value.clone())),
            }
        }
    }
    match items {
        [] => Tree::Null,
        _ => Tree::Object(all),
    }
}

fn union_of(one: &Tree, other: &Tree) -> Tree {
    match (one, other) {
        (Tree::Array(items), Tree::Array(more)) => {
            Tree::Array(items.iter().chain(more).cloned().collect())
        }
        _ => union(&[one.clone(), other.clone()]),
    }
}

/// Decodes a map, whose values have the form of those of `honest` if these are objects.
fn merge_map(found: &mut Tree, given: &Tree, honest: &Tree, free: &[&str]) -> Option<()> {
    let shape = match honest {
        Tree::Object(known) => known.first().map(|(_, shape)| shape),
        _ => None,
    };
    match given {
        Tree::Null => {}
        Tree::Object(members) => {
            for (name, value) in members {
                let mut inner = Tree::Null;
                match shape {
                    Some(shape @ Tree::Object(_)) => merge(&mut inner, value, shape, free)?,
                    _ => inner = value.clone(),
                }
                *place(found, name) = inner;
            }
            ensure_object(found);
        }
        _ => return None,
    }
    Some(())
}

fn ensure_object(found: &mut Tree) {
    if !matches!(found, Tree::Object(_)) {
        *found = Tree::Object(Vec::new());
    }
}

/// The member of a struct that Go chooses for a name: the exact one, or the first that differs in case only.
fn member<'a>(known: &'a [(String, Tree)], name: &str) -> Option<&'a (String, Tree)> {
    let exact = known.iter().find(|(own, _)| own == name);
    exact.or_else(|| known.iter().find(|(own, _)| folded(own) == folded(name)))
}

/// Simple folding of the letters that names have, and of the two other letters that fold to them.
fn folded(name: &str) -> String {
    let folded = name.chars().map(|letter| match letter {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        letter => letter.to_ascii_lowercase(),
    });
    folded.collect()
}

fn place<'a>(found: &'a mut Tree, name: &str) -> &'a mut Tree {
    ensure_object(found);
    let Tree::Object(members) = found else {
        unreachable!("it is an object now");
    };
    let at = members.iter().position(|(own, _)| own == name);
    let at = at.unwrap_or_else(|| {
        members.push((name.to_owned(), Tree::Null));
        members.len() - 1
    });
    &mut members[at].1
}

/// A value without what Go does not distinguish from absence, in the order of names.
pub fn filled(value: Tree) -> Tree {
    match value {
        Tree::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, filled(value)));
            let mut members: Vec<_> = members.filter(|(_, value)| !is_empty(value)).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Tree::Object(members)
        }
        Tree::Array(items) => Tree::Array(items.into_iter().map(filled).collect()),
        Tree::Number(text) if text.parse::<f64>().is_ok_and(|number| number == 0.0) => Tree::Null,
        Tree::Bool(false) => Tree::Null,
        Tree::Text(text) if text.is_empty() => Tree::Null,
        other => other,
    }
}

fn is_empty(value: &Tree) -> bool {
    match value {
        Tree::Null => true,
        Tree::Array(items) => items.is_empty(),
        Tree::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `encoding/json` of Go 1.24 decodes into `struct { Kind string; Items []struct { Size int }; Labels
    /// map[string]string }`.
    #[test]
    fn reads_as_go_does() {
        let honest = Tree::parse(br#"{"kind":"a","items":[{"size":1}],"labels":{}}"#).unwrap();
        let read = |text: &str| read(text.as_bytes(), &honest, &["labels"]);
        let expect = |text: &str, expected: &str| {
            assert_eq!(read(text), Tree::parse(expected.as_bytes()), "{text}");
        };
        expect(r#"{"kind":"a","KIND":"b"}"#, r#"{"kind":"b"}"#);
        expect(r#"{"kind":"a","Kind":null}"#, r#"{"kind":"a"}"#);
        expect("{\"\u{212a}ind\":\"a\"}", r#"{"kind":"a"}"#);
        expect(r#"{"kind":"a","x":"b"}"#, r#"{"kind":"a"}"#);
        expect(
            r#"{"labels":{"a":"b","A":"c"},"Labels":{"a":"d"}}"#,
            r#"{"labels":{"A":"c","a":"d"}}"#,
        );
        expect(
            r#"{"items":[{"SIZE":2},{"size":3}],"kind":""}"#,
            r#"{"items":[{"size":2},{"size":3}]}"#,
        );
        expect(
            r#"{"items":[{"size":1},{"size":2}],"Items":[{},{"SIZE":3}]}"#,
            r#"{"items":[{"size":1},{"size":3}]}"#,
        );
        assert_eq!(read(r#"{"kind":1}"#), None);
        assert_eq!(read(r#"{"kind":"a"}x"#), None);
    }
}
