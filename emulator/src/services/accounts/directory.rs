use std::collections::BTreeMap;
use std::path::Path;

use content::Digest;

use super::issued::{AccessToken, AccountState, Issued};
use super::project::Project;
use super::self_signed::{SCOPE, SelfSigned, Service};
use super::service_account::{ServiceAccount, is_of_google};
use super::{Caller, Container, Federated, Hierarchy, ProjectId};
use crate::error::StartError;
use crate::project::project_number;
use crate::random;
use crate::state::Stored;
use crate::status::Status;

/// All projects, their service accounts, and all issued access tokens.
pub struct Accounts {
    pub(super) projects: BTreeMap<ProjectId, Project>,
    pub(super) state: Stored<AccountState>,
    /// The address for access tokens, which key files name.
    pub(super) token_uri: String,
    /// What the projects are in.
    hierarchy: Hierarchy,
}

impl Accounts {
    /// No projects, with the service accounts and access tokens of earlier runs.
    pub fn new(state: Stored<AccountState>) -> Self {
        Self {
            projects: BTreeMap::new(),
            state,
            token_uri: String::new(),
            hierarchy: Hierarchy::default(),
        }
    }

    /// Puts the projects in folders and organisations.
    pub fn arrange(&mut self, hierarchy: Hierarchy) {
        self.hierarchy = hierarchy;
    }

    /// What the projects are in.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// The folders and the organisation of a project that is named by ID or number, from the inside out.
    pub fn above(&self, name: &str) -> &[Container] {
        self.id(name).map_or(&[], |id| self.hierarchy.above(&id))
    }

    /// Sets up a project with an owner whose files are below `folder`. Existing keys and tokens there are
    /// kept. The key file names `token_uri` as the address for access tokens.
    ///
    /// # Errors
    /// The project or its number exists already, a key cannot be made, or a file cannot be read or
    /// written.
    pub fn add_project(
        &mut self,
        id: &ProjectId,
        folder: &Path,
        token_uri: &str,
    ) -> Result<(), StartError> {
        let number = self.new_number(id)?;
        let project = Project::set_up(id, number, folder, token_uri)?;
        self.projects.insert(id.clone(), project);
        token_uri.clone_into(&mut self.token_uri);
        Ok(())
    }

    /// The number of a new project. Two projects with the same ID or number would share their owners.
    fn new_number(&self, id: &ProjectId) -> Result<String, StartError> {
        let doing = format!("setting up project {id}");
        if self.projects.contains_key(id) {
            return Err(StartError::refused(
                doing,
                "it exists already",
                "name each project once",
            ));
        }
        let number = project_number(id.as_str()).to_string();
        match self.projects.iter().find(|(_, p)| p.number == number) {
            None => Ok(number),
            Some((other, _)) => Err(StartError::refused(
                doing,
                format!("project {other} has the same number {number}"),
                "choose another ID for one of the two projects",
            )),
        }
    }

    /// All projects with their IDs.
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

    /// The ID of a project that is named by ID or number.
    pub fn project_id(&self, name: &str) -> Option<String> {
        self.id(name).map(|id| id.to_string())
    }

    /// The number of a project that is named by ID or number.
    pub fn number(&self, name: &str) -> Option<&str> {
        self.named(name).map(|project| project.number.as_str())
    }

    /// Issues an access token for a federated identity at the time `now`, in Unix seconds.
    ///
    /// # Errors
    /// The random number generator fails, or the state cannot be written.
    pub fn admit(&self, federated: Federated, now: u64) -> Result<AccessToken, Status> {
        let issued = Issued {
            expires: federated.expires,
            caller: Caller::Federated(federated),
            scopes: vec![SCOPE.to_owned()],
        };
        self.issue("ya29.d.", issued, now)
    }

    /// Issues an access token with these scopes for a service account that exists, at the time `now` in Unix seconds, for so many
    /// seconds.
    ///
    /// # Errors
    /// There is no such account, the random number generator fails, or the state cannot be written.
    pub fn act_as(
        &self,
        address: &str,
        scopes: Vec<String>,
        now: u64,
        seconds: u64,
    ) -> Result<AccessToken, Status> {
        if !self.has_service_account(address) {
            return Err(Status::not_found(format!(
                "Unknown service account {address}"
            )));
        }
        let issued = Issued {
            expires: now + seconds,
            caller: Caller::ServiceAccount(address.to_owned()),
            scopes,
        };
        self.issue("ya29.c.", issued, now)
    }

