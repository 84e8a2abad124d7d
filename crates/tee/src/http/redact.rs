//! Removes secrets from the error messages of services before they are logged. Others than the parties
//! read the log, and some services quote the request that they refuse, including its token.

use std::collections::BTreeSet;

use super::request::{Content, Request};
use crate::encode::printable;
use crate::secret::Secret;

/// The number of consecutive letters and digits that counts as a quotation of the request.
const QUOTATION: usize = 8;
/// The length of the longest run of characters that is not taken for encoded data, such as a token, a
/// key or base64. Names of resources and permissions contain separators.
const ENCODED: usize = 40;
/// The largest number of characters that are logged of a message.
const LENGTH: usize = 600;
/// The largest length of an error code, in bytes.
const CODE: usize = 40;
/// The text that replaces a message.
const WITHHELD: &str = "(message withheld: it may quote the request)";

/// The secrets of one request, which no message may repeat: its bearer token and the values of its form.
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    pub(super) fn of(request: &Request) -> Self {
        let form = match &request.content {
            Content::Form(form) => *form,
            Content::None | Content::Json(_) => &[],
        };
        let bearer = request.bearer.and_then(Secret::text);
        let texts = form.iter().map(|(_, value)| *value).chain(bearer);
        Self(texts.map(|text| Secret::new(alphanumerics(text))).collect())
    }

    /// `text` in one line, shortened; or a note that it is withheld.
    pub(super) fn redact(&self, text: &str) -> String {
        let text = printable(text, LENGTH);
        match is_encoded(&text) || self.is_quoted(&text) {
            true => WITHHELD.to_owned(),
            false => text,
        }
    }

    /// `code`, if it has the form of an error code (`google.rpc.Code`, RFC 6749 section 5.2).
    pub(super) fn redact_code(&self, code: &str) -> String {
        let is_name = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_code = !code.is_empty() && code.len() <= CODE && code.chars().all(is_name);
        match is_code && !self.is_quoted(code) {
            true => code.to_owned(),
            false => "unknown error".to_owned(),
        }
    }

    fn is_quoted(&self, text: &str) -> bool {
        let text = alphanumerics(text);
        let logged: BTreeSet<&[u8]> = text.windows(QUOTATION).collect();
        let mut quotations = self.0.iter().flat_map(|s| s.bytes().windows(QUOTATION));
        quotations.any(|quotation| logged.contains(quotation))
    }
}

/// The letters and digits of `text` in lower case, so that neither case nor separators hide a quotation.
fn alphanumerics(text: &str) -> Vec<u8> {
    let alphanumerics = text.bytes().filter(u8::is_ascii_alphanumeric);
    alphanumerics
        .map(|byte| byte.to_ascii_lowercase())
        .collect()
}

fn is_encoded(text: &str) -> bool {
    let separates = |c: char| !(c.is_ascii_alphanumeric() || "-_+=%".contains(c));
    text.split(separates).any(|run| run.len() > ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl";
    const REJECTED: &str = "The given credential is rejected by the attribute condition.";
    const DENIED: &str = "Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource \
        'projects/collaborator-1/locations/global/keyRings/ring/cryptoKeys/data' (or it may not exist).";

    fn redactor() -> Redactor {
        let form = [("audience", "//iam.example/pool"), ("subject_token", TOKEN)];
        let bearer = Secret::new(b"ya29.a0AfH6SMBx-y_z".to_vec());
        Redactor::of(&Request::form("https://sts.example", &form).bearer(&bearer))
    }

    #[test]
    fn keeps_the_messages_of_services() {
        for text in [REJECTED, DENIED, "", "no"] {
            assert_eq!(redactor().redact(text), text);
        }
        assert_eq!(redactor().redact_code("invalid_grant"), "invalid_grant");
        let code = "PERMISSION_DENIED";
        assert_eq!(redactor().redact_code(code), code);
    }

    #[test]
    fn removes_every_part_of_the_request() {
        let spaced: String = TOKEN.chars().flat_map(|c| [c, ' ']).collect();
        for text in [
            format!("bad token {TOKEN}"),
            format!("bad token {}", &TOKEN[..11]),
            format!("…{}", &TOKEN[30..]),
            TOKEN.to_uppercase(),
            spaced,
            "subject_token=x&audience=%2F%2Fiam.example%2Fpool".to_owned(),
            "Bearer ya29.a0AfH6SMBx".to_owned(),
            // Base64 of data that is not part of the request.
            "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZXlKaGRXUWlPaUo0SW4w".to_owned(),
        ] {
            assert_eq!(redactor().redact(&text), WITHHELD, "{text}");
        }
        for code in [TOKEN, "eyJhbGciOi", "", "a b", &"a".repeat(41)] {
            assert_eq!(redactor().redact_code(code), "unknown error", "{code}");
        }
    }
}
