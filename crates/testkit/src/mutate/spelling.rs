//! JSON documents as text: plain, or in one of the other spellings of the same value.

use super::{Random, Tree};

/// Writes a document without white space and with the escapes that are necessary.
pub(super) fn plain(tree: &Tree) -> String {
    let mut out = String::new();
    write(tree, &mut out, &mut |_, token| token.to_owned());
    out
}

/// Writes a document in another spelling, which may not be JSON any more.
pub(super) fn other(tree: &Tree, random: &mut Random) -> String {
    if random.below(3) == 0 {
        let (before, after) = random.choose(&[
            ("", "\n"),
            (" ", ""),
            ("\u{feff}", ""),
            ("", "\0"),
            ("", "{}"),
            ("", "\u{a0}"),
            ("//\n", ""),
            ("", ","),
        ]);
        return format!("{before}{}{after}", plain(tree));
    }
    let chosen = random.below(tokens(tree).max(1));
    let is_frequent = random.below(2) == 0;
    let mut at = 0;
    let mut out = String::new();
    write(tree, &mut out, &mut |kind, token| {
        at += 1;
        match at - 1 == chosen || (is_frequent && random.below(8) == 0) {
            true => respell(kind, token, random),
            false => token.to_owned(),
        }
    });
    out
}

#[derive(Clone, Copy)]
enum Kind {
    Mark,
    Text,
    Number,
}

fn tokens(tree: &Tree) -> usize {
    let mut count = 0;
    write(tree, &mut String::new(), &mut |_, _| {
        count += 1;
        String::new()
    });
    count
}

fn respell(kind: Kind, token: &str, random: &mut Random) -> String {
    match kind {
        Kind::Mark => {
            let space = random.choose(&[" ", "\t", "\n", "\r\n", "/**/", "\u{b}", "\u{2028}"]);
            format!("{token}{space}")
        }
        Kind::Number => {
            let (before, after) =
                *random.choose(&[("", ".0"), ("", "e0"), ("0", ""), ("+", ""), ("-", "")]);
            format!("{before}{token}{after}")
        }
        Kind::Text => escape_one(token, random),
    }
}

/// Writes one character of a string, which is in quotes, with an escape.
fn escape_one(token: &str, random: &mut Random) -> String {
    let inner: Vec<(usize, char)> = token[1..token.len() - 1].char_indices().collect();
    let plain = inner.iter().filter(|(_, c)| !matches!(c, '\\' | '"'));
    let plain: Vec<_> = plain.collect();
    if token.contains('\\') || plain.is_empty() {
        return token.to_owned();
    }
    let (at, old) = **random.choose(&plain);
    let code = u32::from(old);
    let new = match random.below(4) {
        0 if old == '/' => "\\/".to_owned(),
        1 => format!("\\x{code:02x}"),
        2 => format!("\\u{code:04X}"),
        _ => format!("\\u{code:04x}"),
    };
    let (start, end) = (at + 1, at + 1 + old.len_utf8());
    format!("{}{new}{}", &token[..start], &token[end..])
}

type Spell<'a> = &'a mut dyn FnMut(Kind, &str) -> String;

fn write(tree: &Tree, out: &mut String, spell: Spell<'_>) {
    match tree {
        Tree::Null => out.push_str(&spell(Kind::Mark, "null")),
        Tree::Bool(value) => out.push_str(&spell(Kind::Mark, &value.to_string())),
        Tree::Number(text) => out.push_str(&spell(Kind::Number, text)),
        Tree::Text(text) => out.push_str(&spell(Kind::Text, &quoted(text))),
        Tree::Array(items) => {
            out.push_str(&spell(Kind::Mark, "["));
            for (index, item) in items.iter().enumerate() {
                separate(index, out, spell);
                write(item, out, spell);
            }
            out.push_str(&spell(Kind::Mark, "]"));
        }
        Tree::Object(members) => {
            out.push_str(&spell(Kind::Mark, "{"));
            for (index, (name, value)) in members.iter().enumerate() {
                separate(index, out, spell);
                out.push_str(&spell(Kind::Text, &quoted(name)));
                out.push_str(&spell(Kind::Mark, ":"));
                write(value, out, spell);
            }
            out.push_str(&spell(Kind::Mark, "}"));
        }
    }
}

fn separate(index: usize, out: &mut String, spell: Spell<'_>) {
    if index > 0 {
        out.push_str(&spell(Kind::Mark, ","));
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
