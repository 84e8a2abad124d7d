//! `verifier check token`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

#[path = "../command/mod.rs"]
mod command;
mod world;

use std::fs;
use std::path::Path;

use rcgen::{IsCa, date_time_ymd};
use serde_json::{Value, json};

use world::{AT, AUTHORITY, CA, OTHER, claims, folder, issue, params, pem, pki, signed, token};

/// Runs `verifier check token WORDS` in a folder; gives the exit status, standard output and standard error.
fn check(folder: &Path, words: &[&str]) -> (i32, String, String) {
    command::check(folder, &[&["token"], words].concat())
}

#[test]
fn tokens_of_both_types_are_accepted() {
    let folder = folder();
    let nonces = ["--nonce", "nonce-two", "--nonce", "nonce-one"];
    let audience = ["--audience", "https://me.example", "--require-production"];
    for trust in [["oidc", "--jwks", "jwks"], ["pki", "--root", "root"]] {
        for at in [
            "1767268800",
            "2026-01-01T12:59:59Z",
            "2026-01-01T13:59:59+01:00",
        ] {
            let words = [&trust[..], &["--at", at], &nonces, &audience].concat();
            let accepted = (0, "accepted\n".to_owned(), String::new());
            assert_eq!(check(folder.path(), &words), accepted, "{words:?}");
        }
        let words = [&trust[..], &["--at", "1767268800", "--json"]].concat();
        let (status, out, _) = check(folder.path(), &words);
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &report["accepted"]), (0, &true.into()));
        assert_eq!(report["claims"]["aud"], "https://me.example");
    }
}

#[test]
fn claims_are_compared() {
    let folder = folder();
    for (file, words, reason) in [
        ("oidc", &["--at", "2026-01-01T13:00:00Z"][..], "expired at"),
        ("oidc", &["--at", "1767268789"], "not valid before"),
        ("oidc", &[], "expired at"),
        (
            "oidc",
            &["--audience", "https://other.example"],
            "checking audience",
        ),
        ("oidc", &["--nonce", "nonce-three"], "checking nonces"),
        ("debug", &["--require-production"], "checking dbgstat"),
    ] {
        let at: &[&str] = match words.first() {
            Some(&"--at") | None => &[],
            Some(_) => &["--at", "1767268800"],
        };
        let words = [&[file, "--jwks", "jwks", "--json"], words, at].concat();
        let (status, out, _) = check(folder.path(), &words);
        let report: Value = serde_json::from_str(&out).unwrap();
        let found = report["reason"].as_str().unwrap();
        assert_eq!(status, 1, "{words:?}");
        assert!(found.contains(reason), "{words:?}: {found}");
        assert_eq!(report["claims"]["aud"], "https://me.example");
    }
}

/// Checks a PKI token, which must be refused.
#[track_caller]
fn refused(token: &str, at: &str, reason: &str) {
    let folder = folder();
    fs::write(folder.path().join("token"), token).unwrap();
    let words = ["token", "--root", "root", "--at", at];
    let (status, out, error) = check(folder.path(), &words);
    assert_eq!((status, out.as_str()), (1, ""), "{error}");
    assert!(error.contains(reason), "{error}");
}

const NOON: &str = "1767268800";

#[test]
fn the_chain_leads_to_the_root() {
    let [leaf, intermediate, root] = AUTHORITY.chain().try_into().unwrap();
    let other = OTHER.chain();
    for (chain, reason) in [
        (vec![leaf.clone(), intermediate.clone()], "found 2"),
        (vec![leaf.clone(); 9], "found 9"),
        (vec![], "found 0"),
        (
            vec![leaf.clone(), root.clone(), intermediate.clone()],
            "the last one is not the root",
        ),
        (
            vec![leaf.clone(), intermediate.clone(), other[2].clone()],
            "the last one is not the root",
        ),
        (
            vec![leaf.clone(), other[1].clone(), root.clone()],
            "verifying certificates: ",
        ),
        (
            vec![leaf.clone(), root.clone(), root.clone()],
            "verifying certificates: ",
        ),
        (
            vec![
                leaf.clone(),
                intermediate.clone(),
                other[1].clone(),
                root.clone(),
            ],
            "verifying certificates: ",
        ),
        (
            vec![intermediate.clone(), intermediate.clone(), root.clone()],
            "CaUsedAsEndEntity",
        ),
        (
            vec![other[0].clone(), intermediate.clone(), root.clone()],
            "verifying certificates: ",
        ),
        (
            vec![b"leaf".to_vec(), intermediate.clone(), root.clone()],
            "TrailingData",
        ),
    ] {
        refused(&token(&pki(&chain), &claims()), NOON, reason);
    }
    let own = OTHER.chain();
    let forged = signed(&pki(&own), &claims(), &OTHER.keys[2]);
    refused(&forged, NOON, "the last one is not the root");
    let own = [&own[..2], &[root]].concat();
    let forged = signed(&pki(&own), &claims(), &OTHER.keys[2]);
    refused(&forged, NOON, "verifying certificates: ");
    let text: Vec<_> = AUTHORITY
        .chain()
        .iter()
        .map(|der| pem("CERTIFICATE", der))
        .collect();
    let header = json!({"alg": "RS256", "typ": "JWT", "x5c": text});
    refused(&token(&header, &claims()), NOON, "expected base64");
    let header = json!({"alg": "RS256", "typ": "JWT"});
    refused(&token(&header, &claims()), NOON, "found 0");
}

