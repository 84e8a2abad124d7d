//! Projects, their owners, and who is behind a bearer token. Three kinds of token are known: an
//! owner's access token, a JWT that a service account has signed itself, and the access tokens that
//! the token exchange gives out.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::random;

/// Seconds that a self-signed token may last (Google, self-signed JWTs).
const LONGEST: u64 = 3600;
/// Seconds that clocks may differ.
const SKEW: u64 = 60;

/// A project that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A key cannot be made.
    #[error("making keys of project {project}: the cryptographic library failed")]
    Key {
        /// Whose.
        project: String,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its number, as text.
    pub number: String,
    /// Where its owner's files lie.
    pub files: Files,
    owner: String,
    public_key: Vec<u8>,
    key_id: String,
    access_token: Digest,
}

/// What the owner of a project needs.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    /// A service account key file.
    pub credentials: PathBuf,
    /// An access token.
    pub access_token: PathBuf,
}

/// Who calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Caller {
    /// A service account, by its address.
    ServiceAccount(String),
    /// Somebody from outside, let in by a workload identity pool.
    Federated(Federated),
}

/// An identity from outside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Federated {
    /// The pool, `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pub pool: String,
    /// `google.subject`.
    pub subject: String,
    /// `attribute.*`, by name.
    pub attributes: BTreeMap<String, String>,
    /// When it ends, in Unix seconds.
    pub expires: u64,
}

/// All projects, and all access tokens that were given out.
#[derive(Debug, Default)]
pub struct Accounts {
    projects: BTreeMap<String, Project>,
    federated: BTreeMap<Digest, Federated>,
}

impl Accounts {
    /// Sets a project up, with an owner whose files are put below `folder`.
    ///
    /// # Errors
    /// No key, or a file cannot be written.
    pub fn add_project(&mut self, id: &str, folder: &Path) -> Result<(), AccountError> {
        let failed = || AccountError::Key {
            project: id.to_owned(),
        };
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
        let public_key = key.public_key().as_ref().to_vec();
        let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().map_err(|_| failed())?;
        let key_id = Digest::of(&public_key).hex()[..40].to_owned();
        let owner = format!("owner@{id}.iam.gserviceaccount.com");
        let access_token = format!("ya29.{}", random::text().map_err(|_| failed())?);
        let folder = folder.join(id);
        let files = Files {
            credentials: folder.join("credentials.json"),
            access_token: folder.join("access_token"),
        };
        let credentials = credentials(id, &owner, &key_id, private.as_ref());
        write(&files.credentials, credentials.as_bytes())?;
        write(&files.access_token, access_token.as_bytes())?;
        let number = (100_000_000_000 + self.projects.len() as u64).to_string();
        let access_token = Digest::of(access_token.as_bytes());
        let project = Project {
            number,
            files,
            owner,
            public_key,
            key_id,
            access_token,
        };
        self.projects.insert(id.to_owned(), project);
        Ok(())
    }

    /// The projects, by ID.
    pub fn projects(&self) -> impl Iterator<Item = (&str, &Project)> {
        self.projects
            .iter()
            .map(|(id, project)| (id.as_str(), project))
    }

    /// The number of a project that is named by ID or number.
    pub fn number(&self, name: &str) -> Option<&str> {
        let by_id = self.projects.get(name);
        let by_number = || {
            self.projects
                .values()
                .find(|project| project.number == name)
        };
        by_id
            .or_else(by_number)
            .map(|project| project.number.as_str())
    }

    /// Whether the caller owns the project, named by ID or number.
    pub fn owns(&self, caller: &Caller, name: &str) -> bool {
        let Caller::ServiceAccount(address) = caller else {
            return false;
        };
        let mut projects = self.projects.iter();
        projects.any(|(id, p)| (id == name || p.number == name) && p.owner == *address)
    }

    /// Gives out an access token for an identity from outside.
    pub fn admit(&mut self, token: &str, federated: Federated) {
        self.federated
            .insert(Digest::of(token.as_bytes()), federated);
    }

