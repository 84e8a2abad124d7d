//! Networks, subnetworks and routers: they are kept, and their names are checked, but no packet goes through them.

use super::error;
use crate::legacy_error::LegacyError;
use content::json::null_is_default;
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::{self, DEFAULT, Plan};
use super::{Compute, Context, Fleet, Operation, Scope, catalogue};

/// A kind of resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Networks.
    Network,
    /// Subnetworks.
    Subnetwork,
    /// Routers, which hold the configuration of NAT.
    Router,
}

impl Kind {
    /// The name of the collection.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::Subnetwork => "subnetworks",
            Self::Router => "routers",
        }
    }

    /// The kind with this collection.
    pub fn of(collection: &str) -> Option<Self> {
        [Self::Network, Self::Subnetwork, Self::Router]
            .into_iter()
            .find(|kind| kind.collection() == collection)
    }
}

impl Compute {
    /// `insert` of a network, subnetwork or router.
    ///
    /// # Errors
    /// The caller lacks the permission, the request is invalid, or the resource exists already.
    pub fn insert_network(
        &self,
        context: &Context,
        scope: &Scope,
        kind: Kind,
        mut body: Value,
    ) -> Result<Operation, LegacyError> {
        let collection = kind.collection();
        self.demand(context, &format!("compute.{collection}.create"), scope)?;
        let asked: Asked = plan::message(&body)?;
        let name = catalogue::name(&asked.name)?;
        let path = format!("{scope}/{collection}/{name}");
        if kind != Kind::Network {
            self.find_network(&scope.project, &asked.network)?;
        }
        if kind == Kind::Subnetwork && asked.ip_cidr_range.is_empty() {
            return Err(error::required("resource.ipCidrRange"));
        }
        body["id"] = json!(super::new_id()?);
        body["creationTimestamp"] = json!(crate::clock::rfc3339(context.now));
        self.fleet.change(|fleet| {
            if fleet.networks.contains_key(&path) {
                return Err(error::exists(&path));
            }
            fleet.networks.insert(path.clone(), body);
            Ok(())
        })?;
        self.done(context, scope, "insert", &path)
    }

    /// `patch` of a router.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such router.
    pub fn patch_network(
        &self,
        context: &Context,
        scope: &Scope,
        (kind, name): (Kind, &str),
        body: &Value,
    ) -> Result<Operation, LegacyError> {
        let collection = kind.collection();
        self.demand(context, &format!("compute.{collection}.update"), scope)?;
        let path = format!("{scope}/{collection}/{name}");
        plan::message::<Asked>(body)?;
        self.fleet.change(|fleet| {
            let known = fleet.networks.get_mut(&path);
            let known = known.ok_or_else(|| error::not_found(&path))?;
            for (field, value) in body.as_object().into_iter().flatten() {
                known[field] = value.clone();
            }
            Ok::<_, LegacyError>(())
        })?;
        self.done(context, scope, "patch", &path)
    }

    /// `get`.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such resource.
    pub fn network(
        &self,
        context: &Context,
        scope: &Scope,
        (kind, name): (Kind, &str),
    ) -> Result<Value, LegacyError> {
        let collection = kind.collection();
        self.demand(context, &format!("compute.{collection}.get"), scope)?;
        let path = format!("{scope}/{collection}/{name}");
        let found = self.fleet.look(|fleet| fleet.networks.get(&path).cloned());
        found.ok_or_else(|| error::not_found(&path))
    }

    /// `list`; names with their resources.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn networks(
        &self,
        context: &Context,
        scope: &Scope,
        kind: Kind,
    ) -> Result<Vec<(String, Value)>, LegacyError> {
        let collection = kind.collection();
        self.demand(context, &format!("compute.{collection}.list"), scope)?;
        let prefix = format!("{scope}/{collection}/");
        Ok(self.fleet.look(|fleet| {
            let all = fleet.networks.iter();
            let of_kind = all.filter(|(path, _)| path.starts_with(&prefix));
            of_kind
                .map(|(path, found)| (path.clone(), found.clone()))
                .collect()
        }))
    }

    /// `delete`.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such resource, or another uses it.
    pub fn delete_network(
        &self,
        context: &Context,
        scope: &Scope,
        (kind, name): (Kind, &str),
    ) -> Result<Operation, LegacyError> {
        let collection = kind.collection();
        self.demand(context, &format!("compute.{collection}.delete"), scope)?;
        let path = format!("{scope}/{collection}/{name}");
        self.fleet.change(|fleet| {
            if !fleet.networks.contains_key(&path) {
                return Err(error::not_found(&path));
            }
            if let Some(user) = user(fleet, &scope.project, &path)? {
                return Err(error::in_use(&path, user));
            }
            fleet.networks.remove(&path);
            Ok(())
        })?;
        self.done(context, scope, "delete", &path)
    }

    /// Checks that a network exists in a project, by its URL.
    pub(super) fn find_network(&self, project: &str, url: &str) -> Result<(), LegacyError> {
        let path = path(project, url);
        let default = format!("projects/{project}/{DEFAULT}");
        let is_known = |path: &str| self.fleet.look(|fleet| fleet.networks.contains_key(path));
        match path == default || is_known(&path) {
            true => Ok(()),
            false => Err(error::not_found(&path)),
        }
    }
}

/// What a request says about a network, subnetwork or router, as far as it matters. Other fields are kept and shown.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    #[serde(deserialize_with = "null_is_default")]
    name: String,
    #[serde(deserialize_with = "null_is_default")]
    network: String,
    #[serde(deserialize_with = "null_is_default")]
    ip_cidr_range: String,
}

/// The resource of a project that uses a network or subnetwork of the project.
fn user<'a>(fleet: &'a Fleet, project: &str, used: &str) -> Result<Option<&'a str>, LegacyError> {
    let prefix = format!("projects/{project}/");
    for (name, other) in &fleet.networks {
        let network = plan::message::<Asked>(other)?.network;
        if name.starts_with(&prefix) && !network.is_empty() && path(project, &network) == used {
            return Ok(Some(name));
        }
    }
    for (name, instance) in &fleet.instances {
        let interface = Plan::interface(&instance.body)?;
        let urls = [interface.network(), interface.subnetwork.as_deref()];
        let mut urls = urls.into_iter().flatten();
        if name.starts_with(&prefix) && urls.any(|url| path(project, url) == used) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The path of a URL, or of a part of one, as `projects/P/…`.
pub(super) fn path(project: &str, url: &str) -> String {
    match url.find("projects/") {
        Some(at) => url[at..].to_owned(),
        None => format!("projects/{project}/{}", url.trim_start_matches('/')),
    }
}
