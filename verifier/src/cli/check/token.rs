//! The arguments of `check token`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args};
use verifier::Error;
use verifier::check::{self, Facts, Images, Judgement, Trust};

/// Arguments of `check token`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("trust").required(true).args(["jwks", "root"]))]
pub struct Token {
    /// The token
    file: PathBuf,
    /// The keys of the issuer, as a JSON Web Key Set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The root certificate in PEM, for a PKI token: one with certificates
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// The time at which the token must be valid, in Unix seconds or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<u64>,
    /// The only audience [default: any single one]
    #[arg(long)]
    audience: Option<String>,
    /// A nonce that the token must contain; repeatable
    #[arg(long = "nonce", value_name = "NONCE")]
    nonces: Vec<String>,
    /// Refuse the token of an image that the operator can debug
    #[arg(long)]
    require_production: bool,
    /// Report as JSON on standard output, with the claims if the signature verifies
    #[arg(long)]
    json: bool,
}

impl Token {
    pub(super) fn judge(
        &self,
        now: DateTime<Utc>,
        facts: Option<&mut Facts>,
    ) -> Result<Judgement, Error> {
        let request = check::Token {
            file: &self.file,
            trust: self.trust(),
            at: self.at.unwrap_or_else(|| unix(now)),
            audience: self.audience.as_deref(),
            nonces: &self.nonces,
            images: match self.require_production {
                true => Images::Production,
                false => Images::Any,
            },
        };
        check::token(&request, facts)
    }

    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Who may have signed the token. The parser of arguments requires exactly one.
    fn trust(&self) -> Trust<'_> {
        match &self.root {
            Some(root) => Trust::Root(root),
            None => Trust::Keys(self.jwks.as_deref().unwrap_or(Path::new(""))),
        }
    }
}

/// The Unix time in seconds. A time before 1970 counts as 1970.
fn unix(time: DateTime<Utc>) -> u64 {
    u64::try_from(time.timestamp()).unwrap_or_default()
}

fn time(text: &str) -> Result<u64, String> {
    let seconds = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => u64::try_from(time.timestamp()).ok(),
        Err(_) => text.parse().ok(),
    };
    seconds.ok_or_else(|| "expected Unix seconds or a time of RFC 3339".to_owned())
}