    /// Who is behind a bearer token at the time `now` in Unix seconds.
    pub fn caller(&self, bearer: &str, now: u64) -> Option<Caller> {
        let digest = Digest::of(bearer.as_bytes());
        let own = self
            .projects
            .values()
            .find(|project| project.access_token == digest);
        if let Some(project) = own {
            return Some(Caller::ServiceAccount(project.owner.clone()));
        }
        if let Some(federated) = self.federated.get(&digest).filter(|f| now < f.expires) {
            return Some(Caller::Federated(federated.clone()));
        }
        self.self_signed(bearer, now)
    }

    fn self_signed(&self, bearer: &str, now: u64) -> Option<Caller> {
        let (signed, signature) = bearer.rsplit_once('.')?;
        let (head, body) = signed.split_once('.')?;
        let head: Head = part(head)?;
        let body: Body = part(body)?;
        let project = self
            .projects
            .values()
            .find(|project| project.key_id == head.kid)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &project.public_key);
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        key.verify(signed.as_bytes(), &signature).ok()?;
        let lasts =
            body.iat <= now + SKEW && now < body.exp && body.exp <= body.iat + LONGEST + SKEW;
        let is_own = body.iss == project.owner && body.sub.is_none_or(|sub| sub == project.owner);
        (head.alg == "RS256" && lasts && is_own)
            .then(|| Caller::ServiceAccount(project.owner.clone()))
    }
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: Option<String>,
    iat: u64,
    exp: u64,
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    json::parse(&bytes, limits::TOKEN).ok()
}

fn credentials(project: &str, owner: &str, key_id: &str, private: &[u8]) -> String {
    let text = STANDARD.encode(private);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let file = json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": owner,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), AccountError> {
    let failed = |source| AccountError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let options = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    io::Write::write_all(&mut options.map_err(failed)?, bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;

    fn accounts(folder: &Path) -> Accounts {
        let mut accounts = Accounts::default();
        accounts.add_project("p", folder).unwrap();
        accounts
    }

    fn token(accounts: &Accounts, change: impl Fn(&mut serde_json::Value)) -> String {
        let project = &accounts.projects["p"];
        let file: serde_json::Value =
            serde_json::from_slice(&fs::read(&project.files.credentials).unwrap()).unwrap();
        let pem = file["private_key"].as_str().unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = KeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
        let mut body =
            json!({"iss": project.owner, "sub": project.owner, "iat": 1000, "exp": 4600});
        change(&mut body);
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": project.key_id});
        let [head, body] = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{head}.{body}");
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn knows_its_owner_by_either_token() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = accounts(folder.path());
        let opaque = fs::read_to_string(folder.path().join("p/access_token")).unwrap();
        let owner = accounts.caller(&opaque, 2000).unwrap();
        assert_eq!(
            accounts.caller(&token(&accounts, |_| {}), 2000),
            Some(owner.clone())
        );
        assert!(accounts.owns(&owner, "p") && accounts.owns(&owner, "100000000000"));
        assert!(!accounts.owns(&owner, "q"));
    }

    #[test]
    fn refuses_what_has_ended_or_is_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = accounts(folder.path());
        assert_eq!(accounts.caller("", 2000), None);
        assert_eq!(accounts.caller(&token(&accounts, |_| {}), 4600), None);
        assert_eq!(
            accounts.caller(&token(&accounts, |b| b["exp"] = 9000.into()), 2000),
            None
        );
        assert_eq!(
            accounts.caller(&token(&accounts, |b| b["iss"] = "x".into()), 2000),
            None
        );
        let other = self::accounts(&folder.path().join("other"));
        assert_eq!(accounts.caller(&token(&other, |_| {}), 2000), None);
    }

    #[test]
    fn forgets_identities_that_have_ended() {
        let mut accounts = Accounts::default();
        let federated = Federated {
            pool: "pool".into(),
            subject: "s".into(),
            attributes: BTreeMap::new(),
            expires: 10,
        };
        accounts.admit("t", federated.clone());
        assert_eq!(accounts.caller("t", 9), Some(Caller::Federated(federated)));
        assert_eq!(accounts.caller("t", 10), None);
    }
}
