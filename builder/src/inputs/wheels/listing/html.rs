//! The form in HTML: an anchor for each file, whose address may end with its digest.

use super::listed::{Listed, digest};

/// The references that addresses and names of files may have.
const REFERENCES: [(&str, &str); 6] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&amp;", "&"),
];

/// Parses a document. Everything but its anchors is passed over.
///
/// # Errors
/// It is no document in HTML, an anchor does not end, or a digest is invalid.
pub(super) fn parse(text: &str) -> Result<Vec<Listed>, String> {
    if !text.trim_start().starts_with('<') {
        return Err("expected JSON or HTML".to_owned());
    }
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(start) = anchor(rest) {
        let (attributes, after) = tag(&rest[start..])?;
        let (name, after) = after
            .split_once('<')
            .ok_or("expected the end of an anchor")?;
        if let Some(href) = value(&attributes, "href") {
            files.push(listed(&href, name, &attributes)?);
        }
        rest = after;
    }
    Ok(files)
}

type Attribute = (String, String);

fn listed(href: &str, name: &str, attributes: &[Attribute]) -> Result<Listed, String> {
    let (url, fragment) = href.split_once('#').unwrap_or((href, ""));
    let sha256 = fragment.strip_prefix("sha256=").map(digest);
    Ok(Listed {
        name: plain(name.trim()),
        url: url.to_owned(),
        sha256: sha256.transpose()?,
        is_yanked: value(attributes, "data-yanked").is_some(),
    })
}

/// The place after the next `<a`.
fn anchor(text: &str) -> Option<usize> {
    let starts = text.match_indices('<').map(|(at, _)| at);
    let mut starts = starts.filter(|at| {
        let name: Vec<_> = text[at + 1..].bytes().take(2).collect();
        matches!(name[..], [b'a' | b'A', after] if after.is_ascii_whitespace())
    });
    starts.next().map(|at| at + 2)
}

/// The attributes of a tag, and what follows it.
fn tag(text: &str) -> Result<(Vec<Attribute>, &str), String> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let unended = || "expected the end of a tag".to_owned();
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .ok_or_else(unended)?;
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        if let Some(after) = rest.strip_prefix('=') {
            let (value, after) = quoted(after.trim_start()).ok_or_else(unended)?;
            attributes.push((name, plain(value)));
            rest = after.trim_start();
        } else if !name.is_empty() {
            attributes.push((name, String::new()));
        } else if let Some(after) = rest.strip_prefix('>') {
            return Ok((attributes, after));
        } else {
            // The end of an empty element.
            rest = rest.strip_prefix('/').ok_or_else(unended)?.trim_start();
        }
    }
}

/// A value, with or without quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split_once(quote),
        _ => {
            let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
            Some(text.split_at(end))
        }
    }
}

fn value(attributes: &[Attribute], name: &str) -> Option<String> {
    let mut found = attributes.iter();
    let (_, value) = found.find(|(found, _)| found == name)?;
    Some(value.clone())
}

fn plain(text: &str) -> String {
    REFERENCES
        .iter()
        .fold(text.to_owned(), |text, (reference, character)| {
            text.replace(reference, character)
        })
}
