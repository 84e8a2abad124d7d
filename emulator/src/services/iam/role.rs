//! Roles: predefined ones, and the custom ones of projects and organisations.

pub mod custom;
pub mod permissions;
pub mod predefined;

use self::custom::CustomRoles;
use self::predefined::Predefined;

/// Whether a role contains a permission.
pub(super) fn has(custom: &CustomRoles, role: &str, permission: &str) -> bool {
    match Predefined::named(role) {
        Some(role) => role.has(permission),
        None => custom.has(role, permission),
    }
}

/// The roles that can be granted on a resource.
#[derive(Clone, Copy)]
pub struct Grantable<'a> {
    /// The custom roles.
    pub custom: &'a CustomRoles,
    /// What the resource belongs to, and itself: `projects/ID`, `folders/NUMBER` and `organizations/NUMBER`. Custom roles of others
    /// cannot be granted.
    pub owners: &'a [String],
}

impl Grantable<'_> {
    /// Whether a role can be granted on a resource: it has a permission that such resources check (IAM,
    /// `QueryGrantableRoles`).
    pub(super) fn includes(self, role: &str, resource: &str) -> bool {
        let prefix = match resource.rsplit('/').nth(1) {
            Some("keyRings" | "cryptoKeys") => "cloudkms.",
            Some("topics") => "pubsub.topics.",
            Some("subscriptions") => "pubsub.subscriptions.",
            Some("secrets") => "secretmanager.",
            Some("buckets") => "storage.",
            Some("serviceAccounts") => "iam.serviceAccounts.",
            Some("repositories") => "artifactregistry.repositories.",
            // All resources below inherit their policies.
            Some("projects" | "folders" | "organizations") => "",
            _ => return false,
        };
        match Predefined::named(role) {
            Some(role) => role.permissions().any(|held| held.starts_with(prefix)),
            None => {
                let held = self.custom_permissions(role);
                held.iter().any(|held| held.starts_with(prefix))
            }
        }
    }

    /// The permissions of a custom role of one of the owners; empty for other roles.
    fn custom_permissions(&self, role: &str) -> &[String] {
        let is_own = |owner: &String| {
            let rest = role.strip_prefix(owner.as_str());
            rest.is_some_and(|rest| rest.starts_with("/roles/"))
        };
        match self.owners.iter().any(is_own) {
            true => self.custom.permissions(role).unwrap_or_default(),
            false => &[],
        }
    }
}

/// Whether a role is one of the basic roles, which apply to all services.
pub(super) fn is_basic(role: &str) -> bool {
    ["roles/owner", "roles/editor", "roles/viewer"].contains(&role)
}

#[cfg(test)]
mod tests {
    use super::custom::CustomRole;
    use super::*;

    #[test]
    fn roles_are_for_resources_of_their_service() {
        let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
        let ring = "projects/p/locations/global/keyRings/r";
        let (topic, subscription) = ("projects/p/topics/t", "projects/p/subscriptions/s");
        let (secret, bucket) = ("projects/1/secrets/s", "projects/_/buckets/b");
        let repository = "projects/p/locations/us/repositories/images";
        let custom = CustomRoles::default();
        let grantable = Grantable {
            custom: &custom,
            owners: &[],
        };
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
                assert_eq!(
                    grantable.includes(role, resource),
                    expected,
                    "{role} {resource}"
                );
            }
        }
    }

    #[test]
    fn a_custom_role_is_for_resources_of_its_owner() {
        let mut custom = CustomRoles::default();
        let opener = CustomRole {
            permissions: vec!["cloudkms.cryptoKeyVersions.useToDecrypt".to_owned()],
            ..CustomRole::default()
        };
        for name in ["projects/p/roles/opener", "organizations/3/roles/opener"] {
            let name = name.parse().unwrap();
            custom.create(&name, opener.clone()).unwrap();
        }
        let owners = ["projects/p".to_owned(), "organizations/3".to_owned()];
        let grantable = |owners| Grantable {
            custom: &custom,
            owners,
        };
        let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
        let own = grantable(&owners[..]);
        for (role, resource, expected) in [
            ("projects/p/roles/opener", key, true),
            ("organizations/3/roles/opener", key, true),
            ("projects/p/roles/opener", "projects/p", true),
            ("projects/p/roles/opener", "projects/p/topics/t", false),
            ("projects/p/roles/other", key, false),
            ("projects/other/roles/opener", key, false),
        ] {
            assert_eq!(own.includes(role, resource), expected, "{role} {resource}");
        }
        let other = grantable(&owners[..1]);
        assert!(!other.includes("organizations/3/roles/opener", key));
        let none = grantable(&[]);
        assert!(!none.includes("projects/p/roles/opener", key));
    }
}
