//! Whose signatures the image needs, and where they come from.

use std::time::Duration;

use content::Digest;
use serde::Deserialize;
use tee::key::Kind;
use tee::{Carrier, Party, PublicKey, Quorum, Repository, Source};

use super::error::InvalidTerms;
use super::parties::text;

/// The longest wait for signatures, in seconds: a week.
const LONGEST_WAIT: u64 = 604_800;

/// Whose signatures the image needs, and where they come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LateBinding {
    /// The parties, and how many of them must have signed.
    pub quorum: Quorum,
    /// Where signatures are looked for.
    pub from: Vec<Origin>,
    /// How long to wait for signatures that are missing.
    pub wait: Duration,
}

/// Where signatures are looked for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The claims of the attestation token.
    Token,
    /// The repository.
    Registry,
    /// The arguments of the workload.
    Argument,
    /// The environment variable [`tee::VARIABLE`].
    Environment,
    /// The metadata of the instance.
    Metadata,
}

/// What the operator has passed at the start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The environment variable [`tee::VARIABLE`].
    pub variable: Option<String>,
}

impl LateBinding {
    /// The sources, with what the operator has `given`.
    pub fn sources(&self, given: &Given) -> Vec<Source> {
        let source = |origin: &Origin| match origin {
            Origin::Token => Source::Token,
            Origin::Registry => Source::Registry,
            Origin::Metadata => Source::Metadata,
            Origin::Argument => Source::Given {
                by: Carrier::Arguments,
                arrays: given.arguments.clone(),
            },
            Origin::Environment => Source::Given {
                by: Carrier::Environment,
                arrays: given.variable.iter().cloned().collect(),
            },
        };
        self.from.iter().map(source).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSigner {
    name: String,
    key_id: Option<String>,
    keys: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireLateBinding {
    from: Vec<Origin>,
    repository: Option<String>,
    threshold: Option<usize>,
    #[serde(default, deserialize_with = "content::json::null_is_default")]
    wait_seconds: u64,
    expires_at: Option<u64>,
}

/// Terms without an entry ask for the signatures of all, in the token.
impl Default for WireLateBinding {
    fn default() -> Self {
        Self {
            from: vec![Origin::Token],
            repository: None,
            threshold: None,
            wait_seconds: 0,
            expires_at: None,
        }
    }
}

pub(super) fn read(
    signers: Vec<WireSigner>,
    wire: WireLateBinding,
) -> Result<LateBinding, InvalidTerms> {
    let parties = signers.into_iter().map(party);
    let mut quorum = Quorum::all(parties.collect::<Result<_, _>>()?).map_err(InvalidTerms::of)?;
    if let Some(threshold) = wire.threshold {
        quorum = quorum.at_least(threshold).map_err(InvalidTerms::of)?;
    }
    if let Some(repository) = &wire.repository {
        let repository = Repository::parse(repository).map_err(InvalidTerms::of)?;
        quorum = quorum.in_repository(repository);
    }
    if let Some(time) = wire.expires_at {
        quorum = quorum.until(time);
    }
    if wire.wait_seconds > LONGEST_WAIT {
        let found = wire.wait_seconds;
        return Err(InvalidTerms::of(format_args!(
            "invalid wait_seconds {found}: expected at most {LONGEST_WAIT}"
        )));
    }
    let from = wire.from;
    check_origins(&from, &quorum)?;
    Ok(LateBinding {
        wait: Duration::from_secs(wire.wait_seconds),
        quorum,
        from,
    })
}

fn party(wire: WireSigner) -> Result<Party, InvalidTerms> {
    let name = text(&wire.name)?;
    match (wire.key_id, wire.keys) {
        (Some(id), None) => match Digest::from_hex(&id) {
            Ok(id) => Ok(Party::by_id(&name, id)),
            Err(_) => Err(InvalidTerms::of(format_args!(
                "signer {name}: invalid key_id {:?}: expected 64 lower-case hex digits, as `builder key` prints them",
                id.chars().take(80).collect::<String>()
            ))),
        },
        (None, Some(keys)) => {
            let keys = keys.iter().map(|key| PublicKey::from_pem(key)).collect();
            let keys: Result<Vec<_>, _> = keys;
            let invalid = |error| InvalidTerms::of(format_args!("signer {name}: {error}"));
            Ok(Party::by_keys(&name, keys.map_err(invalid)?))
        }
        _ => Err(InvalidTerms::of(format_args!(
            "signer {name}: expected key_id or keys"
        ))),
    }
}

/// Checks that every signer can be counted by one of the origins.
fn check_origins(from: &[Origin], quorum: &Quorum) -> Result<(), InvalidTerms> {
    let twice = |(place, origin): (usize, &Origin)| from[..place].contains(origin);
    if from.is_empty() || from.iter().enumerate().any(twice) {
        return Err(InvalidTerms::of(
            "late_binding: expected one or several sources in from, each once",
        ));
    }
    let proves_itself = |origin: &Origin| *origin != Origin::Token;
    match (from.iter().any(proves_itself), quorum.repository()) {
        (true, None) => {
            return Err(InvalidTerms::of(
                "late_binding: all sources but token need a repository",
            ));
        }
        (false, Some(_)) => {
            return Err(InvalidTerms::of(
                "late_binding: a repository has no effect on the source token",
            ));
        }
        _ => {}
    }
    let is_token = from.contains(&Origin::Token);
    let is_other = from.iter().any(proves_itself);
    let counts = |party: &&Party| {
        let keys = party.keys();
        let by_token = keys.is_empty() || keys.iter().any(|key| key.kind() != Kind::Ed25519);
        (is_token && by_token) || (is_other && !keys.is_empty())
    };
    match quorum.parties().iter().find(|party| !counts(party)) {
        None => Ok(()),
        Some(party) => Err(InvalidTerms::of(format_args!(
            "signer {}: no source can count it: token reads no signatures by Ed25519 keys, and the others need keys, not key_id",
            party.name()
        ))),
    }
}
