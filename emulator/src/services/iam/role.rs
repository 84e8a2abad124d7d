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
        _ => return false,
    };
    let mut permissions = permissions(role).iter();
    permissions.any(|held| *held == "*" || held.starts_with(prefix))
}

/// Whether a role is one of the basic roles, which apply to all services.
pub(super) fn is_basic(role: &str) -> bool {
    ["roles/owner", "roles/editor", "roles/viewer"].contains(&role)
}

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
        "roles/cloudkms.admin" => &["cloudkms.cryptoKeys.*", "cloudkms.keyRings.*"],
        "roles/pubsub.publisher" => &["pubsub.topics.publish"],
        "roles/pubsub.subscriber" => &[
            "pubsub.subscriptions.consume",
            "pubsub.topics.attachSubscription",
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
        for (role, resources) in [
            ("roles/cloudkms.cryptoKeyDecrypter", &[key, ring][..]),
            ("roles/cloudkms.admin", &[key, ring]),
            ("roles/pubsub.publisher", &[topic]),
            ("roles/pubsub.subscriber", &[topic, subscription]),
            ("roles/pubsub.admin", &[topic, subscription]),
            ("roles/secretmanager.secretAccessor", &[secret]),
            ("roles/storage.objectViewer", &[bucket]),
            (
                "roles/owner",
                &[key, ring, topic, subscription, secret, bucket],
            ),
            ("roles/none", &[]),
        ] {
            for resource in [key, ring, topic, subscription, secret, bucket, "r"] {
                let expected = resources.contains(&resource);
                assert_eq!(is_grantable(role, resource), expected, "{role} {resource}");
            }
        }
    }
}
