//! What binds a log entry to the log that it names. `sigstore-verify` accepts a checkpoint by any log of
//! the root for an entry of any other.

use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::TransparencyLog;
use sigstore_verify::types::TransparencyLogEntry;

use crate::bundle::Bundle;
use crate::{Reason, Refusal, TrustRoot};

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
    let checkpoint = proof.checkpoint.checkpoint();
    let is_signed = checkpoint.is_some_and(|checkpoint| {
        let signed = checkpoint.signed_data();
        let mut signatures = checkpoint.signatures().iter();
        signatures.any(|signature| key.verify(signed, &signature.signature).is_ok())
    });
    match is_signed {
        true => Ok(()),
        false => {
            let detail = format!("the checkpoint is not signed by {}", log.base_url);
            Err(Refusal::new(Reason::LogCheckpoint, detail))
        }
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
