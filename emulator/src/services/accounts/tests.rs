use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::issued::AccountState;
use super::project::kept_key;
use super::self_signed::SCOPE;
use super::*;
use crate::oauth::Refusal;
use crate::state::Stored;
use crate::status::Status;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const TOKEN_URI: &str = "http://127.0.0.1:1/token";

fn accounts(folder: &Path) -> Accounts {
    let mut accounts = no_projects();
    accounts
        .add_project(&id("project"), folder, TOKEN_URI)
        .unwrap();
    accounts
}

fn no_projects() -> Accounts {
    Accounts::new(Stored::in_memory(AccountState::default()))
}

fn id(text: &str) -> ProjectId {
    text.parse().unwrap()
}

fn known(accounts: &Accounts, bearer: &str, now: u64) -> Option<Caller> {
    accounts.caller(Some(bearer), Service::Kms, now).ok()
}

fn access_token(folder: &Path, project: &str) -> String {
    fs::read_to_string(folder.join(project).join("access_token")).unwrap()
}

/// A JWT that the owner of the project has signed.
fn token(accounts: &Accounts, change: impl Fn(&mut Value)) -> String {
    let project = &accounts.projects[&id("project")];
    let key = kept_key(&project.files.credentials).unwrap().unwrap();
    let mut body = json!({
        "iss": project.owner, "sub": project.owner, "iat": 1000, "exp": 4600, "scope": SCOPE,
    });
    change(&mut body);
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": project.key_id});
    let [head, body] = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{head}.{body}");
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn recognizes_an_owner_by_either_token() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = accounts(folder.path());
    let owner = known(&accounts, &access_token(folder.path(), "project"), 2000).unwrap();
    let signed = token(&accounts, |_| {});
    assert_eq!(known(&accounts, &signed, 2000), Some(owner.clone()));
    let address = "owner@project.iam.gserviceaccount.com";
    assert_eq!(owner, Caller::ServiceAccount(address.into()));
    assert_eq!(accounts.home_of(address).unwrap(), "project");
}

#[test]
fn a_project_is_set_up_once_with_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut accounts = accounts(folder.path());
    let again = accounts.add_project(&id("project"), folder.path(), TOKEN_URI);
    assert_eq!(
        again.unwrap_err().to_string(),
        "setting up project project: it exists already"
    );
    accounts
        .add_project(&id("project2"), folder.path(), TOKEN_URI)
        .unwrap();
    let owner = known(&accounts, &access_token(folder.path(), "project2"), 2000).unwrap();
    let address = "owner@project2.iam.gserviceaccount.com";
    assert_eq!(owner, Caller::ServiceAccount(address.into()));
    let names = fs::read_dir(folder.path().join("project")).unwrap().count();
    assert_eq!(names, 2, "nothing half-written is left");
}

#[test]
fn an_owner_keeps_its_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let first = accounts(folder.path());
    let (opaque, signed) = (
        access_token(folder.path(), "project"),
        token(&first, |_| {}),
    );
    let mut again = no_projects();
    let other = "http://127.0.0.1:2/token";
    again
        .add_project(&id("project"), folder.path(), other)
        .unwrap();
    for bearer in [&opaque, &signed] {
        assert_eq!(known(&again, bearer, 2000), known(&first, bearer, 2000));
    }
    let file = fs::read(folder.path().join("project/credentials.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["token_uri"], other);
    fs::write(folder.path().join("project/credentials.json"), "{").unwrap();
    let broken = no_projects().add_project(&id("project"), folder.path(), other);
    let path = folder.path().join("project/credentials.json");
    assert_eq!(
        broken.unwrap_err().to_string(),
        format!("reading {}: not a service account key file", path.display())
    );
}

#[test]
fn refuses_expired_and_foreign_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = accounts(folder.path());
    let refused = accounts.caller(None, Service::Kms, 2000);
    assert_eq!(refused, Err(Status::unauthenticated()));
    let own = token(&accounts, |_| {});
    let long = token(&accounts, |body| body["exp"] = 9000.into());
    let others = token(&accounts, |body| body["iss"] = "x".into());
    let delegated = token(&accounts, |body| body["sub"] = "x".into());
    for (bearer, now) in [
        ("", 2000),
        (own.as_str(), 4600),
        (&long, 2000),
        (&others, 2000),
        (&delegated, 2000),
    ] {
        assert_eq!(known(&accounts, bearer, now), None, "{bearer} at {now}");
    }
    let other = self::accounts(&folder.path().join("other"));
    assert_eq!(known(&accounts, &token(&other, |_| {}), 2000), None);
}

