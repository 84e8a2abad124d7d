//! Escaping of untrusted text for printing.

/// At most `length` characters of `text`, on one line and safe to print: characters that control a
/// terminal, are invisible or reorder their surroundings are written as `\u{…}`. Text that was cut ends
/// in `…`.
pub fn printable(text: &str, length: usize) -> String {
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == length {
            out.push('…');
            break;
        }
        match is_plain(character) {
            true => out.push(character),
            false => out.extend(character.escape_unicode()),
        }
    }
    out
}

/// Whether a character can be printed as it is: it is neither a control nor a format character
/// (Unicode, general categories `Cc` and `Cf`), nor a separator of lines or paragraphs (`Zl`, `Zp`),
/// nor a selector of a glyph's variant.
pub fn is_plain(character: char) -> bool {
    let formats = matches!(
        character,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !character.is_control() && !formats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_control_and_format_characters() {
        assert_eq!(printable("a\u{1b}[2J\n", 99), "a\\u{1b}[2J\\u{a}");
        for hidden in [
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{ad}',
            '\u{2028}',
            '\u{e0041}',
        ] {
            let shown = printable(&format!("a{hidden}b"), 99);
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
        assert_eq!(printable("Grüße, 世界 ✓", 99), "Grüße, 世界 ✓");
    }

    #[test]
    fn shortens_long_text() {
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("abcd", 3), "abc…");
    }
}
