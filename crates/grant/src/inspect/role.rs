//! Which roles allow decryption, or to change the policy.

/// The predefined roles that are found in policies of keys and do not have `cloudkms.cryptoKeyVersions.useToDecrypt` (Cloud KMS,
/// "Permissions and roles"). Whoever administers a key may admit others to it, and is not counted as one who may decrypt.
const WITHOUT_DECRYPTION: &[&str] = &[
    "roles/browser",
    "roles/cloudkms.admin",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterViaDelegation",
    "roles/cloudkms.importer",
    "roles/cloudkms.publicKeyViewer",
    "roles/cloudkms.signer",
    "roles/cloudkms.signerVerifier",
    "roles/cloudkms.verifier",
    "roles/cloudkms.viewer",
    "roles/iam.securityAdmin",
    "roles/iam.securityReviewer",
    "roles/viewer",
];

/// The predefined roles without decryption whose members may change the policy (Cloud KMS, "Permissions and roles").
const ADMINISTRATION: &[&str] = &["roles/cloudkms.admin", "roles/iam.securityAdmin"];

/// Whether the members of a role may change the policy, and not decrypt.
pub(super) fn may_administer(role: &str) -> bool {
    ADMINISTRATION.contains(&role)
}

/// Whether the members of a role may decrypt. Custom roles and roles that are not known here may.
pub(super) fn may_decrypt(role: &str) -> bool {
    !WITHOUT_DECRYPTION.contains(&role)
}
