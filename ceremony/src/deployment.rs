//! The operator's deployment: what `builder deploy --format terraform` prints, created with the calls that Terraform makes.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Error;
use crate::cast::{Cast, OPERATOR};
use crate::cloud;

/// Where the instance runs.
pub const ZONE: &str = "us-central1-a";
/// The account that it runs as.
pub const ACCOUNT: &str = "workload@operator.iam.gserviceaccount.com";
/// The kinds of resources, each after those that it refers to.
const ORDER: [&str; 7] = [
    "google_service_account",
    "google_project_iam_member",
    "google_compute_network",
    "google_compute_subnetwork",
    "google_compute_router",
    "google_compute_router_nat",
    "google_compute_instance",
];
/// How long the machine may take until it is off.
const PATIENCE: Duration = Duration::from_secs(120);
/// The time between two looks at the machine.
const PAUSE: Duration = Duration::from_millis(50);

/// An instance that was created.
pub struct Machine {
    /// Its path in Compute Engine's interface.
    path: String,
    name: String,
    created: Instant,
}

/// Creates the resources of a Terraform configuration in JSON.
///
/// # Errors
/// The configuration has other resources than `builder deploy` writes, or a service refuses.
pub fn create(cast: &Cast, printed: &str) -> Result<Machine, Error> {
    let what = "builder deploy";
    let configuration: Value =
        serde_json::from_str(printed).map_err(|_| Error::answer(what, printed))?;
    let kinds = configuration["resource"].as_object();
    let kinds = kinds.ok_or_else(|| Error::answer(what, printed))?;
    if let Some(other) = kinds.keys().find(|kind| !ORDER.contains(&kind.as_str())) {
        return Err(Error::answer(what, other));
    }
    let mut machine = None;
    for kind in ORDER {
        let named = kinds.get(kind).and_then(Value::as_object);
        for resource in named.into_iter().flat_map(|named| named.values()) {
            machine = create_one(cast, kind, &without_templates(resource))?;
        }
    }
    machine.ok_or_else(|| Error::answer(what, "no instance"))
}

