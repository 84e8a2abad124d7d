//! What a new instance is asked to be (Compute Engine v1, `Instance`), as far as it matters to Confidential Space. Other fields are
//! kept and shown, and have no effect.

use std::collections::BTreeMap;

use confidential::launch_policy::MachineImage;
use content::json::null_is_default;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ComputeError, catalogue};
use crate::launch::Hardware;
use crate::protojson;

/// The largest size of a value of metadata and of all, in bytes ("Set custom metadata").
const METADATA_VALUE: usize = 256 << 10;
const METADATA: usize = 512 << 10;
/// The network that each project has.
pub(super) const DEFAULT: &str = "global/networks/default";
/// The fields of an instance that a request can set.
const FIELDS: &[&str] = &[
    "advancedMachineFeatures",
    "canIpForward",
    "confidentialInstanceConfig",
    "deletionProtection",
    "description",
    "disks",
    "displayDevice",
    "guestAccelerators",
    "hostname",
    "instanceEncryptionKey",
    "keyRevocationActionType",
    "kind",
    "labels",
    "machineType",
    "metadata",
    "minCpuPlatform",
    "name",
    "networkInterfaces",
    "networkPerformanceConfig",
    "params",
    "privateIpv6GoogleAccess",
    "reservationAffinity",
    "resourcePolicies",
    "scheduling",
    "serviceAccounts",
    "shieldedInstanceConfig",
    "shieldedInstanceIntegrityPolicy",
    "sourceMachineImage",
    "tags",
    "workloadIdentityConfig",
    "zone",
];

/// A new instance that can be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) hardware: Hardware,
    pub(super) image: MachineImage,
    /// The service account and its scopes; `None` runs without.
    pub(super) account: Option<Account>,
    /// The network and the subnetwork, as URLs.
    pub(super) network: Interface,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct Account {
    #[serde(deserialize_with = "null_is_default")]
    pub(super) email: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) scopes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct Interface {
    pub(super) network: Option<String>,
    pub(super) subnetwork: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    #[serde(deserialize_with = "null_is_default")]
    name: String,
    #[serde(deserialize_with = "null_is_default")]
    machine_type: String,
    #[serde(deserialize_with = "null_is_default")]
    confidential_instance_config: Confidential,
    #[serde(deserialize_with = "null_is_default")]
    shielded_instance_config: Shielded,
    #[serde(deserialize_with = "null_is_default")]
    scheduling: Scheduling,
    #[serde(deserialize_with = "null_is_default")]
    service_accounts: Vec<Account>,
    #[serde(deserialize_with = "null_is_default")]
    network_interfaces: Vec<Interface>,
    #[serde(deserialize_with = "null_is_default")]
    disks: Vec<Disk>,
    #[serde(deserialize_with = "null_is_default")]
    metadata: Metadata,
    /// Only its type is checked here.
    #[serde(rename = "deletionProtection", deserialize_with = "null_is_default")]
    _deletion_protection: bool,
}

