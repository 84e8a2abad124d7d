//! Formats of texts in JSON schemas, as most programs that read bills of materials check them.

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

static REFERENCE: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let options = jsonschema::options().with_draft(Draft::Draft7);
    let schema = json!({ "format": "iri-reference" });
    options.should_validate_formats(true).build(&schema).ok()
});

/// Whether a text may be an address of mail: something, `@`, and something. An empty text is accepted: programs write it.
pub(super) fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.is_empty() || parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// Whether a text is an IRI or relative (RFC 3987), if the characters that are not allowed in one were encoded. Programs write
/// placeholders such as `${name}`, and remarks after a URL.
pub(super) fn is_reference(text: &str) -> bool {
    let is_valid = |text: String| {
        let validator = REFERENCE.as_ref();
        validator.is_some_and(|validator| validator.is_valid(&Value::String(text)))
    };
    let encoded = text.replace(
        [' ', '"', '<', '>', '[', '\\', ']', '^', '`', '{', '|', '}'],
        "-",
    );
    is_valid(text.to_owned()) || is_valid(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_something_around_an_at_sign() {
        for text in [
            "",
            "a@example.com",
            "\u{fc}@b\u{fc}cher.example",
            "A <a@example.com>",
        ] {
            assert!(is_email(text), "{text}");
        }
        for text in ["a", "https://example.com", "@example.com", "a@", "@"] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn a_reference_may_have_characters_that_were_not_encoded() {
        for text in [
            "",
            "https://example.com/a?b#c",
            "http://[::1]/a",
            "../a",
            "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#a",
            "https://example.com/${name}/issues",
            "https://example.com/a (only one)",
            "https://example.com/a [b- 1.2]",
        ] {
            assert!(is_reference(text), "{text}");
        }
        for text in [
            "git@example.com:a/b.git",
            "https://example.com:a/b",
            "https://exa mple:x/",
            "%zz",
            "a\nb",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
