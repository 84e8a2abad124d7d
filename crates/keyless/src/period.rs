//! The periods of certificate authorities. `sigstore-verify` trusts each certificate of an authority's chain as if it
//! were a root, of which only the period counts that the trusted root states.

use chrono::DateTime;
use serde_json::json;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::TimeRange;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::time::{Time, Validity};

use crate::{Reason, Refusal};

/// The last second that a trusted root can state, in Unix seconds: 9999-12-30T22:00:00Z, that of `jiff`.
const LAST: i64 = 253_402_207_200;

/// Narrows the period of each certificate authority to the validity of all certificates in its chain
/// (RFC 5280, section 6.1.3).
///
/// # Errors
/// A certificate cannot be parsed.
pub(crate) fn narrow(root: &mut TrustedRoot) -> Result<(), Refusal> {
    for authority in &mut root.certificate_authorities {
        for certificate in &authority.cert_chain.certificates {
            let own = validity(certificate.raw_bytes.as_bytes())?;
            let stated = authority.valid_for.unwrap_or(own);
            authority.valid_for = Some(common(stated, own));
        }
    }
    Ok(())
}

fn common(one: TimeRange, other: TimeRange) -> TimeRange {
    let ends = [one.end, other.end];
    TimeRange {
        start: one.start.max(other.start),
        end: ends.into_iter().flatten().min(),
    }
}

fn validity(der: &[u8]) -> Result<TimeRange, Refusal> {
    let certificate = Certificate::from_der(der).map_err(malformed)?;
    let Validity {
        not_before,
        not_after,
    } = certificate.tbs_certificate.validity;
    let period = json!({ "start": text(not_before), "end": text(not_after) });
    serde_json::from_value(period).map_err(malformed)
}

/// `None` for a time after [`LAST`]: a certificate without an end has the last second of the year 9999 (RFC 5280,
/// section 4.1.2.5).
fn text(time: Time) -> Option<String> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    let time = DateTime::from_timestamp(seconds, 0)?;
    (seconds <= LAST).then(|| time.to_rfc3339())
}

fn malformed(error: impl std::fmt::Display) -> Refusal {
    let detail = format!("parsing certificate of trusted root: {error}");
    Refusal::new(Reason::Root, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_may_have_no_end() {
        let period = json!({ "start": "2026-01-01T00:00:00Z", "end": text(Time::INFINITY) });
        let period: TimeRange = serde_json::from_value(period).unwrap();
        assert_eq!(period.end, None);
        let last = DateTime::from_timestamp(LAST, 0).unwrap().to_rfc3339();
        let period = json!({ "start": last });
        assert!(serde_json::from_value::<TimeRange>(period).is_ok());
    }
}
