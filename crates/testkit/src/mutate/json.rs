//! Changes of the values and names of a JSON document.

use super::{Random, Tree, changes, spelling, text};

pub(super) fn mutant(seed: &Tree, random: &mut Random) -> Vec<u8> {
    if random.below(8) == 0 {
        return spelling::other(seed, random).into_bytes();
    }
    let mut tree = seed.clone();
    for _ in 0..changes(random) {
        change(&mut tree, random);
    }
    let text = match random.below(6) {
        0 => spelling::other(&tree, random),
        _ => spelling::plain(&tree),
    };
    text.into_bytes()
}

/// One change of one value.
fn change(tree: &mut Tree, random: &mut Random) {
    let size = tree.size();
    let other = tree.nth(random.below(size)).clone();
    let value = tree.nth(random.below(size));
    match random.below(12) {
        0 => *value = Tree::Null,
        1 => *value = other,
        2 => *value = Tree::Array(vec![value.clone()]),
        3 => *value = Tree::Object(vec![(String::new(), value.clone())]),
        4 => *value = empty(random),
        5 => *value = nested(value.clone(), random.below(80)),
        _ => inside(value, other, random),
    }
}

fn empty(random: &mut Random) -> Tree {
    match random.below(4) {
        0 => Tree::Array(Vec::new()),
        1 => Tree::Object(Vec::new()),
        2 => Tree::Number("0".to_owned()),
        _ => Tree::Text(String::new()),
    }
}

fn nested(value: Tree, depth: usize) -> Tree {
    (0..depth).fold(value, |value, _| Tree::Array(vec![value]))
}

fn inside(value: &mut Tree, other: Tree, random: &mut Random) {
    match value {
        Tree::Null => *value = other,
        Tree::Bool(flag) => match random.below(3) {
            0 => *value = Tree::Text(flag.to_string()),
            1 => *value = Tree::Number(u8::from(*flag).to_string()),
            _ => *flag = !*flag,
        },
        Tree::Number(number) => match random.below(3) {
            0 => *value = Tree::Text(number.clone()),
            _ => *number = other_number(number, random),
        },
        Tree::Text(text) => match (text.parse::<u64>(), random.below(4)) {
            (Ok(_), 0) => *value = Tree::Number(text.clone()),
            (Ok(_), 1) => *text = other_number(text, random),
            _ => *text = text::change(text, random),
        },
        Tree::Array(items) => array(items, other, random),
        Tree::Object(members) => {
            if let Some(replaced) = object(members, other, random) {
                *value = replaced;
            }
        }
    }
}

fn other_number(number: &str, random: &mut Random) -> String {
    let parsed = number.parse::<i64>().unwrap_or_default();
    match random.below(8) {
        0 => parsed.wrapping_add(1).to_string(),
        1 => parsed.wrapping_sub(1).to_string(),
        2 => parsed.wrapping_neg().to_string(),
        3 => "18446744073709551616".to_owned(),
        4 => format!("{number}.0"),
        5 => format!("{number}e0"),
        6 => format!("0{number}"),
        _ => format!("{number}00"),
    }
}

fn array(items: &mut Vec<Tree>, other: Tree, random: &mut Random) {
    let at = random.below(items.len());
    match random.below(6) {
        0 => items.extend(items.clone()),
        1 => items.insert(at, other),
        2 => items.push(other),
        3 => items.reverse(),
        4 if !items.is_empty() => drop(items.remove(at)),
        // More than any limit on evidence.
        _ => {
            *items = items
                .iter()
                .cycle()
                .take(items.len() * 40)
                .cloned()
                .collect()
        }
    }
}

/// Changes members; the result is what replaces the object, if anything does.
fn object(members: &mut Vec<(String, Tree)>, other: Tree, random: &mut Random) -> Option<Tree> {
    if members.is_empty() || random.below(10) == 0 {
        members.push(("unknown".to_owned(), other));
        return None;
    }
    let at = random.below(members.len());
    let (name, value) = members[at].clone();
    let beside = at + random.below(2);
    let given = match random.below(3) {
        0 => other,
        1 => Tree::Null,
        _ => value,
    };
    match random.below(6) {
        0 => members.insert(beside, (name, given)),
        1 => members.insert(beside, (other_case(&name, random), given)),
        2 => members[at].0 = other_case(&name, random),
        3 => drop(members.remove(at)),
        4 => members.rotate_left(1),
        _ => {
            return Some(Tree::Array(
                members.iter().map(|(_, one)| one.clone()).collect(),
            ));
        }
    }
    None
}

/// A name that Go's `encoding/json` reads as `name`, or nearly.
fn other_case(name: &str, random: &mut Random) -> String {
    match random.below(7) {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        2 => name.replacen('k', "\u{212a}", 1),
        3 => name.replacen('s', "\u{17f}", 1),
        4 => format!("{name} "),
        5 => format!("{name}\0"),
        _ => {
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}
