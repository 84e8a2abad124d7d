//! Untrusted text in error messages: on one line, with control characters escaped.

/// Maximum length of a name, in characters; Linux opens no longer path.
const LENGTH: usize = 4096;

/// The text on one line, with control and format characters escaped.
pub(crate) fn shown(text: &str) -> String {
    content::printable(text, LENGTH)
}

/// The error of a TOML parser with its line and column. The parser's own text also quotes lines of the document, so it is
/// not used.
pub(crate) fn toml(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let place = text.lines().next().unwrap_or_default();
    let place = place.strip_prefix("TOML parse error at ");
    match place {
        Some(place) => format!("{place}: {}", shown(error.message())),
        None => shown(error.message()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_document_cannot_forge_a_line() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let text = "\n\"a\\nbuilder: done\\u001b\" = 1";
        let error = content::toml::parse::<Empty>(text).unwrap_err();
        let said = super::toml(&error);
        assert!(
            said.starts_with("line 2, column 1: unknown field"),
            "{said}"
        );
        assert!(said.contains(r"a\u{a}builder: done\u{1b}"), "{said}");
    }
}