/// The metadata of an instance.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "null_is_default")]
    pub(super) items: Vec<Item>,
    /// What a change names as known.
    pub(super) fingerprint: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Item {
    #[serde(deserialize_with = "null_is_default")]
    key: String,
    #[serde(deserialize_with = "null_is_default")]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Confidential {
    confidential_instance_type: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    enable_confidential_compute: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shielded {
    #[serde(deserialize_with = "null_is_default")]
    enable_secure_boot: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scheduling {
    on_host_maintenance: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Disk {
    #[serde(deserialize_with = "null_is_default")]
    boot: bool,
    initialize_params: Option<InitializeParams>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InitializeParams {
    source_image: Option<String>,
}

impl Interface {
    /// The network that is named; the default one if nothing is.
    pub(super) fn network(&self) -> Option<&str> {
        let network = self.network.as_deref();
        network.or_else(|| self.subnetwork.is_none().then_some(DEFAULT))
    }
}

impl Plan {
    /// The interface of an instance.
    pub(super) fn interface(body: &Value) -> Result<Interface, ComputeError> {
        let asked: Asked = message(body)?;
        Ok(asked
            .network_interfaces
            .into_iter()
            .next()
            .unwrap_or_default())
    }

    /// Reads the request for an instance in a zone.
    ///
    /// # Errors
    /// A field is unknown, missing or invalid, or the machine could not run Confidential Space.
    pub(super) fn read(body: &Value, zone: &str) -> Result<Self, ComputeError> {
        check_fields(body)?;
        let asked: Asked = message(body)?;
        let name = catalogue::name(&asked.name)?.to_string();
        if asked.machine_type.is_empty() {
            return Err(ComputeError::required("resource.machineType"));
        }
        let possible = catalogue::machine_type(&asked.machine_type, zone)?;
        let image = asked.image()?;
        let hardware = asked.hardware(&possible)?;
        asked.check_shape(hardware)?;
        asked.metadata.items()?;
        let [network] = &asked.network_interfaces[..] else {
            return Err(ComputeError::invalid(
                "resource.networkInterfaces",
                "",
                "At least one network interface is required, and the emulator has one for each instance.",
            ));
        };
        Ok(Self {
            name,
            hardware,
            image,
            network: network.clone(),
            account: asked.account()?,
        })
    }
}

fn check_fields(body: &Value) -> Result<(), ComputeError> {
    let fields = body.as_object();
    let fields =
        fields.ok_or_else(|| ComputeError::bad_request("Invalid JSON payload received."))?;
    match fields
        .keys()
        .find(|field| !FIELDS.contains(&field.as_str()))
    {
        Some(field) => Err(ComputeError::bad_request(format!(
            "Invalid JSON payload received. Unknown name \"{field}\": Cannot find field."
        ))),
        None => Ok(()),
    }
}

impl Asked {
    fn image(&self) -> Result<MachineImage, ComputeError> {
        let boot = self.disks.iter().find(|disk| disk.boot);
        let params = boot.and_then(|disk| disk.initialize_params.as_ref());
        match params.and_then(|params| params.source_image.as_deref()) {
            Some(image) => catalogue::image(image),
            None => Err(ComputeError::invalid(
                "resource.disks",
                "",
                "A boot disk with a source image is required.",
            )),
        }
    }

    /// The hardware that is asked for. Confidential Space needs confidential computing, although Compute Engine does not.
    fn hardware(&self, possible: &[Hardware]) -> Result<Hardware, ComputeError> {
        let field = "resource.confidentialInstanceConfig.confidentialInstanceType";
        let config = &self.confidential_instance_config;
        let (asked, hardware) = match config.confidential_instance_type.as_deref() {
            Some("TDX") => ("TDX", Hardware::IntelTdx),
            Some("SEV") => ("SEV", Hardware::AmdSev),
            None if config.enable_confidential_compute => ("SEV", Hardware::AmdSev),
            None => {
                let why = "Confidential Space runs on Confidential VMs only: --confidential-compute-type must be TDX or SEV.";
                return Err(ComputeError::invalid(field, "", why));
            }
            Some(other) => {
                let why = "Confidential Space supports TDX and SEV.";
                return Err(ComputeError::invalid(field, other, why));
            }
        };
        match possible.contains(&hardware) {
            true => Ok(hardware),
            false => {
                let name = self.machine_type.rsplit('/').next().unwrap_or_default();
                let why = format!(
                    "Confidential Instance Config {asked} is not supported with machine type {name}."
                );
                Err(ComputeError::invalid(field, asked, why))
            }
        }
    }

    fn check_shape(&self, hardware: Hardware) -> Result<(), ComputeError> {
        if !self.shielded_instance_config.enable_secure_boot {
            let why = "Confidential Space boots with Secure Boot only: --shielded-secure-boot is missing.";
            let field = "resource.shieldedInstanceConfig.enableSecureBoot";
            return Err(ComputeError::invalid(field, "false", why));
        }
        let maintenance = self.scheduling.on_host_maintenance.as_deref();
        if maintenance != Some("TERMINATE") && hardware == Hardware::IntelTdx {
            let why = "Confidential VMs with TDX cannot be migrated: --maintenance-policy must be TERMINATE.";
            let field = "resource.scheduling.onHostMaintenance";
            return Err(ComputeError::invalid(
                field,
                maintenance.unwrap_or("MIGRATE"),
                why,
            ));
        }
        Ok(())
    }

    fn account(&self) -> Result<Option<Account>, ComputeError> {
        match &self.service_accounts[..] {
            [] => Ok(None),
            [account] if !account.scopes.is_empty() => Ok(Some(account.clone())),
            [_] => Err(ComputeError::required("resource.serviceAccounts[0].scopes")),
            [_, ..] => Err(ComputeError::invalid(
                "resource.serviceAccounts",
                "",
                "At most one service account is allowed.",
            )),
        }
    }
}

/// Reads a message, or what a message contains.
///
/// # Errors
/// A field has the wrong type. The error names it.
pub(super) fn message<T: DeserializeOwned>(value: &Value) -> Result<T, ComputeError> {
    Ok(protojson::parse(value.to_string().as_bytes())?)
}

/// The metadata of an instance, by key.
pub(super) fn metadata(body: &Value) -> Result<BTreeMap<String, String>, ComputeError> {
    message::<Asked>(body)?.metadata.items()
}

impl Metadata {
    /// The values by key.
    ///
    /// # Errors
    /// A key is invalid or there twice, or the values are too large.
    pub(super) fn items(&self) -> Result<BTreeMap<String, String>, ComputeError> {
        let field = "resource.metadata.items";
        let mut found = BTreeMap::new();
        let mut size = 0;
        for Item { key, value } in &self.items {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
            if key.is_empty() || key.len() > 128 || !key.bytes().all(is_plain) {
                let why = "Metadata keys must match regex '[a-zA-Z0-9-_]{1,128}'.";
                return Err(ComputeError::invalid(field, key, why));
            }
            size += key.len() + value.len();
            if value.len() > METADATA_VALUE || size > METADATA {
                return Err(ComputeError::invalid(field, key, "Value is too large."));
            }
            if found.insert(key.clone(), value.clone()).is_some() {
                return Err(ComputeError::invalid(field, key, "Duplicate metadata key."));
            }
        }
        Ok(found)
    }

    /// The field of an instance that shows them.
    pub(super) fn shown(&self) -> Value {
        json!({"items": self.items})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gcloud compute instances create` sends for the printed command.
    fn printed() -> Value {
        json!({
            "canIpForward": false,
            "confidentialInstanceConfig": {"confidentialInstanceType": "TDX"},
            "deletionProtection": false,
            "disks": [{"autoDelete": true, "boot": true, "mode": "READ_WRITE", "type": "PERSISTENT", "initializeParams": {
                "sourceImage": "https://x/compute/v1/projects/confidential-space-images/global/images/family/confidential-space",
            }}],
            "machineType": "https://x/compute/v1/projects/operator/zones/us-central1-a/machineTypes/c3-standard-4",
            "metadata": {"items": [{"key": "tee-image-reference", "value": "h/r/i"}]},
            "name": "vm1",
            "networkInterfaces": [{"network": "n", "subnetwork": "s"}],
            "scheduling": {"automaticRestart": false, "onHostMaintenance": "TERMINATE"},
            "serviceAccounts": [{"email": "run@operator.iam.gserviceaccount.com", "scopes": ["s"]}],
            "shieldedInstanceConfig": {"enableSecureBoot": true},
        })
    }

    #[test]
    fn the_printed_command_asks_for_confidential_space() {
        let plan = Plan::read(&printed(), "us-central1-a").unwrap();
        assert_eq!(plan.name, "vm1");
        assert_eq!(plan.hardware, Hardware::IntelTdx);
        assert_eq!(plan.image, MachineImage::Production);
        assert_eq!(plan.account.unwrap().scopes, ["s"]);
    }

    #[test]
    fn what_cannot_run_confidential_space_is_refused() {
        for (field, value, words) in [
            (
                "confidentialInstanceConfig",
                Value::Null,
                "--confidential-compute-type must be TDX or SEV",
            ),
            (
                "confidentialInstanceConfig",
                json!({"confidentialInstanceType": "SEV_SNP"}),
                "supports TDX and SEV",
            ),
            (
                "confidentialInstanceConfig",
                json!({"confidentialInstanceType": "SEV"}),
                "not supported with machine type c3-standard-4",
            ),
            (
                "shieldedInstanceConfig",
                Value::Null,
                "--shielded-secure-boot is missing",
            ),
            (
                "scheduling",
                Value::Null,
                "--maintenance-policy must be TERMINATE",
            ),
            (
                "machineType",
                json!("zones/z/machineTypes/c3-tiny"),
                "does not exist in zone",
            ),
            (
                "machineType",
                Value::Null,
                "Required field 'resource.machineType' not specified",
            ),
            ("name", json!("VM1"), "Must be a match of regex"),
            (
                "disks",
                json!([]),
                "A boot disk with a source image is required",
            ),
            (
                "networkInterfaces",
                json!([]),
                "At least one network interface is required",
            ),
            (
                "serviceAccounts",
                json!([{"email": "e"}]),
                "Required field 'resource.serviceAccounts[0].scopes'",
            ),
            (
                "metadata",
                json!({"items": [{"key": "a b", "value": ""}]}),
                "Metadata keys must match",
            ),
            (
                "metadata",
                json!({"items": [{"key": "a", "value": ""}, {"key": "a", "value": ""}]}),
                "Duplicate metadata key",
            ),
            (
                "metadata",
                json!({"items": {"key": "a"}}),
                "Invalid value at 'metadata.items'",
            ),
            (
                "metadata",
                json!({"items": [{"key": "a", "value": 1}]}),
                "Invalid value at 'metadata.items[0].value'",
            ),
            (
                "networkInterfaces",
                json!([{"network": 1}]),
                "Invalid value at 'networkInterfaces[0].network'",
            ),
            (
                "deletionProtection",
                json!("true"),
                "Invalid value at 'deletionProtection'",
            ),
            ("unheardOf", json!(1), "Unknown name \"unheardOf\""),
        ] {
            let mut body = printed();
            body[field] = value;
            let refused = Plan::read(&body, "us-central1-a").unwrap_err();
            assert!(refused.message.contains(words), "{refused:?}");
        }
    }
}
