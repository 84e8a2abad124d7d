use chrono::{DateTime, Utc};
use content::json;
use sigstore_verify::trust_root::{
    SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, TransparencyLog, TrustedRoot,
};
use sigstore_verify::types::{TimeRange, TransparencyLogEntry};

use crate::{Reason, Refusal, period};

/// The root of Sigstore's public instance, as of the version of `sigstore-verify`.
pub const PRODUCTION: &str = SIGSTORE_PRODUCTION_TRUSTED_ROOT;
/// The root of Sigstore's instance for tests, as of the version of `sigstore-verify`.
pub const STAGING: &str = SIGSTORE_STAGING_TRUSTED_ROOT;

/// The largest root, in bytes.
const LIMIT: u64 = 1 << 20;
/// The most logs, and the most authorities, of one kind in one root.
const MEMBERS: usize = 256;
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// The authorities and logs that are trusted: a `trusted_root.json` (protobuf-specs,
/// `sigstore_trustroot.proto`).
#[derive(Clone, Debug)]
pub struct TrustRoot(TrustedRoot);

impl TrustRoot {
    /// Parses a `trusted_root.json`.
    ///
    /// # Errors
    /// The root is larger than 1 MiB, not strict JSON, of an unknown version, has too many members, a period
    /// without a start or an authority whose certificate cannot be parsed, or nothing in it can be trusted.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut root = json::parse_protobuf(bytes, LIMIT)
            .map_err(|error| malformed(format!("parsing trusted root: {error}")))?;
        check(&root)?;
        period::narrow(&mut root)?;
        Ok(Self(root))
    }

    /// The root without the logs and timestamp authorities whose period begins after `now`.
    pub(crate) fn at(&self, now: DateTime<Utc>) -> TrustedRoot {
        let mut root = self.0.clone();
        let has_started = |period: Option<TimeRange>| {
            period.is_none_or(|p| p.start.as_second() <= now.timestamp())
        };
        root.tlogs
            .retain(|log| has_started(log.public_key.valid_for));
        root.timestamp_authorities
            .retain(|authority| has_started(authority.valid_for));
        root
    }

    /// The log that an entry names.
    pub(crate) fn log_of(&self, entry: &TransparencyLogEntry) -> Option<&TransparencyLog> {
        let logs = &mut self.0.tlogs.iter();
        logs.find(|log| log.log_id.key_id == entry.log_id.key_id)
    }

    /// Whether the instance has a transparency log. GitHub's for private repositories has none.
    pub(crate) fn has_logs(&self) -> bool {
        !self.0.tlogs.is_empty()
    }

    /// Whether the instance logs its certificates.
    pub(crate) fn has_certificate_logs(&self) -> bool {
        !self.0.ctlogs.is_empty()
    }
}

fn check(root: &TrustedRoot) -> Result<(), Refusal> {
    if !MEDIA_TYPES.contains(&root.media_type.as_str()) {
        let found = &root.media_type;
        return Err(malformed(format!(
            "unknown version of trusted root {found}"
        )));
    }
    let counts = [
        root.tlogs.len(),
        root.certificate_authorities.len(),
        root.ctlogs.len(),
        root.timestamp_authorities.len(),
    ];
    match counts.iter().max() {
        Some(0) => Err(malformed("the trusted root is empty".to_owned())),
        Some(&most) if most > MEMBERS => Err(malformed(format!(
            "the trusted root has {most} logs or authorities of one kind, more than {MEMBERS}"
        ))),
        _ => Ok(()),
    }
}

fn malformed(detail: String) -> Refusal {
    Refusal::new(Reason::Root, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigstore_verify::trust_root::SIGSTORE_GITHUB_TRUSTED_ROOT;

    #[test]
    fn reads_the_roots_of_public_instances() {
        for text in [PRODUCTION, STAGING] {
            let root = TrustRoot::parse(text.as_bytes()).unwrap();
            assert!(root.has_logs() && root.has_certificate_logs());
        }
        let root = TrustRoot::parse(SIGSTORE_GITHUB_TRUSTED_ROOT.as_bytes()).unwrap();
        assert!(!root.has_certificate_logs());
    }

    #[test]
    fn refuses_what_is_malformed() {
        let text = PRODUCTION;
        for (from, to, reason) in [
            (r#""start""#, r#""begin""#, "missing field `start`"),
            (r#""tlogs""#, r#""tlogs":[],"tlogs""#, "tlogs"),
            (r#""tlogs""#, r#""Tlogs":[],"tlogs""#, "and lower case"),
            (r#""rawBytes""#, r#""bytes""#, "missing field `rawBytes`"),
            ("trustedroot+json", "other+json", "unknown version"),
        ] {
            assert!(text.contains(from), "{from}");
            let refusal = TrustRoot::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert_eq!(refusal.reason, Reason::Root);
            assert!(refusal.detail.contains(reason), "{refusal}");
        }
        let empty = format!(r#"{{"mediaType":"{}"}}"#, MEDIA_TYPES[0]);
        assert!(TrustRoot::parse(empty.as_bytes()).is_err());
        let large = format!("{text}{}", " ".repeat(LIMIT as usize));
        assert!(TrustRoot::parse(large.as_bytes()).is_err());
    }

    #[test]
    fn what_has_not_begun_is_not_trusted() {
        let root = TrustRoot::parse(PRODUCTION.as_bytes()).unwrap();
        let at = |seconds| root.at(DateTime::from_timestamp(seconds, 0).unwrap());
        assert_eq!(at(1_600_000_000).tlogs.len(), 0);
        assert_eq!(at(1_700_000_000).tlogs.len(), 1);
        assert_eq!(at(1_700_000_000).timestamp_authorities.len(), 0);
        assert_eq!(at(1_790_000_000).tlogs.len(), root.0.tlogs.len());
    }
}
