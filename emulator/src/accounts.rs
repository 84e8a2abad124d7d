//! Projects, their owners, and who is behind a bearer token. Three kinds of token are known: an
//! owner's access token, a JWT that a service account has signed itself, and the access tokens that
//! the token exchange gives out.

mod files;
mod project_id;
mod self_signed;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use content::Digest;

pub use self::files::Files;
use self::files::{credentials, write};
pub use self::project_id::{ProjectId, ProjectIdError};
use self::self_signed::SelfSigned;
pub use self::self_signed::Service;
use crate::project::project_number;
use crate::random;

/// A project that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A project that is there already.
    #[error("setting up project {project}: it is there already")]
    Twice {
        /// Which one.
        project: ProjectId,
    },
    /// Numbers are made from IDs, and two of them came out alike.
    #[error("setting up project {project}: its number {number} is that of project {other}")]
    Number {
        /// Which one.
        project: ProjectId,
        /// The number of both.
        number: String,
        /// Which one has it.
        other: ProjectId,
    },
    /// A key cannot be made.
    #[error("making keys of project {project}: the cryptographic library failed")]
    Key {
        /// Whose.
        project: ProjectId,
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

impl AccountError {
    /// What can be done about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Twice { .. } => "name each project once",
            Self::Number { .. } => "choose another ID for one of the two",
            Self::Key { .. } => "is the system's random source available?",
            Self::File { .. } => "is the state folder writable, and is there space left?",
        }
    }
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
    /// `google.groups`.
    pub groups: Vec<String>,
    /// `attribute.*`, by name.
    pub attributes: BTreeMap<String, String>,
    /// When it ends, in Unix seconds.
    pub expires: u64,
}

/// All projects, and all access tokens that were given out.
#[derive(Debug, Default)]
pub struct Accounts {
    projects: BTreeMap<ProjectId, Project>,
    federated: BTreeMap<Digest, Federated>,
}

impl Accounts {
    /// Sets a project up, with an owner whose files are put below `folder`.
    ///
    /// # Errors
    /// The project or its number is there already, no key, or a file cannot be written.
    pub fn add_project(&mut self, id: &ProjectId, folder: &Path) -> Result<(), AccountError> {
        let number = self.new_number(id)?;
        let failed = || AccountError::Key {
            project: id.clone(),
        };
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
        let public_key = key.public_key().as_ref().to_vec();
        let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().map_err(|_| failed())?;
        let key_id = Digest::of(&public_key).hex()[..40].to_owned();
        let owner = format!("owner@{id}.iam.gserviceaccount.com");
        let access_token = format!("ya29.{}", random::text().map_err(|_| failed())?);
        let folder = folder.join(id.as_str());
        let files = Files {
            credentials: folder.join("credentials.json"),
            access_token: folder.join("access_token"),
        };
        let credentials = credentials(id, &owner, &key_id, private.as_ref());
        write(&files.credentials, credentials.as_bytes())?;
        write(&files.access_token, access_token.as_bytes())?;
        let access_token = Digest::of(access_token.as_bytes());
        let project = Project {
            number,
            files,
            owner,
            public_key,
            key_id,
            access_token,
        };
        self.projects.insert(id.clone(), project);
        Ok(())
    }

    /// The number for a new project. An owner of one that had another's ID or number would own both.
    fn new_number(&self, id: &ProjectId) -> Result<String, AccountError> {
        let project = id.clone();
        if self.projects.contains_key(id) {
            return Err(AccountError::Twice { project });
        }
        let number = project_number(id.as_str()).to_string();
        match self.projects.iter().find(|(_, p)| p.number == number) {
            None => Ok(number),
            Some((other, _)) => Err(AccountError::Number {
                project,
                number,
                other: other.clone(),
            }),
        }
    }

    /// The projects, by ID.
    pub fn projects(&self) -> impl Iterator<Item = (&str, &Project)> {
        self.projects
            .iter()
            .map(|(id, project)| (id.as_str(), project))
    }

    fn named(&self, name: &str) -> Option<&Project> {
        let mut projects = self.projects.iter();
        let is_named = |(id, p): &(&ProjectId, &Project)| id.as_str() == name || p.number == name;
        projects.find(is_named).map(|(_, project)| project)
    }

    /// The number of a project that is named by ID or number.
    pub fn number(&self, name: &str) -> Option<&str> {
        self.named(name).map(|project| project.number.as_str())
    }

    /// Whether the caller owns the project, named by ID or number.
    pub fn owns(&self, caller: &Caller, name: &str) -> bool {
        let Caller::ServiceAccount(address) = caller else {
            return false;
        };
        self.named(name)
            .is_some_and(|project| project.owner == *address)
    }

    /// Gives out an access token for an identity from outside at the time `now` in Unix seconds, and
    /// forgets those that have ended.
    pub fn admit(&mut self, token: &str, federated: Federated, now: u64) {
        self.federated.retain(|_, known| now < known.expires);
        self.federated
            .insert(Digest::of(token.as_bytes()), federated);
    }