/// The resource with its strings as they are meant: in Terraform's JSON they are templates.
fn without_templates(resource: &Value) -> Value {
    match resource {
        Value::String(text) => text.replace("$${", "${").replace("%%{", "%{").into(),
        Value::Array(items) => items.iter().map(without_templates).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (key.clone(), without_templates(value)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

/// Creates one resource; returns the machine if it is one.
fn create_one(cast: &Cast, kind: &str, resource: &Value) -> Result<Option<Machine>, Error> {
    let project = cloud::text(resource, "project")?;
    let compute = format!("{}/compute/v1/projects/{project}", cast.endpoints.compute);
    let region = || cloud::text(resource, "region").map(|name| format!("{compute}/regions/{name}"));
    match kind {
        "google_service_account" => {
            let url = format!(
                "{}/v1/projects/{project}/serviceAccounts",
                cast.endpoints.iam
            );
            post(cast, &url, &json!({"accountId": resource["account_id"]}))?;
        }
        "google_project_iam_member" => add_member(cast, &project, resource)?,
        "google_compute_network" => {
            let body = json!({"name": resource["name"], "autoCreateSubnetworks": resource["auto_create_subnetworks"]});
            post(cast, &format!("{compute}/global/networks"), &body)?;
        }
        "google_compute_subnetwork" => {
            let body = json!({
                "name": resource["name"],
                "network": resource["network"],
                "ipCidrRange": resource["ip_cidr_range"],
                "privateIpGoogleAccess": resource["private_ip_google_access"],
            });
            post(cast, &format!("{}/subnetworks", region()?), &body)?;
        }
        "google_compute_router" => {
            let body = json!({"name": resource["name"], "network": resource["network"]});
            post(cast, &format!("{}/routers", region()?), &body)?;
        }
        "google_compute_router_nat" => {
            let nat = json!({
                "name": resource["name"],
                "natIpAllocateOption": resource["nat_ip_allocate_option"],
                "sourceSubnetworkIpRangesToNat": resource["source_subnetwork_ip_ranges_to_nat"],
            });
            let url = format!("{}/routers/{}", region()?, cloud::text(resource, "router")?);
            let body = json!({"nats": [nat]});
            cloud::call("PATCH", &url, &cast.operator.access_token, &body)?;
        }
        _ => return start(cast, &compute, resource).map(Some),
    }
    Ok(None)
}

fn start(cast: &Cast, compute: &str, resource: &Value) -> Result<Machine, Error> {
    let zone = cloud::text(resource, "zone")?;
    let name = cloud::text(resource, "name")?;
    let account = &resource["service_account"];
    let metadata = resource["metadata"].as_object().into_iter().flatten();
    let items = metadata.map(|(key, value)| json!({"key": key, "value": value}));
    let machine_type = cloud::text(resource, "machine_type")?;
    let body = json!({
        "name": name,
        "machineType": format!("zones/{zone}/machineTypes/{machine_type}"),
        "confidentialInstanceConfig": {
            "confidentialInstanceType": resource["confidential_instance_config"]["confidential_instance_type"],
        },
        "shieldedInstanceConfig": {
            "enableSecureBoot": resource["shielded_instance_config"]["enable_secure_boot"],
        },
        "scheduling": {
            "onHostMaintenance": resource["scheduling"]["on_host_maintenance"],
            "automaticRestart": resource["scheduling"]["automatic_restart"],
        },
        "disks": [{"boot": true, "initializeParams": {
            "sourceImage": resource["boot_disk"]["initialize_params"]["image"],
        }}],
        "networkInterfaces": [{"subnetwork": resource["network_interface"]["subnetwork"]}],
        "serviceAccounts": [{"email": account["email"], "scopes": scopes(account)}],
        "metadata": {"items": items.collect::<Vec<_>>()},
    });
    let instances = format!("{compute}/zones/{zone}/instances");
    let created = Instant::now();
    post(cast, &instances, &body)?;
    let path = format!("{instances}/{name}");
    Ok(Machine {
        path,
        name,
        created,
    })
}

/// Terraform accepts the short names of scopes, Compute Engine the long ones.
fn scopes(account: &Value) -> Vec<String> {
    let named = account["scopes"].as_array().into_iter().flatten();
    named
        .filter_map(Value::as_str)
        .map(|name| format!("https://www.googleapis.com/auth/{name}"))
        .collect()
}

/// Adds a member to the policy of a project.
fn add_member(cast: &Cast, project: &str, resource: &Value) -> Result<(), Error> {
    let url = format!("{}/v1/projects/{project}", cast.endpoints.resource_manager);
    let mut policy = post(cast, &format!("{url}:getIamPolicy"), &json!({}))?;
    let binding = json!({"role": resource["role"], "members": [resource["member"]]});
    match policy["bindings"].as_array_mut() {
        Some(bindings) => bindings.push(binding),
        None => policy["bindings"] = json!([binding]),
    }
    let body = json!({"policy": policy});
    post(cast, &format!("{url}:setIamPolicy"), &body).map(drop)
}

fn post(cast: &Cast, url: &str, body: &Value) -> Result<Value, Error> {
    cloud::call("POST", url, &cast.operator.access_token, body)
}

impl Machine {
    /// Waits until the machine is off; returns the time from its creation until the workload had written `text`, if it did.
    ///
    /// # Errors
    /// A service refuses, or the machine is still on after two minutes.
    pub fn until_off(&self, cast: &Cast, text: &str) -> Result<Option<Duration>, Error> {
        let mut seen = None;
        loop {
            // The state first: what is in the log after the end is all that will be in it.
            let state = self.get(cast, "")?;
            if seen.is_none() && self.logged(cast)?.iter().any(|line| line.contains(text)) {
                seen = Some(self.created.elapsed());
            }
            if state["status"] == "TERMINATED" {
                return Ok(seen);
            }
            if self.created.elapsed() > PATIENCE {
                let port = self.get(cast, "/serialPort")?;
                return Err(Error::answer("the machine, which is still on", port));
            }
            thread::sleep(PAUSE);
        }
    }

    fn get(&self, cast: &Cast, what: &str) -> Result<Value, Error> {
        let url = format!("{}{what}", self.path);
        cloud::call("GET", &url, &cast.operator.access_token, &Value::Null)
    }

    /// The lines of the workload in Cloud Logging, from the first.
    ///
    /// # Errors
    /// The service refuses.
    pub fn logged(&self, cast: &Cast) -> Result<Vec<String>, Error> {
        let name = &self.name;
        let body = json!({
            "resourceNames": [format!("projects/{OPERATOR}")],
            "filter": format!("resource.type=\"gce_instance\" jsonPayload._HOSTNAME=\"{name}\""),
            "orderBy": "timestamp asc",
        });
        let url = format!("{}/v2/entries:list", cast.endpoints.logging);
        let found = post(cast, &url, &body)?;
        let entries = found["entries"].as_array().into_iter().flatten();
        let message = |entry: &Value| Some(entry["jsonPayload"]["message"].as_str()?.to_owned());
        Ok(entries.filter_map(message).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read_as_they_are_meant() {
        let written = json!({"metadata": {"a": "it's $${a}~%%{b}"}, "scopes": ["$$"], "on": true});
        let meant = json!({"metadata": {"a": "it's ${a}~%{b}"}, "scopes": ["$$"], "on": true});
        assert_eq!(without_templates(&written), meant);
    }
}
