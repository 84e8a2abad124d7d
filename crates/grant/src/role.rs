//! What roles allow, as far as it concerns a key: to decrypt, to decide who may, or neither.
//!
//! The predefined roles that are found in policies of keys are listed here (Cloud KMS, "Permissions and roles"). What other roles allow is
//! learned from IAM (`roles.get`). A role that could not be read is unknown, which is not the same as that it allows neither.

use std::collections::BTreeMap;

use crate::unread::Unread;

/// What the members of a role may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Power {
    /// Use the key to decrypt.
    Decrypt,
    /// Not decrypt, but change who may: the policy, a custom role, what the key inherits, or who becomes a member of the pool.
    Administer,
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
    "roles/iam.organizationRoleAdmin",
    "roles/iam.roleAdmin",
    "roles/iam.securityAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/resourcemanager.folderAdmin",
    "roles/resourcemanager.folderIamAdmin",
    "roles/resourcemanager.folderMover",
    "roles/resourcemanager.organizationAdmin",
    "roles/resourcemanager.projectIamAdmin",
    "roles/resourcemanager.projectMover",
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
/// Permissions that allow to change who may decrypt: with `setIamPolicy`, directly; with `iam.roles`, by what a custom role that has members
/// allows, or by bringing back one that was deleted, whose bindings stay in policies ("Create and manage custom roles"); with `move`, by what the
/// key inherits, since a project or folder inherits the policies of its new parent ("Moving a project"); with `workloadIdentityPoolProviders`, by
/// who is admitted to a pool.
const ADMINISTRATION: &[&str] = &[
    "cloudkms.cryptoKeys.setIamPolicy",
    "cloudkms.keyRings.setIamPolicy",
    "iam.roles.undelete",
    "iam.roles.update",
    "iam.workloadIdentityPoolProviders.create",
    "iam.workloadIdentityPoolProviders.undelete",
    "iam.workloadIdentityPoolProviders.update",
    "resourcemanager.folders.move",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "resourcemanager.projects.move",
    "resourcemanager.projects.setIamPolicy",
];

/// What is known about roles.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Roles(BTreeMap<String, Result<Power, Unread>>);

impl Roles {
    /// What the members of a role may do.
    ///
    /// # Errors
    /// It is not known, for this reason.
    pub fn power(&self, role: &str) -> Result<Power, Unread> {
        let is_in = |roles: &[&str]| roles.contains(&role);
        match self.0.get(role) {
            _ if is_in(DECRYPT) => Ok(Power::Decrypt),
            _ if is_in(ADMINISTER) => Ok(Power::Administer),
            _ if is_in(NEITHER) => Ok(Power::Neither),
            Some(known) => known.clone(),
            None => Err(Unread {
                fault: format!("{role} was not read"),
                hint: "look up what the role allows",
            }),
        }
    }

    /// Learns which permissions a role has, or why that could not be read. What is listed here stays as it is.
    pub fn learn(&mut self, role: String, permissions: Result<Vec<String>, Unread>) {
        self.0.insert(role, permissions.map(|held| power(&held)));
    }
}

/// What permissions allow.
fn power(permissions: &[String]) -> Power {
    let has = |wanted: &[&str]| permissions.iter().any(|held| wanted.contains(&&**held));
    match () {
        () if has(DECRYPTION) => Power::Decrypt,
        () if has(ADMINISTRATION) => Power::Administer,
        () => Power::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_that_let_their_holder_gain_the_key_are_known() {
        for (permissions, expected) in [
            (&[][..], Power::Neither),
            (&["logging.logEntries.create"], Power::Neither),
            (&["cloudkms.cryptoKeys.get"], Power::Neither),
            (&["cloudkms.cryptoKeys.getIamPolicy"], Power::Neither),
            (&["cloudkms.cryptoKeyVersions.useToEncrypt"], Power::Neither),
            (&["iam.roles.get"], Power::Neither),
            (&["resourcemanager.projects.get"], Power::Neither),
            (&["cloudkms.cryptoKeyVersions.useToDecrypt"], Power::Decrypt),
            (
                &["cloudkms.cryptoKeyVersions.useToDecryptViaDelegation"],
                Power::Decrypt,
            ),
            (&["cloudkms.cryptoKeys.setIamPolicy"], Power::Administer),
            (&["cloudkms.keyRings.setIamPolicy"], Power::Administer),
            (&["iam.roles.undelete"], Power::Administer),
            (&["iam.roles.update"], Power::Administer),
            (
                &["iam.workloadIdentityPoolProviders.create"],
                Power::Administer,
            ),
            (
                &["iam.workloadIdentityPoolProviders.undelete"],
                Power::Administer,
            ),
            (
                &["iam.workloadIdentityPoolProviders.update"],
                Power::Administer,
            ),
            (&["resourcemanager.folders.move"], Power::Administer),
            (&["resourcemanager.folders.setIamPolicy"], Power::Administer),
            (
                &["resourcemanager.organizations.setIamPolicy"],
                Power::Administer,
            ),
            (&["resourcemanager.projects.move"], Power::Administer),
            (
                &["resourcemanager.projects.setIamPolicy"],
                Power::Administer,
            ),
            (&["a", "iam.roles.update"], Power::Administer),
            (
                &[
                    "cloudkms.cryptoKeys.setIamPolicy",
                    "cloudkms.cryptoKeyVersions.useToDecrypt",
                ],
                Power::Decrypt,
            ),
        ] {
            let mut roles = Roles::default();
            let role = "projects/one/roles/own";
            let held = permissions.iter().map(|&held| held.to_owned()).collect();
            roles.learn(role.to_owned(), Ok(held));
            assert_eq!(roles.power(role), Ok(expected), "{permissions:?}");
        }
    }

    #[test]
    fn a_role_is_unknown_until_its_permissions_are_read() {
        let mut roles = Roles::default();
        let role = "projects/one/roles/own";
        assert!(roles.power(role).unwrap_err().fault.contains(role));
        let unread = Unread {
            fault: "status 403".to_owned(),
            hint: "ask",
        };
        roles.learn(role.to_owned(), Err(unread.clone()));
        assert_eq!(roles.power(role), Err(unread));
        roles.learn("roles/owner".to_owned(), Ok(Vec::new()));
        assert_eq!(roles.power("roles/owner"), Ok(Power::Decrypt));
    }
}
