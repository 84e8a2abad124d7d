//! Text of strangers, made fit for a terminal: file names, identifiers in statements, words of a
//! compiler or of a server. A terminal must not obey them, nor show them otherwise than they are.

use std::fmt::Write as _;

use content::is_plain;

/// The whole text on one line ([`content::printable`] cuts it as well).
pub fn line(text: &str) -> String {
    content::printable(text, usize::MAX)
}

/// JSON in which the same characters are escaped as JSON escapes them (RFC 8259, section 7). They
/// can only stand in its strings; the ends of its lines are kept.
pub fn json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for character in format!("{value:#}").chars() {
        if character == '\n' || is_plain(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for steering in [
            '\u{1b}',
            '\u{9b}',
            '\r',
            '\n',
            '\t',
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
        ] {
            let shown = line(&format!("a{steering}b"));
            assert_eq!(shown, format!("a{}b", steering.escape_unicode()));
            let value = serde_json::json!({"name": format!("a{steering}b")});
            let written = json(&value);
            assert!(!written.replace('\n', "").contains(steering), "{written}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&written).unwrap(),
                value
            );
        }
    }

    #[test]
    fn what_people_write_is_left_as_it_is() {
        let text = r#"error: can't find "é" in C:\path … 漢字 ✓"#;
        assert_eq!(line(text), text);
        assert_eq!(line(&line("\u{1b}[2J")), line("\u{1b}[2J"));
    }
}
