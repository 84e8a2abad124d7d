/// Whether a role contains a permission.
pub(super) fn has(role: &str, permission: &str) -> bool {
    permissions(role).iter().any(|held| {
        *held == permission
            || held
                .strip_suffix('*')
                .is_some_and(|all| permission.starts_with(all))
    })
}

/// The permissions of the emulated roles (IAM, "Roles and permissions"); empty for other roles.
pub(super) fn permissions(role: &str) -> &'static [&'static str] {
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
        "roles/owner" => &["*"],
        _ => &[],
    }
}
