//! Roles, and the permissions of those that are emulated.

/// Whether a role contains a permission.
pub(super) fn has(role: &str, permission: &str) -> bool {
    permissions(role).iter().any(|held| {
        *held == permission
            || held
                .strip_suffix('*')
                .is_some_and(|all| permission.starts_with(all))
    })
}

/// Whether a role can be granted on a resource: it has a permission that such resources check (IAM,
/// `QueryGrantableRoles`).
pub(super) fn is_grantable(role: &str, resource: &str) -> bool {
    let prefix = match resource.rsplit('/').nth(1) {
        Some("keyRings" | "cryptoKeys") => "cloudkms.",
        Some("topics") => "pubsub.topics.",
        Some("subscriptions") => "pubsub.subscriptions.",
        Some("secrets") => "secretmanager.",
        Some("buckets") => "storage.",
        Some("serviceAccounts") => "iam.serviceAccounts.",
        Some("repositories") => "artifactregistry.repositories.",
        // All resources of a project inherit its policy.
        Some("projects") => "",
        _ => return false,
    };
    let mut permissions = permissions(role).iter();
    permissions.any(|held| *held == "*" || held.starts_with(prefix))
}

/// Whether a role is one of the basic roles, which apply to all services.
pub(super) fn is_basic(role: &str) -> bool {
    ["roles/owner", "roles/editor", "roles/viewer"].contains(&role)
}

const COMPUTE_VIEWER: &[&str] = &[
    "compute.instances.get",
    "compute.instances.getSerialPortOutput",
    "compute.instances.list",
    "compute.networks.get",
    "compute.networks.list",
    "compute.projects.get",
    "compute.regions.get",
    "compute.routers.get",
    "compute.routers.list",
    "compute.subnetworks.get",
    "compute.subnetworks.list",
    "compute.zoneOperations.get",
    "compute.zones.get",
    "compute.zones.list",
];

