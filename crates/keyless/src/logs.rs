//! What binds a log entry to the log that it names. `sigstore-verify` accepts a checkpoint by any log of
//! the root for an entry of any other, and with any origin.

use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::TransparencyLog;
use sigstore_verify::types::TransparencyLogEntry;

use crate::bundle::Bundle;
use crate::{Reason, Refusal, TrustRoot};

/// The version of entries in logs of Rekor v2. Of the kind `intoto`, which these do not have, there is such a version in
/// Rekor v1 as well.
const SECOND: &str = "0.0.2";

/// Checks that each entry names a log of the root.
pub(crate) fn check_known(bundle: &Bundle, root: &TrustRoot) -> Result<(), Refusal> {
    let mut entries = bundle.entries().iter();
    match entries.find(|entry| root.log_of(entry).is_none()) {
        Some(entry) => Err(unknown(entry)),
        None => Ok(()),
    }
}

/// Checks that the log that each entry names has signed the checkpoint, and that the root still trusted the
/// log when the signature was made, at each of `times` (seconds since 1970).
pub(crate) fn check(bundle: &Bundle, root: &TrustRoot, times: &[i64]) -> Result<(), Refusal> {
    for entry in bundle.entries() {
        let log = root.log_of(entry).ok_or_else(|| unknown(entry))?;
        check_checkpoint(entry, log)?;
        check_period(log, times)?;
    }
    Ok(())
}

fn check_checkpoint(entry: &TransparencyLogEntry, log: &TransparencyLog) -> Result<(), Refusal> {
    let Some(proof) = &entry.inclusion_proof else {
        return Ok(());
    };
    let key = VerificationKey::from_spki(&log.public_key.raw_bytes)
        .map_err(|error| Refusal::new(Reason::Root, format!("parsing key of log: {error}")))?;
    let refused = |detail| Refusal::new(Reason::LogCheckpoint, detail);
    let unsigned = || refused(format!("the checkpoint is not signed by {}", log.base_url));
    let checkpoint = proof.checkpoint.checkpoint().ok_or_else(unsigned)?;
    let signed = checkpoint.signed_data();
    let signatures = checkpoint.signatures().iter();
    let by_log = signatures.filter(|one| key.verify(signed, &one.signature).is_ok());
    let mut names = by_log.map(|signature| signature.name.as_str()).peekable();
    names.peek().ok_or_else(unsigned)?;
    let (origin, host) = (checkpoint.origin(), host(&log.base_url));
    let kind = &entry.kind_version;
    let is_second = kind.version() == SECOND && kind.kind() != "intoto";
    match names.any(|name| is_origin(origin, name)) && (!is_second || origin == host) {
        true => Ok(()),
        false => Err(refused(format!(
            "the checkpoint is of the log {origin}, not of {}",
            log.base_url
        ))),
    }
}

/// Whether a log with this name signs checkpoints with this origin: the same (C2SP, `tlog-checkpoint`), or, in Rekor v1, with
/// the number of the tree after it. The log signs the origin, and not the name before its signature.
fn is_origin(origin: &str, name: &str) -> bool {
    let rest = origin.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" - "))
}

/// The host in the URL of a log. The origin of a log of Rekor v2 is this host (sigstore-go, `tlog`); Rekor v1 can be
/// configured with another.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    }
}

fn check_period(log: &TransparencyLog, times: &[i64]) -> Result<(), Refusal> {
    let end = log.public_key.valid_for.and_then(|period| period.end);
    let Some(end) = end else {
        return Ok(());
    };
    match times.iter().any(|&time| time > end.as_second()) {
        true => {
            let detail = format!("the root trusts {} only until {end}", log.base_url);
            Err(Refusal::new(Reason::LogTime, detail))
        }
        false => Ok(()),
    }
}

fn unknown(entry: &TransparencyLogEntry) -> Refusal {
    let detail = format!("the root has no log {}", entry.log_id.key_id);
    Refusal::new(Reason::LogUnknown, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_name_of_the_log() {
        let name = "rekor.sigstore.dev";
        assert!(is_origin(name, name));
        assert!(is_origin("rekor.sigstore.dev - 2605736670972794746", name));
        for other in [
            "rekor.sigstore.dev.evil",
            "other",
            "",
            "rekor.sigstore.dev-1",
        ] {
            assert!(!is_origin(other, name), "{other}");
        }
    }

    #[test]
    fn a_log_has_a_host() {
        for (url, expected) in [
            (
                "https://log2025-1.rekor.sigstore.dev",
                "log2025-1.rekor.sigstore.dev",
            ),
            ("http://127.0.0.1:3000/", "127.0.0.1"),
            ("https://[::1]", "[::1]"),
            ("https://[::1]:1/a:2", "[::1]"),
            ("log.example/a", "log.example"),
            ("", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn a_log_is_trusted_until_its_period_ends() {
        let root = TrustRoot::parse(crate::PRODUCTION.as_bytes()).unwrap();
        let mut log = root.at(chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let mut log = log.tlogs.remove(0);
        let mut check = |period: &serde_json::Value, times: &[i64]| {
            log.public_key.valid_for = serde_json::from_value(period.clone()).unwrap();
            check_period(&log, times).map_err(|refusal| refusal.reason)
        };
        let end = 1_767_225_600;
        let ended = serde_json::json!({
            "start": "2025-01-01T00:00:00Z",
            "end": "2026-01-01T00:00:00Z",
        });
        assert_eq!(check(&ended, &[]), Ok(()));
        assert_eq!(check(&ended, &[end - 1, end]), Ok(()));
        assert_eq!(check(&ended, &[end - 1, end + 1]), Err(Reason::LogTime));
        let open = serde_json::json!({ "start": "2025-01-01T00:00:00Z" });
        assert_eq!(check(&open, &[end + 1]), Ok(()));
        assert_eq!(check(&serde_json::Value::Null, &[end + 1]), Ok(()));
    }
}
