//! The archive's signature on its release file, verified by gpgv.

use std::fs;
use std::io;

use scratch::Scratch;

use super::error::ChainError;
use crate::host;
use crate::lock::signature::Signature;
use crate::lock::time::Time;

/// The marker lines of a cleartext signed message (RFC 4880, section 7), in order.
const MARKS: [&str; 3] = [
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "-----BEGIN PGP SIGNATURE-----",
    "-----END PGP SIGNATURE-----",
];
/// SHA-256, SHA-384 and SHA-512 (RFC 4880, section 9.4).
const STRONG: [&str; 3] = ["8", "9", "10"];

/// A signed text.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) text: String,
    /// The good signatures by keys of the keyring; may be empty.
    pub(super) signatures: Vec<Signature>,
    /// The standard error of gpgv.
    pub(super) said: String,
}

/// The text of a cleartext signed message, and the good signatures on it by keys of `keyring`.
///
/// A signature counts if its key was valid when it signed: keys expire. A revoked key never counts.
///
/// # Errors
/// gpgv is missing, or the file is not exactly one signed message.
pub(super) fn verify(message: &[u8], keyring: &[u8]) -> Result<Signed, ChainError> {
    check_form(message)?;
    let home = Scratch::new().map_err(ChainError::scratch)?;
    let at = |name: &str| home.path().join(name);
    let (message_path, keyring_path) = (at("InRelease"), at("keyring.gpg"));
    fs::write(&message_path, message)
        .and_then(|()| fs::write(&keyring_path, keyring))
        .map_err(ChainError::scratch)?;
    let checked = host::gpgv(&keyring_path, &message_path, &at("text"), home.path())?;
    let signatures = signatures(&checked.status)?;
    // Without any key, gpgv writes no text.
    let text = match signatures.is_empty() {
        true => Vec::new(),
        false => read_text(&at("text"), message.len()).map_err(ChainError::scratch)?,
    };
    Ok(Signed {
        text: String::from_utf8(text).map_err(|_| form("the signed text is not UTF-8"))?,
        signatures,
        said: checked.said,
    })
}

/// The text is part of the message, so it cannot be longer.
fn read_text(path: &std::path::Path, limit: usize) -> io::Result<Vec<u8>> {
    let text = content::read_limited(fs::File::open(path)?, limit as u64);
    text.map_err(io::Error::other)
}

/// Checks that this is one message with nothing before or after it: if there were several, gpgv could verify one and
/// write the text of another.
fn check_form(message: &[u8]) -> Result<(), ChainError> {
    let text = str::from_utf8(message).map_err(|_| form("not UTF-8"))?;
    if text.contains('\0') {
        return Err(form("it contains a NUL"));
    }
    let text = text.trim_end();
    let marks = text
        .lines()
        .filter(|line| line.trim_start().starts_with("-----"));
    let is_one = marks.map(str::trim_end).eq(MARKS);
    match is_one && text.starts_with(MARKS[0]) && text.ends_with(MARKS[2]) {
        true => Ok(()),
        false => Err(form("expected one signed message and nothing else")),
    }
}

fn form(reason: &str) -> ChainError {
    ChainError::broken(format_args!("parsing InRelease: {reason}"))
}

/// The good signatures in gpgv's status lines (GnuPG, `doc/DETAILS`). gpgv's exit status says whether all signatures are
/// good, including those by keys that are not in the keyring.
fn signatures(status: &str) -> Result<Vec<Signature>, ChainError> {
    let mut signatures = Vec::new();
    let mut texts = 0;
    let mut is_good = false;
    for line in status.lines() {
        let Some(line) = line.strip_prefix("[GNUPG:] ") else {
            continue;
        };
        let words: Vec<_> = line.split(' ').collect();
        match words[0] {
            "PLAINTEXT" => texts += 1,
            "ERROR" => return Err(form("gpgv cannot read it as one signed message")),
            "NEWSIG" | "BADSIG" | "ERRSIG" | "EXPSIG" | "REVKEYSIG" => is_good = false,
            "GOODSIG" | "EXPKEYSIG" => is_good = true,
            "VALIDSIG" if is_good => signatures.extend(valid(&words)),
            _ => {}
        }
    }
    match texts {
        0 | 1 => Ok(signatures),
        _ => Err(form("it contains several texts")),
    }
}

