//! Text that others wrote, made safe to print: file names, fields of documents, output of a compiler or
//! of a server. It must not control the terminal, and must not look other than it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use content::is_plain;

/// `text` on one line; all other control and format characters are escaped as `\u{…}`.
pub fn line(text: &str) -> String {
    content::printable(text, usize::MAX)
}

/// `text` with its line feeds and tabs; all other control and format characters are escaped as `\u{…}`.
pub fn lines(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| matches!(c, '\n' | '\t') || is_plain(c);
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        match is_kept(c) {
            true => out.push(c),
            false => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// `json`, a JSON document, with the same characters escaped as `\uXXXX` (RFC 8259, section 7). Only
/// strings can contain them, so its value stays the same.
pub fn json(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if c == '\n' || is_plain(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROLS: [char; 13] = [
        '\u{1b}',
        '\u{9b}',
        '\r',
        '\u{7f}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{2028}',
        '\u{202e}',
        '\u{2066}',
        '\u{206a}',
        '\u{feff}',
        '\u{e0041}',
    ];

    #[test]
    fn controls_are_escaped() {
        for control in CONTROLS {
            let text = format!("a{control}b");
            let escaped = format!("a{}b", control.escape_unicode());
            assert_eq!(line(&text), escaped);
            assert_eq!(lines(&text), escaped);
            let value = serde_json::json!({ "name": text });
            for written in [value.to_string(), format!("{value:#}")] {
                let written = json(&written);
                assert!(!written.contains(control), "{written}");
                let read: serde_json::Value = serde_json::from_str(&written).unwrap();
                assert_eq!(read, value);
            }
        }
    }

    #[test]
    fn line_feeds_and_tabs_are_kept_where_there_may_be_lines() {
        let text = "error: \u{e9}\n\t| caf\u{e9} \u{2192} \u{5d0}";
        assert_eq!(lines(text), text);
        assert_eq!(line("a\n\tb"), "a\\u{a}\\u{9}b");
    }

    #[test]
    fn other_text_is_kept() {
        let text = r#"error: can't find "é" in C:\path … 漢字 ✓"#;
        assert_eq!(line(text), text);
        assert_eq!(line(&line("\u{1b}[2J")), line("\u{1b}[2J"));
    }
}