#[test]
fn the_leaf_signs_while_it_is_valid() {
    let forged = signed(&pki(&AUTHORITY.chain()), &claims(), &OTHER.keys[2]);
    refused(&forged, NOON, "the signature does not verify");
    let mut long = claims();
    long["exp"] = (AT + 86_400).into();
    let token = token(&pki(&AUTHORITY.chain()), &long);
    refused(
        &token,
        "2026-01-02T01:00:00Z",
        "verifying certificates: CertExpired",
    );
    let mut early = claims();
    (early["iat"], early["nbf"]) = (0.into(), 0.into());
    let token = self::token(&pki(&AUTHORITY.chain()), &early);
    refused(
        &token,
        "2025-12-31T23:00:00Z",
        "verifying certificates: CertNotValidYet",
    );
}

#[test]
fn the_root_is_valid() {
    let folder = folder();
    let mut root = params("root", CA);
    root.not_after = date_time_ymd(2026, 1, 1);
    let root = root.self_signed(&AUTHORITY.keys[0]).unwrap();
    let [leaf, intermediate, _] = AUTHORITY.chain().try_into().unwrap();
    let token = token(&pki(&[leaf, intermediate, root.der().to_vec()]), &claims());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("token", &token);
    write("old", &pem("CERTIFICATE", root.der()));
    let (status, _, error) = check(folder.path(), &["token", "--root", "old", "--at", NOON]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("the root is expired"), "{error}");
}

#[test]
fn an_intermediate_is_an_authority() {
    let [root_key, key, _] = &AUTHORITY.keys;
    for (is_ca, reason) in [
        (IsCa::ExplicitNoCa, "EndEntityUsedAsCa"),
        (IsCa::NoCa, "EndEntityUsedAsCa"),
    ] {
        let intermediate = issue(
            &AUTHORITY.root,
            root_key,
            params("intermediate", is_ca),
            key,
        );
        let chain = [
            AUTHORITY.leaf.der.clone(),
            intermediate.der,
            AUTHORITY.root.der.clone(),
        ];
        refused(&token(&pki(&chain), &claims()), NOON, reason);
    }
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    let folder = folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let root = pem("CERTIFICATE", &AUTHORITY.root.der);
    write("two", &root.repeat(2));
    write("text", "text");
    write("broken", &pem("CERTIFICATE", b"certificate"));
    for (words, reason) in [
        (
            &["absent", "--root", "root"][..],
            "reading absent: No such file",
        ),
        (&["pki", "--root", "absent"], "reading absent: No such file"),
        (
            &["pki", "--root", "two"],
            "expected one certificate in PEM, found 2",
        ),
        (
            &["pki", "--root", "text"],
            "expected one certificate in PEM, found 0",
        ),
        (&["pki", "--root", "broken"], "parsing certificate: "),
        (&["oidc", "--jwks", "text"], "reading key set"),
        (&["oidc"], "required arguments were not provided"),
        (
            &["oidc", "--jwks", "jwks", "--root", "root"],
            "cannot be used with",
        ),
        (
            &["oidc", "--jwks", "jwks", "--at", "noon"],
            "expected Unix seconds",
        ),
    ] {
        let (status, out, error) = check(folder.path(), words);
        assert_eq!((status, out.as_str()), (2, ""), "{words:?}: {error}");
        assert!(error.contains(reason), "{words:?}: {error}");
    }
}

/// Real tokens, and changed ones.
#[test]
fn vectors() {
    let Some(folder) = testkit::vectors("confidential-space") else {
        return;
    };
    let rows = fs::read_to_string(folder.join("token_cases.jsonl")).unwrap();
    let mut count = 0;
    for line in rows.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().map(str::to_owned);
        let mut words = vec![text("token").unwrap(), format!("--at={}", case["at"])];
        for name in ["jwks", "root", "audience", "nonce"] {
            words.extend(text(name).map(|value| format!("--{name}={value}")));
        }
        let nonces = case["nonce"].as_array().into_iter().flatten();
        words.extend(nonces.map(|nonce| format!("--nonce={}", nonce.as_str().unwrap())));
        let production = case["require_production"] == true;
        words.extend(production.then(|| "--require-production".to_owned()));
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (status, _, error) = check(&folder, &words);
        match case["expect"].as_str().unwrap() {
            "accept" => assert_eq!(status, 0, "{case}: {error}"),
            "reject" => assert_eq!(status, 1, "{case}: {error}"),
            _ => assert_ne!(status, 2, "{case}: {error}"),
        }
        count += 1;
    }
    println!("{count} tokens");
}
