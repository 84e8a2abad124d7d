//! Projects, their owners, and who is behind a bearer token. Three kinds of token are known: an
//! owner's access token, a JWT that a service account has signed itself, and the access tokens that
//! are given out for such a JWT and by the token exchange.

mod files;
mod grant;
mod project_id;
mod self_signed;
mod service_account;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use content::Digest;

pub use self::files::Files;
use self::files::{credentials, private_key, read, write};
pub use self::project_id::{ProjectId, ProjectIdError};
pub use self::self_signed::Service;
use self::self_signed::{SCOPE, SelfSigned};
pub use self::service_account::CreateServiceAccount;
use self::service_account::ServiceAccounts;
use crate::project::project_number;
use crate::random;
use crate::status::Status;

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
    /// A file of an earlier run cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of an earlier run is not what was written there.
    #[error("reading {}: not a service account key file", path.display())]
    Credentials {
        /// Which one.
        path: PathBuf,
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
            Self::Read { .. } => "is the state folder yours?",
            Self::Credentials { .. } => "remove the file, and a new one is made",
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

/// All projects, their service accounts, and all access tokens that were given out.
#[derive(Debug, Default)]
pub struct Accounts {
    projects: BTreeMap<ProjectId, Project>,
    service_accounts: ServiceAccounts,
    issued: BTreeMap<Digest, Issued>,
}

/// An access token that was given out.
#[derive(Clone, Debug)]
struct Issued {
    caller: Caller,
    scopes: Vec<String>,
    expires: u64,
}

impl Accounts {
    /// Sets a project up, with an owner whose files are put below `folder`; an owner whose files are there
    /// keeps key and token. Clients ask `token_uri` for access tokens.
    ///
    /// # Errors
    /// The project or its number is there already, no key, or a file cannot be read or written.
    pub fn add_project(
        &mut self,
        id: &ProjectId,
        folder: &Path,
        token_uri: &str,
    ) -> Result<(), AccountError> {
        let number = self.new_number(id)?;
        let failed = || AccountError::Key {
            project: id.clone(),
        };
        let folder = folder.join(id.as_str());
        let files = Files {
            credentials: folder.join("credentials.json"),
            access_token: folder.join("access_token"),
        };
        let key = match kept_key(&files.credentials)? {
            Some(key) => key,
            None => KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?,
        };
        let public_key = key.public_key().as_ref().to_vec();
        let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().map_err(|_| failed())?;
        let key_id = Digest::of(&public_key).hex()[..40].to_owned();
        let owner = format!("owner@{id}.iam.gserviceaccount.com");
        let access_token = match read(&files.access_token)? {
            Some(kept) => kept,
            None => format!("ya29.{}", random::text().map_err(|_| failed())?).into_bytes(),
        };
        let credentials = credentials(id, &owner, &key_id, private.as_ref(), token_uri);
        write(&files.credentials, credentials.as_bytes())?;
        write(&files.access_token, &access_token)?;
        let access_token = Digest::of(&access_token);
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

    /// The ID of a project that is named by ID or number.
    fn id(&self, name: &str) -> Option<ProjectId> {
        let mut projects = self.projects.iter();
        let named = projects.find(|(id, p)| id.as_str() == name || p.number == name);
        named.map(|(id, _)| id.clone())
    }

    /// The project whose owner has the key with this ID.
    fn by_key(&self, key_id: &str) -> Option<&Project> {
        let mut projects = self.projects.values();
        projects.find(|project| project.key_id == key_id)
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
        let expires = federated.expires;
        let issued = Issued {
            caller: Caller::Federated(federated),
            scopes: vec![SCOPE.to_owned()],
            expires,
        };
        self.issue(token, issued, now);
    }

    /// Who is behind a bearer token at `service` at the time `now` in Unix seconds.
    ///
    /// # Errors
    /// No such token, or one that does not reach this service.
    pub fn caller(
        &self,
        bearer: Option<&str>,
        service: Service,
        now: u64,
    ) -> Result<Caller, Status> {
        let bearer = bearer.ok_or_else(Status::unauthenticated)?;
        let issued = self.issued.get(&Digest::of(bearer.as_bytes()));
        match issued.filter(|issued| now < issued.expires) {
            Some(issued) if service.is_within(&issued.scopes) => Ok(issued.caller.clone()),
            Some(_) => Err(Status::scopes()),
            None => self
                .owner(bearer, service, now)
                .map(Caller::ServiceAccount)
                .ok_or_else(Status::unauthenticated),
        }
    }

    /// The owner of a project, by its own access token or by a JWT that it has signed.
    fn owner(&self, bearer: &str, service: Service, now: u64) -> Option<String> {
        let digest = Digest::of(bearer.as_bytes());
        let own = self
            .projects
            .values()
            .find(|project| project.access_token == digest);
        if let Some(project) = own {
            return Some(project.owner.clone());
        }
        let token = SelfSigned::parse(bearer)?;
        let project = self.by_key(token.key_id())?;
        token
            .holds(&project.owner, &project.public_key, service, now)
            .then(|| project.owner.clone())
    }
}

/// The key of an owner whose credentials are there.
fn kept_key(path: &Path) -> Result<Option<KeyPair>, AccountError> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let key = private_key(&bytes).and_then(|der| KeyPair::from_pkcs8(&der).ok());
    let path = path.to_owned();
    key.map(Some).ok_or(AccountError::Credentials { path })
}

#[cfg(test)]
mod tests;
