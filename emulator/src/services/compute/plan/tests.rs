use serde_json::json;

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
