//! Grants and providers as a Terraform configuration, in JSON for a file `NAME.tf.json` (Terraform, "JSON Configuration Syntax").
//! Strings there are templates: `${` and `%{` in a name or a condition would be evaluated, and are escaped.
//!
//! A grant is a `_member`, which adds one member. `_binding` and `_policy` would evict the members that others have added.

use serde_json::{Value, json};

use super::{
    ImageGrant, KeyGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable,
};

pub(super) const OUTPUT: Output = Output {
    name: "terraform",
    about: "A Terraform resource, for a file NAME.tf.json",
    print: grant,
};

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "terraform",
    about: "Terraform resources, for a file NAME.tf.json",
    print: provider,
};

/// How many characters at the end of a member are in the name of its resource: each image has its own.
const SUFFIX: usize = 12;

fn grant(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let KeyGrant { key, role, member } = grant.granted;
    let name = image_name(&member.to_string());
    let resource = json!({
        "crypto_key_id": key.to_string(),
        "role": role.to_string(),
        "member": member,
    });
    let resources = json!({"google_kms_crypto_key_iam_member": {name: resource}});
    Ok(Printed::plain(configuration(resources)))
}

/// The name of a resource that concerns one image.
pub(super) fn image_name(member: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric();
    let suffix: Vec<char> = member.chars().rev().filter(is_plain).take(SUFFIX).collect();
    format!("image_{}", suffix.iter().rev().collect::<String>())
}

fn provider(new: &NewProvider<'_>, _: &Settings<'_>) -> Result<Printed, Unprintable> {
    let (project, pool, id) = (new.project, new.provider.pool().id(), new.provider.id());
    let body = json!(new.body);
    let resources = json!({
        "google_iam_workload_identity_pool": {
            "countersign": {
                "project": project,
                "workload_identity_pool_id": pool,
                // A pool that is deleted blocks its ID for 30 days.
                "lifecycle": {"prevent_destroy": true},
            },
        },
        "google_iam_workload_identity_pool_provider": {
            "countersign": {
                "project": project,
                "workload_identity_pool_id": pool,
                "workload_identity_pool_provider_id": id,
                "attribute_mapping": body["attributeMapping"],
                "attribute_condition": body["attributeCondition"],
                "oidc": {
                    "issuer_uri": body["oidc"]["issuerUri"],
                    "allowed_audiences": body["oidc"]["allowedAudiences"],
                },
                "depends_on": ["google_iam_workload_identity_pool.countersign"],
            },
        },
    });
    Ok(Printed::plain(configuration(resources)))
}

/// A configuration with these resources, none of whose strings is evaluated.
pub(super) fn configuration(resources: Value) -> String {
    let source = json!({"google": {"source": "hashicorp/google", "version": "~> 7.0"}});
    let configuration = json!({
        "terraform": {"required_providers": source},
        "resource": escaped(resources),
    });
    format!("{configuration:#}")
}

/// The value with each string as a template that evaluates to it. Keys are names of arguments and attributes, which contain no
/// templates.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${").replace("%{", "%%{")),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            members.map(|(key, value)| (key, escaped(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_escaped() {
        let value = json!({"a": ["${b}", "%{c}", "$${d}", "e$", true]});
        let expected = json!({"a": ["$${b}", "%%{c}", "$$${d}", "e$", true]});
        assert_eq!(escaped(value), expected);
    }

    #[test]
    fn a_grant_adds_one_member_and_is_named_by_its_image() {
        let digest = "0123456789abcdef".repeat(4);
        let member = format!(
            "principalSet://iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/\
             pool/attribute.image_digest/sha256:{digest}"
        );
        let key = "projects/one/locations/global/keyRings/r/cryptoKeys/k";
        let member = member.parse().unwrap();
        let granted = KeyGrant {
            key: &key.parse().unwrap(),
            role: &"roles/cloudkms.cryptoKeyDecrypter".parse().unwrap(),
            member: &member,
        };
        let printed = grant(&ImageGrant {
            granted,
            image: &content::Digest::of(b"image"),
            settings: Settings::default(),
        });
        let printed: Value = serde_json::from_str(&printed.unwrap().text).unwrap();
        let resources = &printed["resource"]["google_kms_crypto_key_iam_member"];
        let expected = json!({"image_456789abcdef": {
            "crypto_key_id": key,
            "role": "roles/cloudkms.cryptoKeyDecrypter",
            "member": member,
        }});
        assert_eq!(*resources, expected);
    }
}