/// `VALIDSIG fingerprint date time expiry version reserved algorithm hash class primary`
fn valid(words: &[&str]) -> Option<Signature> {
    let is_strong = STRONG.contains(words.get(8)?);
    // Binary or canonical text: other classes sign keys.
    let is_of_text = matches!(*words.get(9)?, "00" | "01");
    let key = words.get(1)?.parse().ok()?;
    let time = Time::from_unix(words.get(3)?.parse().ok()?)?;
    (is_strong && is_of_text).then_some(Signature { key, time })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "4CB50190207B4758A3F73A796ED0E7B82643E131";

    fn status(first: &str, valid: &str) -> String {
        format!(
            "[GNUPG:] PLAINTEXT 74 0 \n[GNUPG:] NEWSIG\n[GNUPG:] {first} 6ED0E7B82643E131 A name\n\
             [GNUPG:] VALIDSIG {KEY} 2026-07-11 1783765031 0 4 0 1 {valid} {KEY}\n\
             [GNUPG:] FAILURE gpg-exit 33554433\n"
        )
    }

    #[test]
    fn good_signatures_count_despite_bad_ones() {
        let other = "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 6ED0E7B82643E131 1 8 01 1783765031 9\n\
                     [GNUPG:] NO_PUBKEY 6ED0E7B82643E131\n";
        for first in ["GOODSIG", "EXPKEYSIG"] {
            let found = signatures(&format!("{other}{}", status(first, "8 01"))).unwrap();
            let [signature] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(signature.key.to_string(), KEY);
            assert_eq!(signature.time.to_string(), "2026-07-11T10:17:11Z");
        }
    }

    #[test]
    fn revoked_keys_weak_digests_and_key_signatures_do_not_count() {
        for (first, valid) in [
            ("REVKEYSIG", "8 01"),
            ("EXPSIG", "8 01"),
            ("BADSIG", "8 01"),
            ("GOODSIG", "2 01"),
            ("GOODSIG", "8 18"),
        ] {
            let found = signatures(&status(first, valid)).unwrap();
            assert!(found.is_empty(), "{first} {valid}");
        }
    }

    #[test]
    fn several_messages_are_refused() {
        let message =
            |text: &str| format!("{}\n\n{text}\n{}\n\nx\n{}\n", MARKS[0], MARKS[1], MARKS[2]);
        let one = message("Suite: s");
        check_form(one.as_bytes()).unwrap();
        let several = "expected one signed message and nothing else";
        for (wrong, reason) in [
            (format!("{one}{one}"), several),
            (format!("text\n{one}"), several),
            (format!("{one}text\n"), several),
            (message(&format!(" {}", MARKS[0])), several),
            (message("a\0b"), "it contains a NUL"),
            ("Suite: s\n".to_owned(), several),
        ] {
            let refused = check_form(wrong.as_bytes()).unwrap_err().to_string();
            assert_eq!(refused, format!("parsing InRelease: {reason}"), "{wrong}");
        }
        let good = status("GOODSIG", "8 01");
        for (line, reason) in [
            ("PLAINTEXT 74 0", "it contains several texts"),
            (
                "ERROR proc_pkt.plaintext 89_BAD_DATA",
                "gpgv cannot read it as one signed message",
            ),
        ] {
            let refused = signatures(&format!("{good}[GNUPG:] {line}\n")).unwrap_err();
            assert_eq!(refused.to_string(), format!("parsing InRelease: {reason}"));
        }
    }
}
