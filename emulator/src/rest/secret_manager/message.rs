//! Bodies of requests (google/cloud/secretmanager/v1/resources.proto, service.proto).

use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::Deserialize;

use crate::location;
use crate::protojson::{Bytes, Ignored, Integer, NotEmulated, Object};
use crate::services::Labels;
use crate::services::secret_manager::{Annotations, Notes, Replication, SecretUpdate};
use crate::status::Status;

type Texts = BTreeMap<String, String>;

/// `Secret`. Versions neither expire nor rotate.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Secret {
    name: Ignored<String>,
    replication: Option<WireReplication>,
    #[serde(alias = "create_time")]
    create_time: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    labels: Texts,
    #[serde(deserialize_with = "null_is_default")]
    annotations: Texts,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) etag: String,
    topics: NotEmulated<Vec<Object>>,
    #[serde(alias = "expire_time")]
    expire_time: NotEmulated<String>,
    ttl: NotEmulated<String>,
    rotation: NotEmulated<Object>,
    #[serde(alias = "version_aliases")]
    version_aliases: NotEmulated<Object>,
    #[serde(alias = "version_destroy_ttl")]
    version_destroy_ttl: NotEmulated<String>,
    #[serde(alias = "customer_managed_encryption")]
    customer_managed_encryption: NotEmulated<Object>,
    tags: NotEmulated<Texts>,
}

/// `Replication`, of which one field is set.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct WireReplication {
    automatic: Option<Automatic>,
    #[serde(alias = "user_managed")]
    user_managed: Option<UserManaged>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Automatic {
    #[serde(alias = "customer_managed_encryption")]
    customer_managed_encryption: NotEmulated<Object>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct UserManaged {
    #[serde(deserialize_with = "null_is_default")]
    replicas: Vec<Replica>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Replica {
    #[serde(deserialize_with = "null_is_default")]
    location: String,
    #[serde(alias = "customer_managed_encryption")]
    customer_managed_encryption: NotEmulated<Object>,
}

impl Secret {
    /// A new secret, which must have a replication.
    pub(super) fn create(self) -> Result<(Replication, Notes), Status> {
        let notes = Notes {
            labels: Labels::new(self.labels)?,
            annotations: Annotations::new(self.annotations)?,
        };
        let replication = self.replication.unwrap_or_default().read()?;
        Ok((replication, notes))
    }

    /// What a change of the fields in `mask`, whose names are separated by commas, updates.
    pub(super) fn update(self, mask: &str) -> Result<SecretUpdate, Status> {
        let mut update = SecretUpdate::default();
        for field in mask.split(',').map(str::trim) {
            match field {
                "" => {
                    return Err(Status::invalid(
                        "The request does not specify an update mask.",
                    ));
                }
                "labels" => update.labels = Some(Labels::new(self.labels.clone())?),
                "annotations" => {
                    update.annotations = Some(Annotations::new(self.annotations.clone())?);
                }
                other => {
                    return Err(Status::unimplemented(format!(
                        "An update of {other} is not emulated."
                    )));
                }
            }
        }
        Ok(update)
    }
}

impl WireReplication {
    fn read(self) -> Result<Replication, Status> {
        match (self.automatic, self.user_managed) {
            (Some(_), None) => Ok(Replication::Automatic),
            (None, Some(managed)) if !managed.replicas.is_empty() => {
                let locations = managed.replicas.into_iter().map(|replica| replica.location);
                let locations: Vec<_> = locations.collect();
                locations
                    .iter()
                    .try_for_each(|region| location::check_region(region))?;
                Ok(Replication::UserManaged(locations))
            }
            _ => Err(Status::invalid(
                "Secret.replication: exactly one of automatic and user_managed must be set.",
            )),
        }
    }
}

/// `AddSecretVersionRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct AddVersion {
    parent: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) payload: Payload,
}

/// `SecretPayload`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Payload {
    pub(super) data: Bytes,
    #[serde(alias = "data_crc32c")]
    pub(super) data_crc32c: Option<Integer>,
}

/// A request about a version that has only its name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Empty {
    name: Ignored<String>,
    etag: NotEmulated<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protojson::parse;

    #[test]
    fn a_secret_has_one_replication() {
        let read = |body: Value| {
            let secret: Secret = parse(body.to_string().as_bytes()).map_err(|s| s.code)?;
            let made = secret.create().map_err(|status| status.code)?;
            Ok(made.0)
        };
        let automatic = json!({"replication": {"automatic": {}}, "labels": {"a": "b"}});
        assert_eq!(read(automatic), Ok(Replication::Automatic));
        let managed = |location| json!({"replication": {"user_managed": {"replicas": [{"location": location}]}}});
        let expected = Replication::UserManaged(vec!["europe-west1".to_owned()]);
        assert_eq!(read(managed("europe-west1")), Ok(expected));
        assert!(read(managed("nowhere-1")).is_err());
        for body in [
            json!({}),
            json!({"replication": {}}),
            json!({"replication": {"automatic": {}, "userManaged": {"replicas": [{"location": "europe-west1"}]}}}),
            json!({"replication": {"userManaged": {"replicas": []}}}),
            json!({"replication": "automatic"}),
        ] {
            assert_eq!(read(body.clone()), Err(400), "{body}");
        }
        assert_eq!(
            read(json!({"replication": {"automatic": {}}, "ttl": "60s"})),
            Err(501)
        );
    }

    #[test]
    fn an_update_is_of_the_fields_of_its_mask() {
        let body = json!({"labels": {"team": "bank"}, "annotations": null, "versionAliases": {}, "etag": "x"});
        let read = |mask: &str| {
            let secret: Secret = parse(body.to_string().as_bytes()).unwrap();
            secret.update(mask).map_err(|status| status.code)
        };
        let labels = read("labels").unwrap();
        assert_eq!(labels.labels.unwrap().get()["team"], "bank");
        assert_eq!(labels.annotations, None);
        let both = read("labels,annotations").unwrap();
        assert_eq!(both.annotations, Some(Annotations::default()));
        for (mask, code) in [
            ("", 400),
            ("labels,", 400),
            ("ttl", 501),
            ("replication", 501),
        ] {
            assert_eq!(read(mask), Err(code), "{mask}");
        }
    }

    #[test]
    fn a_payload_is_bytes_with_a_checksum() {
        let body = json!({"payload": {"data": "YQ==", "dataCrc32c": "7"}}).to_string();
        let read: AddVersion = parse(body.as_bytes()).unwrap();
        assert_eq!(
            (read.payload.data.0, read.payload.data_crc32c),
            (b"a".to_vec(), Some(Integer(7)))
        );
    }
}
