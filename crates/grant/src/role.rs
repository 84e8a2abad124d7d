//! What roles allow, as far as it concerns a key: to decrypt, to decide who may, or neither.
//!
//! The predefined roles that are found in policies of keys are listed here (Cloud KMS, "Permissions and roles"). What other roles allow is
//! learned from IAM (`roles.get`); until then it is unknown, which counts as decryption.

use std::collections::BTreeMap;

/// What the members of a role may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Power {
    /// Use the key to decrypt.
    Decrypt,
    /// Not decrypt, but change who may: the policy, a custom role, or who becomes a member of the pool.
    Administer,
    /// It is not known.
    Unknown,
    /// Neither.
    Neither,
}

/// Predefined roles that allow decryption.
const DECRYPT: &[&str] = &[
    "roles/cloudkms.cryptoKeyDecrypter",
    "roles/cloudkms.cryptoKeyDecrypterViaDelegation",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    "roles/cloudkms.cryptoKeyEncrypterDecrypterViaDelegation",
    "roles/cloudkms.cryptoOperator",
    "roles/owner",
];
/// Predefined roles that allow to change who may decrypt, and no decryption.
const ADMINISTER: &[&str] = &[
    "roles/cloudkms.admin",
    "roles/iam.securityAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/resourcemanager.folderAdmin",
    "roles/resourcemanager.folderIamAdmin",
    "roles/resourcemanager.organizationAdmin",
    "roles/resourcemanager.projectIamAdmin",
];
/// Predefined roles that allow neither.
const NEITHER: &[&str] = &[
    "roles/browser",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterViaDelegation",
    "roles/cloudkms.importer",
    "roles/cloudkms.publicKeyViewer",
    "roles/cloudkms.signer",
    "roles/cloudkms.signerVerifier",
    "roles/cloudkms.verifier",
    "roles/cloudkms.viewer",
    "roles/iam.securityReviewer",
    "roles/viewer",
];

/// Permissions that allow decryption.
const DECRYPTION: &[&str] = &[
    "cloudkms.cryptoKeyVersions.useToDecrypt",
    "cloudkms.cryptoKeyVersions.useToDecryptViaDelegation",
];
/// Permissions that allow to change who may decrypt.
const ADMINISTRATION: &[&str] = &[
    "cloudkms.cryptoKeys.setIamPolicy",
    "cloudkms.keyRings.setIamPolicy",
    "iam.roles.update",
    "iam.workloadIdentityPoolProviders.create",
    "iam.workloadIdentityPoolProviders.undelete",
    "iam.workloadIdentityPoolProviders.update",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "resourcemanager.projects.setIamPolicy",
];

/// What is known about roles.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Roles(BTreeMap<String, Power>);

impl Roles {
    /// What the members of a role may do.
    pub fn power(&self, role: &str) -> Power {
        let is_in = |roles: &[&str]| roles.contains(&role);
        match () {
            () if is_in(DECRYPT) => Power::Decrypt,
            () if is_in(ADMINISTER) => Power::Administer,
            () if is_in(NEITHER) => Power::Neither,
            () => self.0.get(role).copied().unwrap_or(Power::Unknown),
        }
    }

    /// Learns which permissions a role has. What is listed here stays as it is.
    pub fn learn(&mut self, role: String, permissions: &[String]) {
        let has = |wanted: &[&str]| permissions.iter().any(|held| wanted.contains(&&**held));
        let power = match () {
            () if has(DECRYPTION) => Power::Decrypt,
            () if has(ADMINISTRATION) => Power::Administer,
            () => Power::Neither,
        };
        self.0.insert(role, power);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_unknown_until_its_permissions_are_read() {
        let mut roles = Roles::default();
        let role = "projects/one/roles/own";
        assert_eq!(roles.power(role), Power::Unknown);
        for (permissions, power) in [
            (&["logging.logEntries.create"][..], Power::Neither),
            (&[], Power::Neither),
            (&["a", "iam.roles.update"], Power::Administer),
            (
                &[
                    "cloudkms.cryptoKeys.setIamPolicy",
                    "cloudkms.cryptoKeyVersions.useToDecrypt",
                ],
                Power::Decrypt,
            ),
        ] {
            let held: Vec<_> = permissions.iter().map(|&held| held.to_owned()).collect();
            roles.learn(role.to_owned(), &held);
            assert_eq!(roles.power(role), power, "{permissions:?}");
        }
        roles.learn("roles/owner".to_owned(), &[]);
        assert_eq!(roles.power("roles/owner"), Power::Decrypt);
    }
}
