use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use content::{json, limits};
use sigstore_verify::trust_root::{
    SIGNING_CONFIG_MEDIA_TYPE, ServiceConfiguration, ServiceEndpoint, ServiceSelector,
    SigningConfig as Document,
};

use super::Invalid;

/// The most logs, and the most timestamp authorities, that one signature uses.
const MOST: usize = 8;
/// The major version of the API of Fulcio. Its paths begin with `/api/v2`, since the first of that version replaced another.
const AUTHORITY: u32 = 1;
/// The major version of the API of Rekor: that of `rekor-tiles`.
const LOG: u32 = 2;
/// The major version of the API of timestamp authorities.
const TIMESTAMPS: u32 = 1;

/// The services of a Sigstore instance: a `signing_config.json` of version 0.2 (protobuf-specs,
/// `sigstore_trustroot.proto`, `SigningConfig`).
#[derive(Clone, Debug)]
pub struct SigningConfig(Document);

/// The URLs of the services that one signature uses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Services {
    /// The certificate authority.
    pub authority: String,
    /// Transparency logs; empty if the instance has none.
    pub logs: Vec<String>,
    /// Timestamp authorities; empty if the instance has none.
    pub timestamps: Vec<String>,
}

impl SigningConfig {
    /// Parses a `signing_config.json`.
    ///
    /// # Errors
    /// The document is larger than [`limits::DOCUMENT`], not strict JSON, or of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let config: Document = json::parse(bytes, limits::DOCUMENT)
            .map_err(|error| Invalid::new(format!("parsing signing config: {error}")))?;
        match config.media_type == SIGNING_CONFIG_MEDIA_TYPE {
            true => Ok(Self(config)),
            false => Err(Invalid::new(format!(
                "parsing signing config: expected {SIGNING_CONFIG_MEDIA_TYPE}, found {:?}",
                config.media_type
            ))),
        }
    }

    /// The services to use at the time `now`: of each operator, the newest one with a version of the API that is known
    /// here, and as many of them as the document says.
    ///
    /// # Errors
    /// There are fewer, or no certificate authority.
    pub fn services(&self, now: DateTime<Utc>) -> Result<Services, Invalid> {
        let authority = eligible(&self.0.ca_urls, AUTHORITY, now);
        let authority = authority.first().ok_or_else(|| {
            Invalid::new(format!(
                "reading signing config: it names no certificate authority with version {AUTHORITY} of the API that is \
                 valid now"
            ))
        })?;
        let (logs, timestamps) = (&self.0.rekor_tlog_urls, &self.0.tsa_urls);
        Ok(Services {
            authority: (*authority).to_owned(),
            logs: select("log", logs, LOG, &self.0.rekor_tlog_config, now)?,
            timestamps: select(
                "timestamp authority",
                timestamps,
                TIMESTAMPS,
                &self.0.tsa_config,
                now,
            )?,
        })
    }
}

fn select(
    what: &str,
    all: &[ServiceEndpoint],
    version: u32,
    wanted: &ServiceConfiguration,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Invalid> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let eligible = eligible(all, version, now);
    let count = match wanted.selector {
        ServiceSelector::Any => 1,
        ServiceSelector::All => eligible.len().max(1),
        ServiceSelector::Exact => wanted.count.unwrap_or_default() as usize,
        _ => 0,
    };
    if !(1..=MOST).contains(&count) {
        return Err(Invalid::new(format!(
            "reading signing config: expected a selector of 1 to {MOST} services of kind {what}"
        )));
    }
    match eligible.get(..count) {
        Some(chosen) => Ok(chosen.iter().map(|&url| url.to_owned()).collect()),
        None => Err(Invalid::new(format!(
            "reading signing config: expected {count} of kind {what}, with version {version} of the API and each by \
             another operator, found {} that are valid now",
            eligible.len()
        ))),
    }
}

