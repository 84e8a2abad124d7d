//! What may be told of an error that a service words. A log is read by others than the parties, and
//! some services quote the request that they refuse, token included.

use std::collections::BTreeSet;

use super::{Content, printable};
use crate::platform::Secret;

/// Characters in a row, letters and digits alone, that count as a quotation.
const QUOTATION: usize = 8;
/// Characters in a row that encode something when there are more of them: tokens, keys and base64
/// of any kind. Names of resources and permissions have separators in between.
const ENCODED: usize = 40;
/// Characters that are told.
const LENGTH: usize = 600;
/// Characters that the code of an error may have.
const CODE: usize = 40;
/// What stands in place of words that are not told.
const WITHHELD: &str = "(withheld: its words may quote the request)";

/// What a call carried that no message may repeat: its bearer token, and the values of its form.
pub(super) struct Carried(Vec<Secret>);

impl Carried {
    pub(super) fn of(bearer: Option<&Secret>, content: &Content) -> Self {
        let form = match content {
            Content::Form(form) => *form,
            Content::None | Content::Json(_) => &[],
        };
        let bearer = bearer.and_then(Secret::text);
        let texts = form.iter().map(|(_, value)| *value).chain(bearer);
        Self(texts.map(|text| Secret::new(letters(text))).collect())
    }

    /// `text` in one line, shortened; or that it is withheld.
    pub(super) fn tell(&self, text: &str) -> String {
        let text = printable(text, LENGTH);
        match is_encoded(&text) || self.is_quoted(&text) {
            true => WITHHELD.to_owned(),
            false => text,
        }
    }

    /// `code`, if it has the form of one (`google.rpc.Code`, RFC 6749 section 5.2).
    pub(super) fn tell_code(&self, code: &str) -> String {
        let is_name = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_code = !code.is_empty() && code.len() <= CODE && code.chars().all(is_name);
        match is_code && !self.is_quoted(code) {
            true => code.to_owned(),
            false => "unknown error".to_owned(),
        }
    }

    fn is_quoted(&self, text: &str) -> bool {
        let text = letters(text);
        let told: BTreeSet<&[u8]> = text.windows(QUOTATION).collect();
        let mut quotations = self.0.iter().flat_map(|s| s.bytes().windows(QUOTATION));
        quotations.any(|quotation| told.contains(quotation))
    }
}

/// Neither case nor what stands in between hides a quotation.
fn letters(text: &str) -> Vec<u8> {
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|byte| byte.to_ascii_lowercase()).collect()
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

    fn carried() -> Carried {
        let form = [("audience", "//iam.example/pool"), ("subject_token", TOKEN)];
        let bearer = Secret::new(b"ya29.a0AfH6SMBx-y_z".to_vec());
        Carried::of(Some(&bearer), &Content::Form(&form))
    }

    #[test]
    fn tells_what_services_say() {
        for text in [REJECTED, DENIED, "", "no"] {
            assert_eq!(carried().tell(text), text);
        }
        assert_eq!(carried().tell_code("invalid_grant"), "invalid_grant");
        let code = "PERMISSION_DENIED";
        assert_eq!(carried().tell_code(code), code);
    }

    #[test]
    fn tells_no_part_of_the_request() {
        let spaced: String = TOKEN.chars().flat_map(|c| [c, ' ']).collect();
        for text in [
            format!("bad token {TOKEN}"),
            format!("bad token {}", &TOKEN[..11]),
            format!("…{}", &TOKEN[30..]),
            TOKEN.to_uppercase(),
            spaced,
            "subject_token=x&audience=%2F%2Fiam.example%2Fpool".to_owned(),
            "Bearer ya29.a0AfH6SMBx".to_owned(),
            // Base64 of something that is not known here.
            "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZXlKaGRXUWlPaUo0SW4w".to_owned(),
        ] {
            assert_eq!(carried().tell(&text), WITHHELD, "{text}");
        }
        for code in [TOKEN, "eyJhbGciOi", "", "a b", &"a".repeat(41)] {
            assert_eq!(carried().tell_code(code), "unknown error", "{code}");
        }
    }
}
