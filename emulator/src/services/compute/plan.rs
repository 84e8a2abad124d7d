//! What a new instance is asked to be (Compute Engine v1, `Instance`), as far as it matters to Confidential Space. Other fields are
//! kept and shown, and have no effect.

use std::collections::BTreeMap;

use confidential::launch_policy::MachineImage;
use content::json::null_is_default;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::catalogue;
use super::error;
use super::metadata::Metadata;
use crate::launch::Hardware;
use crate::legacy_error::LegacyError;
use crate::protojson;

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
    pub(super) fn interface(body: &Value) -> Result<Interface, LegacyError> {
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
    pub(super) fn read(body: &Value, zone: &str) -> Result<Self, LegacyError> {
        check_fields(body)?;
        let asked: Asked = message(body)?;
        let name = catalogue::name(&asked.name)?.to_string();
        if asked.machine_type.is_empty() {
            return Err(error::required("resource.machineType"));
        }
        let possible = catalogue::machine_type(&asked.machine_type, zone)?;
        let image = asked.image()?;
        let hardware = asked.hardware(&possible)?;
        asked.check_shape(hardware)?;
        asked.metadata.items()?;
        let [network] = &asked.network_interfaces[..] else {
            return Err(error::invalid(
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

fn check_fields(body: &Value) -> Result<(), LegacyError> {
    let fields = body.as_object();
    let fields =
        fields.ok_or_else(|| LegacyError::bad_request("Invalid JSON payload received."))?;
    match fields
        .keys()
        .find(|field| !FIELDS.contains(&field.as_str()))
    {
        Some(field) => Err(LegacyError::bad_request(format!(
            "Invalid JSON payload received. Unknown name \"{field}\": Cannot find field."
        ))),
        None => Ok(()),
    }
}

impl Asked {
    fn image(&self) -> Result<MachineImage, LegacyError> {
        let boot = self.disks.iter().find(|disk| disk.boot);
        let params = boot.and_then(|disk| disk.initialize_params.as_ref());
        match params.and_then(|params| params.source_image.as_deref()) {
            Some(image) => catalogue::image(image),
            None => Err(error::invalid(
                "resource.disks",
                "",
                "A boot disk with a source image is required.",
            )),
        }
    }

    /// The hardware that is asked for. Confidential Space needs confidential computing, although Compute Engine does not.
    fn hardware(&self, possible: &[Hardware]) -> Result<Hardware, LegacyError> {
        let field = "resource.confidentialInstanceConfig.confidentialInstanceType";
        let config = &self.confidential_instance_config;
        let (asked, hardware) = match config.confidential_instance_type.as_deref() {
            Some("TDX") => ("TDX", Hardware::IntelTdx),
            Some("SEV") => ("SEV", Hardware::AmdSev),
            None if config.enable_confidential_compute => ("SEV", Hardware::AmdSev),
            None => {
                let why = "Confidential Space runs on Confidential VMs only: --confidential-compute-type must be TDX or SEV.";
                return Err(error::invalid(field, "", why));
            }
            Some(other) => {
                let why = "Confidential Space supports TDX and SEV.";
                return Err(error::invalid(field, other, why));
            }
        };
        match possible.contains(&hardware) {
            true => Ok(hardware),
            false => {
                let name = self.machine_type.rsplit('/').next().unwrap_or_default();
                let why = format!(
                    "Confidential Instance Config {asked} is not supported with machine type {name}."
                );
                Err(error::invalid(field, asked, why))
            }
        }
    }

    fn check_shape(&self, hardware: Hardware) -> Result<(), LegacyError> {
        if !self.shielded_instance_config.enable_secure_boot {
            let why = "Confidential Space boots with Secure Boot only: --shielded-secure-boot is missing.";
            let field = "resource.shieldedInstanceConfig.enableSecureBoot";
            return Err(error::invalid(field, "false", why));
        }
        let maintenance = self.scheduling.on_host_maintenance.as_deref();
        if maintenance != Some("TERMINATE") && hardware == Hardware::IntelTdx {
            let why = "Confidential VMs with TDX cannot be migrated: --maintenance-policy must be TERMINATE.";
            let field = "resource.scheduling.onHostMaintenance";
            return Err(error::invalid(field, maintenance.unwrap_or("MIGRATE"), why));
        }
        Ok(())
    }

    fn account(&self) -> Result<Option<Account>, LegacyError> {
        match &self.service_accounts[..] {
            [] => Ok(None),
            [account] if !account.scopes.is_empty() => Ok(Some(account.clone())),
            [_] => Err(error::required("resource.serviceAccounts[0].scopes")),
            [_, ..] => Err(error::invalid(
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
pub(super) fn message<T: DeserializeOwned>(value: &Value) -> Result<T, LegacyError> {
    Ok(protojson::parse(value.to_string().as_bytes())?)
}

/// The metadata of an instance, by key.
pub(super) fn metadata(body: &Value) -> Result<BTreeMap<String, String>, LegacyError> {
    message::<Asked>(body)?.metadata.items()
}

#[cfg(test)]
mod tests;