/// The permissions of the emulated roles (IAM, "Roles and permissions"); empty for other roles.
fn permissions(role: &str) -> &'static [&'static str] {
    const DECRYPT: &str = "cloudkms.cryptoKeyVersions.useToDecrypt";
    const ENCRYPT: &str = "cloudkms.cryptoKeyVersions.useToEncrypt";
    const SIGN: &str = "cloudkms.cryptoKeyVersions.useToSign";
    const PUBLIC: &str = "cloudkms.cryptoKeyVersions.viewPublicKey";
    match role {
        "roles/cloudkms.cryptoKeyDecrypter" => &[DECRYPT],
        "roles/cloudkms.cryptoKeyEncrypter" => &[ENCRYPT],
        "roles/cloudkms.cryptoKeyEncrypterDecrypter" => &[ENCRYPT, DECRYPT],
        "roles/cloudkms.signer" => &[SIGN],
        "roles/cloudkms.signerVerifier" => &[SIGN, PUBLIC],
        "roles/cloudkms.publicKeyViewer" => &[PUBLIC],
        "roles/cloudkms.admin" => &[
            "cloudkms.cryptoKeyVersions.create",
            "cloudkms.cryptoKeyVersions.destroy",
            "cloudkms.cryptoKeyVersions.get",
            "cloudkms.cryptoKeyVersions.list",
            "cloudkms.cryptoKeyVersions.restore",
            "cloudkms.cryptoKeyVersions.update",
            "cloudkms.cryptoKeys.*",
            "cloudkms.keyRings.*",
        ],
        "roles/cloudkms.viewer" => &[
            "cloudkms.cryptoKeyVersions.get",
            "cloudkms.cryptoKeyVersions.list",
            "cloudkms.cryptoKeys.get",
            "cloudkms.cryptoKeys.list",
            "cloudkms.keyRings.get",
            "cloudkms.keyRings.list",
        ],
        "roles/pubsub.publisher" => &["pubsub.topics.publish"],
        "roles/pubsub.subscriber" => &[
            "pubsub.subscriptions.consume",
            "pubsub.topics.attachSubscription",
        ],
        "roles/pubsub.viewer" => &[
            "pubsub.subscriptions.get",
            "pubsub.subscriptions.list",
            "pubsub.topics.get",
            "pubsub.topics.list",
        ],
        "roles/pubsub.admin" => &["pubsub.topics.*", "pubsub.subscriptions.*"],
        "roles/secretmanager.secretAccessor" => &["secretmanager.versions.access"],
        "roles/secretmanager.secretVersionAdder" => &["secretmanager.versions.add"],
        "roles/secretmanager.secretVersionManager" => &[
            "secretmanager.versions.add",
            "secretmanager.versions.destroy",
            "secretmanager.versions.disable",
            "secretmanager.versions.enable",
            "secretmanager.versions.get",
            "secretmanager.versions.list",
        ],
        "roles/secretmanager.viewer" => &[
            "secretmanager.secrets.get",
            "secretmanager.secrets.getIamPolicy",
            "secretmanager.secrets.list",
            "secretmanager.versions.get",
            "secretmanager.versions.list",
        ],
        "roles/secretmanager.admin" => &["secretmanager.*"],
        "roles/storage.objectViewer" => &["storage.objects.get", "storage.objects.list"],
        "roles/storage.objectCreator" => &["storage.objects.create"],
        "roles/storage.objectUser" => &[
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.update",
        ],
        "roles/storage.objectAdmin" => &["storage.objects.*"],
        "roles/storage.admin" => &["storage.*"],
        "roles/owner" => &["*"],
        "roles/confidentialcomputing.workloadUser" => &["confidentialcomputing.*"],
        "roles/artifactregistry.reader" => &["artifactregistry.repositories.downloadArtifacts"],
        "roles/artifactregistry.writer" => &[
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.repositories.uploadArtifacts",
        ],
        "roles/artifactregistry.admin" => &["artifactregistry.*"],
        "roles/logging.logWriter" => &["logging.logEntries.create"],
        "roles/logging.viewer" => &["logging.logEntries.list"],
        "roles/iam.serviceAccountUser" => &["iam.serviceAccounts.actAs", "iam.serviceAccounts.get"],
        "roles/iam.serviceAccountTokenCreator" => &[
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
        ],
        "roles/iam.workloadIdentityUser" => &["iam.serviceAccounts.getAccessToken"],
        "roles/iam.serviceAccountAdmin" => &["iam.serviceAccounts.*"],
        "roles/compute.viewer" => COMPUTE_VIEWER,
        "roles/compute.instanceAdmin.v1" => &[
            "compute.instances.*",
            "compute.zoneOperations.get",
            "compute.zones.*",
            "compute.projects.get",
        ],
        "roles/compute.networkAdmin" => &[
            "compute.networks.*",
            "compute.routers.*",
            "compute.subnetworks.*",
            "compute.zoneOperations.get",
        ],
        "roles/compute.admin" => &["compute.*"],
        "roles/browser" => &[
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
        "roles/resourcemanager.projectIamAdmin" => &["resourcemanager.projects.*"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_for_resources_of_their_service() {
        let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
        let ring = "projects/p/locations/global/keyRings/r";
        let (topic, subscription) = ("projects/p/topics/t", "projects/p/subscriptions/s");
        let (secret, bucket) = ("projects/1/secrets/s", "projects/_/buckets/b");
        let repository = "projects/p/locations/us/repositories/images";
        for (role, resources) in [
            ("roles/artifactregistry.reader", &[repository][..]),
            ("roles/cloudkms.cryptoKeyDecrypter", &[key, ring]),
            ("roles/cloudkms.admin", &[key, ring]),
            ("roles/pubsub.publisher", &[topic]),
            ("roles/pubsub.subscriber", &[topic, subscription]),
            ("roles/pubsub.admin", &[topic, subscription]),
            ("roles/secretmanager.secretAccessor", &[secret]),
            ("roles/storage.objectViewer", &[bucket]),
            (
                "roles/owner",
                &[key, ring, topic, subscription, secret, bucket, repository],
            ),
            ("roles/none", &[]),
        ] {
            for resource in [
                key,
                ring,
                topic,
                subscription,
                secret,
                bucket,
                repository,
                "r",
            ] {
                let expected = resources.contains(&resource);
                assert_eq!(is_grantable(role, resource), expected, "{role} {resource}");
            }
        }
    }
}
