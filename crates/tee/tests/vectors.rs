//! Published attestation tokens, real and forged, from the folder that `VECTORS` names.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

use confidential::claims::{Claims, Expected, ISSUER, PRODUCTION};
use confidential::jwks::KeySet;
use serde_json::Value;
use tee::identity::verify;

#[test]
fn judges_published_tokens_as_their_authors_do() {
    let Some(vectors) = std::env::var_os("VECTORS").map(PathBuf::from) else {
        println!("skipped: confidential-space tokens: VECTORS is not set");
        return;
    };
    let folder = vectors.join("confidential-space");
    let rows = std::fs::read_to_string(folder.join("token_cases.jsonl")).unwrap();
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    // Tokens with a certificate chain are for offline verification, which this crate does not do.
    let (ours, others): (Vec<_>, Vec<_>) = rows.partition(|row| row["jwks"].is_string());
    println!("skipped: {} tokens of the PKI kind", others.len());
    assert!(!ours.is_empty());
    let wrong = ours.iter().filter(|row| {
        let judged = judge(&folder, row);
        let accepted = judged.as_ref().is_ok_and(|claims| suits(row, claims));
        let expected = row["expect"].as_str().unwrap();
        let is_wrong = expected != "either" && accepted != (expected == "accept");
        if is_wrong {
            println!("{}: expected {expected}, found {judged:?}", row["id"]);
        }
        is_wrong
    });
    assert_eq!(wrong.count(), 0);
    println!("{} tokens judged", ours.len());
}

/// Checks the debug status, which the condition of the provider checks in production.
fn suits(row: &Value, claims: &Claims) -> bool {
    let production = claims.debug_status.as_deref() == Some(PRODUCTION);
    production || row["require_production"].as_bool() != Some(true)
}

fn judge(folder: &Path, row: &Value) -> Result<Claims, confidential::Error> {
    let read = |name: &str| std::fs::read(folder.join(row[name].as_str().unwrap())).unwrap();
    let token = String::from_utf8(read("token")).unwrap();
    let claims = verify(token.trim_end(), &KeySet::parse(&read("jwks"))?)?;
    let nonces: Vec<String> = match &row["nonce"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .map(|n| n.as_str().unwrap().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    // A row without an audience accepts the token's own.
    let own = claims.audience.0.first().cloned().unwrap_or_default();
    let audience = row["audience"].as_str().unwrap_or(&own);
    let at = row["at"].as_u64().unwrap();
    claims.check(&Expected {
        issuer: ISSUER,
        audience,
        nonces: &nonces,
        at,
    })?;
    Ok(claims)
}