#[test]
fn a_token_is_for_one_service_or_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = accounts(folder.path());
    // Clients omit the field that they do not use, or set it to null.
    let known = |aud: &str, scope: &str| {
        let token = token(&accounts, |body| {
            let or_null = |text: &str| Some(text).filter(|text| !text.is_empty()).into();
            body["aud"] = or_null(aud);
            body["scope"] = or_null(scope);
        });
        known(&accounts, &token, 2000).is_some()
    };
    assert!(known("https://cloudkms.googleapis.com/", ""));
    assert!(known("https://cloudkms.googleapis.com", ""));
    assert!(known("", &format!("openid {SCOPE}")));
    assert!(!known("", ""));
    assert!(!known("https://pubsub.googleapis.com/", "openid"));
    assert!(!known("https://cloudkms.googleapis.com.example/", ""));
}

#[test]
fn removes_expired_identities() {
    let accounts = no_projects();
    let federated = Federated {
        pool: "projects/1/locations/global/workloadIdentityPools/pool"
            .parse()
            .unwrap(),
        subject: "s".into(),
        groups: Vec::new(),
        attributes: BTreeMap::new(),
        expires: 10,
    };
    let first = accounts.admit(federated.clone(), 9).unwrap();
    assert_eq!(first.lifetime, 1);
    let caller = Caller::Federated(federated.clone());
    assert_eq!(known(&accounts, &first.text, 9), Some(caller));
    assert_eq!(known(&accounts, &first.text, 10), None);
    let other = Federated {
        expires: 20,
        ..federated
    };
    accounts.admit(other, 10).unwrap();
    assert_eq!(accounts.state.look(|state| state.issued.len()), 1);
}

/// Requests an access token with an assertion of the owner.
fn granted(accounts: &Accounts, change: impl Fn(&mut Value)) -> Result<String, Refusal> {
    let assertion = token(accounts, |body| {
        body["aud"] = TOKEN_URI.into();
        change(body);
    });
    asked(accounts, &assertion)
}

fn asked(accounts: &Accounts, assertion: &str) -> Result<String, Refusal> {
    let request = Assertion {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer".into(),
        assertion: assertion.into(),
    };
    let token = accounts.grant(&request, TOKEN_URI, 2000)?;
    assert_eq!(token.lifetime, 3600);
    Ok(token.text)
}

#[test]
fn an_assertion_is_exchanged_for_a_token_of_its_scopes() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = accounts(folder.path());
    let owner = known(&accounts, &access_token(folder.path(), "project"), 2000).unwrap();
    let google = "https://oauth2.googleapis.com/token";
    let all = granted(&accounts, |body| body["aud"] = google.into()).unwrap();
    assert_eq!(known(&accounts, &all, 5599), Some(owner.clone()));
    assert_eq!(known(&accounts, &all, 5600), None);
    let pubsub = "openid https://www.googleapis.com/auth/pubsub";
    let one = granted(&accounts, |body| body["scope"] = pubsub.into()).unwrap();
    let caller = |service| accounts.caller(Some(&one), service, 2000);
    assert_eq!(caller(Service::PubSub), Ok(owner));
    assert_eq!(caller(Service::Kms), Err(Status::scopes()));
}

#[test]
fn refuses_other_assertions_with_the_words_of_google() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = &accounts(folder.path());
    let refused = |name: &str, value: Value| {
        let refused = granted(accounts, |body| body[name] = value.clone());
        let Refusal { error, description } = refused.unwrap_err();
        (error, description)
    };
    for (name, value, error, words) in [
        (
            "aud",
            json!("https://x.example/token"),
            "invalid_grant",
            "audience check",
        ),
        ("exp", json!(9000), "invalid_grant", "short-lived token"),
        ("exp", json!(1999), "invalid_grant", "short-lived token"),
        ("iat", json!(3000), "invalid_grant", "short-lived token"),
        (
            "iss",
            json!("x@y.example"),
            "invalid_grant",
            "account not found",
        ),
        (
            "sub",
            json!("x@y.example"),
            "unauthorized_client",
            "unauthorized",
        ),
        ("scope", Value::Null, "invalid_scope", "scope"),
        (
            "scope",
            json!("https://x.example"),
            "invalid_scope",
            "scope",
        ),
    ] {
        let (found, said) = refused(name, value);
        assert!(
            found == error && said.contains(words),
            "{name}: {found}: {said}"
        );
    }
    let signed = token(accounts, |body| body["aud"] = TOKEN_URI.into());
    let flipped = signed.replacen('.', ".e30", 1);
    assert_eq!(
        asked(accounts, &flipped).unwrap_err().error,
        "invalid_grant"
    );
    let (message, _) = signed.rsplit_once('.').unwrap();
    let unsigned = format!("{message}.AAAA");
    let said = asked(accounts, &unsigned).unwrap_err();
    assert_eq!(said.description, "Invalid JWT Signature.");
    assert_eq!(asked(accounts, "").unwrap_err().error, "invalid_request");
    let none = accounts.grant(&Assertion::default(), TOKEN_URI, 2000);
    assert_eq!(none.unwrap_err().error, "unsupported_grant_type");
}