/// The services that can be used, at most one of each operator, the newest first.
fn eligible(all: &[ServiceEndpoint], version: u32, now: DateTime<Utc>) -> Vec<&str> {
    let now = now.timestamp();
    let is_valid = |one: &&ServiceEndpoint| {
        let (start, end) = (one.valid_for.start, one.valid_for.end);
        start.as_second() <= now && end.is_none_or(|end| now <= end.as_second())
    };
    let usable = |one: &&ServiceEndpoint| one.major_api_version == version && is_valid(one);
    let mut found: Vec<_> = all.iter().filter(usable).collect();
    found.sort_by_key(|one| Reverse(one.valid_for.start));
    let mut operators = BTreeSet::new();
    found.retain(|one| operators.insert(one.operator.as_deref()));
    found.iter().map(|one| one.url.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use sigstore_verify::trust_root::SIGSTORE_STAGING_SIGNING_CONFIG as STAGING;

    fn service(url: &str, version: u32, start: &str, operator: &str) -> Value {
        json!({"url": url, "majorApiVersion": version, "validFor": {"start": start}, "operator": operator})
    }

    fn config() -> Value {
        let mut old = service("https://old.example", 2, "2024-01-01T00:00:00Z", "c");
        old["validFor"]["end"] = "2025-01-01T00:00:00Z".into();
        json!({
            "mediaType": SIGNING_CONFIG_MEDIA_TYPE,
            "caUrls": [service("https://ca.example", 1, "2025-01-01T00:00:00Z", "a")],
            "rekorTlogUrls": [
                service("https://v1.example", 1, "2026-01-01T00:00:00Z", "z"),
                service("https://a1.example", 2, "2025-01-01T00:00:00Z", "a"),
                service("https://a2.example", 2, "2025-06-01T00:00:00Z", "a"),
                service("https://b.example", 2, "2025-03-01T00:00:00Z", "b"),
                service("https://future.example", 2, "2027-01-01T00:00:00Z", "d"),
                old,
            ],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [service("https://t.example/api/v1/timestamp", 1, "2025-01-01T00:00:00Z", "a")],
            "tsaConfig": {"selector": "ALL"},
        })
    }

    fn services(config: &Value) -> Result<Services, Invalid> {
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        SigningConfig::parse(config.to_string().as_bytes())?.services(now)
    }

    #[test]
    fn services_are_chosen_by_time_version_and_operator() {
        let mut config = config();
        let found = services(&config).unwrap();
        assert_eq!(found.authority, "https://ca.example");
        assert_eq!(found.logs, ["https://a2.example"]);
        assert_eq!(found.timestamps, ["https://t.example/api/v1/timestamp"]);
        let both = ["https://a2.example", "https://b.example"];
        for wanted in [
            json!({"selector": "ALL"}),
            json!({"selector": "EXACT", "count": 2}),
        ] {
            config["rekorTlogConfig"] = wanted;
            assert_eq!(services(&config).unwrap().logs, both);
        }
        config["rekorTlogUrls"] = json!([]);
        assert!(services(&config).unwrap().logs.is_empty());
    }

    #[test]
    fn too_few_services_are_refused() {
        for (pointer, value, reason) in [
            (
                "/rekorTlogConfig",
                json!({"selector": "EXACT", "count": 3}),
                "expected 3",
            ),
            ("/rekorTlogConfig", json!({"selector": "EXACT"}), "1 to 8"),
            (
                "/rekorTlogConfig",
                json!({"selector": "EXACT", "count": 9}),
                "1 to 8",
            ),
            (
                "/rekorTlogConfig",
                json!({"selector": "SERVICE_SELECTOR_UNDEFINED"}),
                "1 to 8",
            ),
            ("/tsaUrls/0/majorApiVersion", json!(2), "expected 1"),
            ("/caUrls", json!([]), "no certificate authority"),
            (
                "/caUrls/0/validFor/start",
                json!("2027-01-01T00:00:00Z"),
                "no certificate authority",
            ),
            (
                "/mediaType",
                json!("application/vnd.dev.sigstore.signingconfig.v0.1+json"),
                "expected",
            ),
            (
                "/caUrls/0",
                json!({"url": "https://ca.example"}),
                "missing field",
            ),
        ] {
            let mut config = config();
            *config.pointer_mut(pointer).unwrap() = value;
            let error = services(&config).unwrap_err().to_string();
            assert!(error.contains(reason), "{pointer}: {error}");
        }
    }

    #[test]
    fn reads_the_config_of_a_public_instance() {
        let config = SigningConfig::parse(STAGING.as_bytes()).unwrap();
        let at = |seconds| config.services(DateTime::from_timestamp(seconds, 0).unwrap());
        // Its log of version 2 began on 2026-06-12.
        let error = at(1_780_000_000).unwrap_err().to_string();
        assert!(
            error.contains("expected 1 of kind log, with version 2"),
            "{error}"
        );
        let services = at(1_790_000_000).unwrap();
        assert!(services.authority.starts_with("https://"));
        assert_eq!((services.logs.len(), services.timestamps.len()), (1, 1));
    }
}
