use std::fmt;

use regex::Regex;

/// The longest pattern, in bytes.
const PATTERN: usize = 4096;
/// The largest compiled pattern, in bytes.
const COMPILED: usize = 1 << 20;

/// Who a certificate says has signed: a subject, in the words of an issuer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Signer {
    /// The URL of the OpenID Connect provider that authenticated the subject; empty if the certificate names
    /// none.
    pub issuer: String,
    /// The subject alternative name: an email address, a URI or a name.
    pub subject: String,
}

impl fmt::Display for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} of {}", self.subject, self.issuer)
    }
}

/// Whom a policy trusts: an exact issuer, and a subject.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The issuer, compared byte by byte. `None` is no wildcard: the certificate must then name no issuer, as
    /// those of GitHub's instance for private repositories.
    pub issuer: Option<String>,
    /// The subject.
    pub subject: Subject,
}

/// The subjects that a policy trusts.
#[derive(Clone, Debug)]
pub enum Subject {
    /// This one, compared byte by byte.
    Exact(String),
    /// Those that match a pattern.
    Pattern(Pattern),
}

/// A regular expression that matches the whole of a subject, or not at all.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// A pattern that is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPattern {
    /// The pattern is longer than 4096 bytes.
    #[error("the pattern is longer than {PATTERN} bytes")]
    TooLong,
    /// The pattern does not begin with `^` and end with `$`.
    #[error("the pattern does not begin with ^ and end with $")]
    Unanchored,
    /// The pattern is no regular expression, or too large.
    #[error(transparent)]
    Syntax(#[from] Box<regex::Error>),
}

impl Pattern {
    /// Compiles a regular expression that is written with `^` at its beginning and `$` at its end.
    ///
    /// # Errors
    /// The text is longer than 4096 bytes, or an anchor is missing, or the text is no regular expression or a large one.
    pub fn new(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > PATTERN {
            return Err(InvalidPattern::TooLong);
        }
        let inner = text
            .strip_prefix('^')
            .and_then(|rest| rest.strip_suffix('$'));
        let inner = inner.ok_or(InvalidPattern::Unanchored)?;
        // It must be an expression of its own, so that no parenthesis closes the group around it.
        let compile = |text: &str| {
            let mut builder = regex::RegexBuilder::new(text);
            builder.size_limit(COMPILED).build().map_err(Box::new)
        };
        compile(inner)?;
        // In a group, because alternatives bind weaker than anchors.
        let regex = compile(&format!(r"\A(?:{inner})\z"))?;
        let text = text.to_owned();
        Ok(Self { text, regex })
    }
}

impl std::str::FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        Self::new(text)
    }
}

impl Subject {
    /// Whether `subject` is trusted.
    pub fn matches(&self, subject: &str) -> bool {
        match self {
            Self::Exact(expected) => expected == subject,
            Self::Pattern(pattern) => pattern.regex.is_match(subject),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(subject) => out.write_str(subject),
            Self::Pattern(pattern) => write!(out, "a match of {}", pattern.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_all_of_a_subject() {
        let pattern = |text| Pattern::new(text).map(Subject::Pattern);
        let subject = pattern(r"^https://github\.com/a/(b|c)|d$").unwrap();
        for (text, is_match) in [
            ("https://github.com/a/b", true),
            ("https://github.com/a/c", true),
            ("d", true),
            ("https://github.com/a/bd", false),
            ("https://github.com/a/b/d", false),
            ("xd", false),
            ("https://github.com/a/b\n", false),
            ("https://githubxcom/a/b", false),
        ] {
            assert_eq!(subject.matches(text), is_match, "{text}");
        }
        assert_eq!(
            subject.to_string(),
            r"a match of ^https://github\.com/a/(b|c)|d$"
        );
    }

    #[test]
    fn a_pattern_is_anchored_and_of_limited_size() {
        for text in [
            "",
            "a",
            "^a",
            "a$",
            "^",
            "$",
            "^(a$",
            "^a)|(b$",
            r"^a\$",
            "^a{9999}{9999}$",
        ] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
        assert!(Pattern::new("^a$").is_ok());
        let text = |length: usize| format!("^{}$", "a".repeat(length - 2));
        assert!(Pattern::new(&text(PATTERN)).is_ok());
        let refused = Pattern::new(&text(PATTERN + 1)).unwrap_err();
        assert_eq!(refused.to_string(), "the pattern is longer than 4096 bytes");
    }

    #[test]
    fn an_exact_subject_is_no_pattern() {
        let subject = Subject::Exact("a.b".to_owned());
        assert!(subject.matches("a.b"));
        for other in ["axb", "a.bc", "xa.b", "A.b", ""] {
            assert!(!subject.matches(other), "{other}");
        }
    }
}