    /// Issues an access token, and removes those that have expired.
    pub(super) fn issue(
        &self,
        prefix: &str,
        issued: Issued,
        now: u64,
    ) -> Result<AccessToken, Status> {
        let random = random::text().map_err(|_| Status::internal())?;
        let token = AccessToken {
            text: format!("{prefix}{random}"),
            lifetime: issued.expires - now,
        };
        let digest = Digest::of(token.text.as_bytes());
        self.state.change(|state| {
            state.issued.retain(|_, known| now < known.expires);
            state.issued.insert(digest, issued);
            Ok(token)
        })
    }

    /// The caller with a bearer token at `service` at the time `now`, in Unix seconds.
    ///
    /// # Errors
    /// The token is missing, unknown or expired, or its scopes do not include the service.
    pub fn caller(
        &self,
        bearer: Option<&str>,
        service: Service,
        now: u64,
    ) -> Result<Caller, Status> {
        let bearer = bearer.ok_or_else(Status::unauthenticated)?;
        let digest = Digest::of(bearer.as_bytes());
        let issued = self.state.look(|state| state.issued.get(&digest).cloned());
        match issued.filter(|issued| now < issued.expires) {
            Some(issued) if service.is_within(&issued.scopes) => Ok(issued.caller),
            Some(_) => Err(Status::scopes()),
            None => self
                .signed_in(bearer, service, now)
                .map(Caller::ServiceAccount)
                .ok_or_else(Status::unauthenticated),
        }
    }

    /// The owner of a project, by its own access token, or an account by a JWT that it has signed.
    fn signed_in(&self, bearer: &str, service: Service, now: u64) -> Option<String> {
        let digest = Digest::of(bearer.as_bytes());
        let own = self
            .projects
            .values()
            .find(|project| project.access_token == digest);
        if let Some(project) = own {
            return Some(project.owner.clone());
        }
        let token = SelfSigned::parse(bearer)?;
        let (address, public_key) = self.by_key(token.key_id())?;
        token
            .holds(&address, &public_key, service, now)
            .then_some(address)
    }

    /// Creates a service account in a project, named by ID or number.
    ///
    /// # Errors
    /// The project does not exist, the account exists already, or its ID is invalid.
    pub fn add_service_account(
        &self,
        project: &str,
        account_id: &str,
        texts: ServiceAccount,
    ) -> Result<ServiceAccount, Status> {
        let id = self
            .id(project)
            .ok_or_else(|| Status::no_project(project))?;
        let account = texts.named(&id, account_id)?;
        if self.has_service_account(&account.email) {
            return Err(Status::exists(format!(
                "Service account {account_id} already exists within project projects/{id}."
            )));
        }
        self.state.change(|state| {
            let address = account.email.clone();
            state.service_accounts.insert(address, account.clone());
            Ok(account)
        })
    }

    /// A service account that was created.
    pub fn service_account(&self, address: &str) -> Option<ServiceAccount> {
        self.state
            .look(|state| state.service_accounts.get(address).cloned())
    }

    /// The service accounts that were created in a project, which is named by ID.
    pub fn service_accounts(&self, project: &str) -> Vec<ServiceAccount> {
        self.state.look(|state| {
            let all = state.service_accounts.values();
            all.filter(|account| account.project() == project)
                .cloned()
                .collect()
        })
    }

    /// Whether the service account exists.
    pub fn has_service_account(&self, address: &str) -> bool {
        self.home_of(address).is_some()
    }

    /// The ID of the project that a service account belongs to: an owner, a created account, or one that Google creates with a
    /// project. `None` if there is no such account.
    pub fn home_of(&self, address: &str) -> Option<String> {
        if let Some(account) = self.service_account(address) {
            return Some(account.project().to_owned());
        }
        let mut projects = self.projects.iter();
        let is_home = |(_, project): &(&ProjectId, &Project)| {
            project.owner == address || is_of_google(&project.number, address)
        };
        projects.find(is_home).map(|(id, _)| id.to_string())
    }
}