    /// Who is behind a bearer token at `service` at the time `now` in Unix seconds.
    pub fn caller(&self, bearer: &str, service: Service, now: u64) -> Option<Caller> {
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
        let token = SelfSigned::parse(bearer)?;
        let mut projects = self.projects.values();
        let project = projects.find(|project| project.key_id == token.key_id())?;
        token
            .holds(&project.owner, &project.public_key, service, now)
            .then(|| Caller::ServiceAccount(project.owner.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::self_signed::SCOPE;
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    fn accounts(folder: &Path) -> Accounts {
        let mut accounts = Accounts::default();
        accounts.add_project(&id("project"), folder).unwrap();
        accounts
    }

    fn id(text: &str) -> ProjectId {
        text.parse().unwrap()
    }

    fn token(accounts: &Accounts, change: impl Fn(&mut serde_json::Value)) -> String {
        let project = &accounts.projects[&id("project")];
        let file: serde_json::Value =
            serde_json::from_slice(&fs::read(&project.files.credentials).unwrap()).unwrap();
        let pem = file["private_key"].as_str().unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = KeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
        let mut body = json!({"iss": project.owner, "sub": project.owner, "iat": 1000, "exp": 4600, "scope": SCOPE});
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
        let opaque = fs::read_to_string(folder.path().join("project/access_token")).unwrap();
        let owner = accounts.caller(&opaque, Service::Kms, 2000).unwrap();
        assert_eq!(
            accounts.caller(&token(&accounts, |_| {}), Service::Kms, 2000),
            Some(owner.clone())
        );
        let number = project_number("project").to_string();
        assert!(accounts.owns(&owner, "project") && accounts.owns(&owner, &number));
        assert!(!accounts.owns(&owner, "project2"));
    }

    #[test]
    fn a_project_is_set_up_once_and_its_files_are_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = accounts(folder.path());
        let again = accounts.add_project(&id("project"), folder.path());
        assert!(matches!(again, Err(AccountError::Twice { .. })));
        accounts
            .add_project(&id("project2"), folder.path())
            .unwrap();
        let opaque = fs::read_to_string(folder.path().join("project2/access_token")).unwrap();
        let owner = accounts.caller(&opaque, Service::Kms, 2000).unwrap();
        assert!(accounts.owns(&owner, "project2") && !accounts.owns(&owner, "project"));
        let names = fs::read_dir(folder.path().join("project")).unwrap().count();
        assert_eq!(names, 2, "nothing half-written is left");
    }

    #[test]
    fn refuses_what_has_ended_or_is_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = accounts(folder.path());
        assert_eq!(accounts.caller("", Service::Kms, 2000), None);
        assert_eq!(
            accounts.caller(&token(&accounts, |_| {}), Service::Kms, 4600),
            None
        );
        assert_eq!(
            accounts.caller(
                &token(&accounts, |b| b["exp"] = 9000.into()),
                Service::Kms,
                2000
            ),
            None
        );
        assert_eq!(
            accounts.caller(
                &token(&accounts, |b| b["iss"] = "x".into()),
                Service::Kms,
                2000
            ),
            None
        );
        let other = self::accounts(&folder.path().join("other"));
        assert_eq!(
            accounts.caller(&token(&other, |_| {}), Service::Kms, 2000),
            None
        );
    }

    #[test]
    fn a_token_is_for_one_service_or_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = accounts(folder.path());
        // Clients leave out the one that they do not use, or set it to null.
        let known = |aud: &str, scope: &str| {
            let token = token(&accounts, |body| {
                let or_null = |text: &str| Some(text).filter(|text| !text.is_empty()).into();
                body["aud"] = or_null(aud);
                body["scope"] = or_null(scope);
            });
            accounts.caller(&token, Service::Kms, 2000).is_some()
        };
        assert!(known("https://cloudkms.googleapis.com/", ""));
        assert!(known("https://cloudkms.googleapis.com", ""));
        assert!(known("", &format!("openid {SCOPE}")));
        assert!(!known("", ""));
        assert!(!known("https://pubsub.googleapis.com/", "openid"));
        assert!(!known("https://cloudkms.googleapis.com.example/", ""));
    }

    #[test]
    fn forgets_identities_that_have_ended() {
        let mut accounts = Accounts::default();
        let federated = Federated {
            pool: "pool".into(),
            subject: "s".into(),
            groups: Vec::new(),
            attributes: BTreeMap::new(),
            expires: 10,
        };
        accounts.admit("t", federated.clone(), 9);
        let federated_again = federated.clone();
        assert_eq!(
            accounts.caller("t", Service::Kms, 9),
            Some(Caller::Federated(federated))
        );
        assert_eq!(accounts.caller("t", Service::Kms, 10), None);
        let other = Federated {
            expires: 20,
            ..federated_again
        };
        accounts.admit("u", other, 10);
        assert_eq!(accounts.federated.len(), 1);
    }
}
