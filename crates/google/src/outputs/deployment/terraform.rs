//! A deployment as a Terraform configuration, in JSON. Its strings are templates, and are escaped: resources name each other by
//! what they are called, and `depends_on` orders them.

use serde_json::{Map, Value, json};

use super::{Deployment, DeploymentOutput, IMAGE_PROJECT, RANGE, READER, SCOPE, metadata};
use crate::outputs::terraform::configuration;

pub(super) const OUTPUT: DeploymentOutput = DeploymentOutput {
    name: "terraform",
    about: "Terraform resources, for a file NAME.tf.json",
    print,
};

/// The name of resources of which there is one.
const ONE: &str = "countersign";

fn print(deployment: &Deployment<'_>) -> String {
    let mut resources = network(deployment);
    resources.extend(account(deployment));
    resources.extend(roles(deployment));
    let before: Vec<_> = addresses(&resources).collect();
    resources.insert(
        "google_compute_instance".to_owned(),
        json!({ONE: instance(deployment, &before)}),
    );
    configuration(Value::Object(resources))
}

type Resources = Map<String, Value>;

fn addresses(resources: &Resources) -> impl Iterator<Item = String> {
    let named = resources
        .iter()
        .filter_map(|(kind, named)| Some((kind, named.as_object()?)));
    named.flat_map(|(kind, named)| named.keys().map(move |name| format!("{kind}.{name}")))
}

fn resources(value: Value) -> Resources {
    match value {
        Value::Object(resources) => resources,
        _ => Resources::new(),
    }
}

fn account(deployment: &Deployment<'_>) -> Resources {
    match deployment.owns_account() {
        true => resources(json!({
            "google_service_account": {
                ONE: {"project": deployment.project, "account_id": deployment.account.id()},
            },
        })),
        false => Resources::new(),
    }
}

/// Each is a `_member`, which leaves the other members of the role.
fn roles(deployment: &Deployment<'_>) -> Resources {
    let member = deployment.member();
    let after: &[&str] = match deployment.owns_account() {
        true => &["google_service_account.countersign"],
        false => &[],
    };
    let on_project = deployment.roles().into_iter().map(|role| {
        let name = role.rsplit(['/', '.']).next().unwrap_or(role);
        let grant = json!({
            "project": deployment.project, "role": role, "member": member, "depends_on": after,
        });
        (name.to_owned(), grant)
    });
    let on_repositories = deployment
        .own_readable()
        .enumerate()
        .map(|(index, repository)| {
            let grant = json!({
                "project": repository.project,
                "location": repository.location,
                "repository": repository.id,
                "role": READER,
                "member": member,
                "depends_on": after,
            });
            (format!("reader_{}", index + 1), grant)
        });
    let mut granted = Resources::new();
    granted.insert(
        "google_project_iam_member".to_owned(),
        Value::Object(on_project.collect()),
    );
    let on_repositories: Resources = on_repositories.collect();
    if !on_repositories.is_empty() {
        let kind = "google_artifact_registry_repository_iam_member".to_owned();
        granted.insert(kind, Value::Object(on_repositories));
    }
    granted
}

fn network(deployment: &Deployment<'_>) -> Resources {
    let (project, network) = (deployment.project, deployment.network);
    let region = deployment.zone.region();
    resources(json!({
        "google_compute_network": {
            ONE: {"project": project, "name": network, "auto_create_subnetworks": false},
        },
        "google_compute_subnetwork": {
            ONE: {
                "project": project,
                "region": region,
                "name": network,
                "network": self_link(deployment),
                "ip_cidr_range": RANGE,
                "private_ip_google_access": true,
                "depends_on": ["google_compute_network.countersign"],
            },
        },
        "google_compute_router": {
            ONE: {
                "project": project,
                "region": region,
                "name": network,
                "network": self_link(deployment),
                "depends_on": ["google_compute_network.countersign"],
            },
        },
        "google_compute_router_nat": {
            ONE: {
                "project": project,
                "region": region,
                "name": network,
                "router": network,
                "nat_ip_allocate_option": "AUTO_ONLY",
                "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
                "depends_on": ["google_compute_router.countersign"],
            },
        },
    }))
}

fn self_link(deployment: &Deployment<'_>) -> String {
    let (project, network) = (deployment.project, deployment.network);
    format!("projects/{project}/global/networks/{network}")
}

fn instance(deployment: &Deployment<'_>, before: &[String]) -> Value {
    let (project, network) = (deployment.project, deployment.network);
    let (region, family) = (deployment.zone.region(), deployment.family());
    let metadata = metadata::of(deployment).into_iter();
    let metadata: Map<_, _> = metadata.map(|(key, value)| (key, value.into())).collect();
    json!({
        "project": project,
        "zone": deployment.zone,
        "name": deployment.instance,
        "machine_type": deployment.machine,
        "boot_disk": {"initialize_params": {
            "image": format!("projects/{IMAGE_PROJECT}/global/images/family/{family}"),
        }},
        // Without access_config there is no external address.
        "network_interface": {
            "subnetwork": format!("projects/{project}/regions/{region}/subnetworks/{network}"),
        },
        "confidential_instance_config": {
            "confidential_instance_type": deployment.hardware.to_string(),
        },
        "shielded_instance_config": {"enable_secure_boot": true},
        "scheduling": {"on_host_maintenance": "TERMINATE", "automatic_restart": false},
        "service_account": {"email": deployment.account, "scopes": [SCOPE]},
        "metadata": metadata,
        "depends_on": before,
    })
}
