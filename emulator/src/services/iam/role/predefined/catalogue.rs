//! The emulated roles.

use super::Predefined;

/// All of them, in alphabetical order.
pub const ALL: &[Predefined] = &[
    Predefined::new(
        "roles/artifactregistry.admin",
        "Artifact Registry Administrator",
        &["artifactregistry.*"],
    ),
    Predefined::new(
        "roles/artifactregistry.reader",
        "Artifact Registry Reader",
        &["artifactregistry.repositories.downloadArtifacts"],
    ),
    Predefined::new(
        "roles/artifactregistry.writer",
        "Artifact Registry Writer",
        &[
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.repositories.uploadArtifacts",
        ],
    ),
    Predefined::new(
        "roles/browser",
        "Browser",
        &[
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/cloudkms.admin",
        "Cloud KMS Admin",
        &[
            "cloudkms.cryptoKeyVersions.create",
            "cloudkms.cryptoKeyVersions.destroy",
            "cloudkms.cryptoKeyVersions.get",
            "cloudkms.cryptoKeyVersions.list",
            "cloudkms.cryptoKeyVersions.restore",
            "cloudkms.cryptoKeyVersions.update",
            "cloudkms.cryptoKeys.*",
            "cloudkms.keyRings.*",
        ],
    ),
    Predefined::new(
        "roles/cloudkms.cryptoKeyDecrypter",
        "Cloud KMS CryptoKey Decrypter",
        &["cloudkms.cryptoKeyVersions.useToDecrypt"],
    ),
    Predefined::new(
        "roles/cloudkms.cryptoKeyEncrypter",
        "Cloud KMS CryptoKey Encrypter",
        &["cloudkms.cryptoKeyVersions.useToEncrypt"],
    ),
    Predefined::new(
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "Cloud KMS CryptoKey Encrypter/Decrypter",
        &[
            "cloudkms.cryptoKeyVersions.useToEncrypt",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
        ],
    ),
    Predefined::new(
        "roles/cloudkms.publicKeyViewer",
        "Cloud KMS CryptoKey Public Key Viewer",
        &["cloudkms.cryptoKeyVersions.viewPublicKey"],
    ),
    Predefined::new(
        "roles/cloudkms.signer",
        "Cloud KMS CryptoKey Signer",
        &["cloudkms.cryptoKeyVersions.useToSign"],
    ),
    Predefined::new(
        "roles/cloudkms.signerVerifier",
        "Cloud KMS CryptoKey Signer/Verifier",
        &[
            "cloudkms.cryptoKeyVersions.useToSign",
            "cloudkms.cryptoKeyVersions.viewPublicKey",
        ],
    ),
    Predefined::new(
        "roles/cloudkms.viewer",
        "Cloud KMS Viewer",
        &[
            "cloudkms.cryptoKeyVersions.get",
            "cloudkms.cryptoKeyVersions.list",
            "cloudkms.cryptoKeys.get",
            "cloudkms.cryptoKeys.list",
            "cloudkms.keyRings.get",
            "cloudkms.keyRings.list",
        ],
    ),
    Predefined::new("roles/compute.admin", "Compute Admin", &["compute.*"]),
    Predefined::new(
        "roles/compute.instanceAdmin.v1",
        "Compute Instance Admin (v1)",
        &[
            "compute.instances.*",
            "compute.zoneOperations.get",
            "compute.zones.*",
            "compute.projects.get",
        ],
    ),
    Predefined::new(
        "roles/compute.networkAdmin",
        "Compute Network Admin",
        &[
            "compute.networks.*",
            "compute.routers.*",
            "compute.subnetworks.*",
            "compute.zoneOperations.get",
        ],
    ),
    Predefined::new(
        "roles/compute.viewer",
        "Compute Viewer",
        &[
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
        ],
    ),
    Predefined::new(
        "roles/confidentialcomputing.workloadUser",
        "Confidential Space Workload User",
        &["confidentialcomputing.*"],
    ),
    Predefined::new(
        "roles/iam.organizationRoleAdmin",
        "Organization Role Administrator",
        &[
            "iam.roles.*",
            "resourcemanager.organizations.get",
            "resourcemanager.organizations.getIamPolicy",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.list",
        ],
    ),
    Predefined::new(
        "roles/iam.roleAdmin",
        "Role Administrator",
        &[
            "iam.roles.*",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/iam.roleViewer",
        "Role Viewer",
        &[
            "iam.roles.get",
            "iam.roles.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/iam.securityReviewer",
        "Security Reviewer",
        &["*.getIamPolicy", "*.list", "iam.roles.get"],
    ),
    Predefined::new(
        "roles/iam.serviceAccountAdmin",
        "Service Account Admin",
        &["iam.serviceAccounts.*"],
    ),
    Predefined::new(
        "roles/iam.serviceAccountTokenCreator",
        "Service Account Token Creator",
        &[
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
        ],
    ),
    Predefined::new(
        "roles/iam.serviceAccountUser",
        "Service Account User",
        &["iam.serviceAccounts.actAs", "iam.serviceAccounts.get"],
    ),
    Predefined::new(
        "roles/iam.workloadIdentityPoolAdmin",
        "IAM Workload Identity Pool Admin",
        &[
            "iam.workloadIdentityPoolProviders.*",
            "iam.workloadIdentityPools.*",
        ],
    ),
    Predefined::new(
        "roles/iam.workloadIdentityPoolViewer",
        "IAM Workload Identity Pool Viewer",
        &[
            "iam.workloadIdentityPoolProviders.get",
            "iam.workloadIdentityPoolProviders.list",
            "iam.workloadIdentityPools.get",
            "iam.workloadIdentityPools.list",
        ],
    ),
    Predefined::new(
        "roles/iam.workloadIdentityUser",
        "Workload Identity User",
        &["iam.serviceAccounts.getAccessToken"],
    ),
    Predefined::new(
        "roles/logging.logWriter",
        "Logs Writer",
        &["logging.logEntries.create"],
    ),
    Predefined::new(
        "roles/logging.viewer",
        "Logs Viewer",
        &["logging.logEntries.list"],
    ),
    Predefined::new("roles/owner", "Owner", &["*"]),
    Predefined::new(
        "roles/pubsub.admin",
        "Pub/Sub Admin",
        &["pubsub.topics.*", "pubsub.subscriptions.*"],
    ),
    Predefined::new(
        "roles/pubsub.publisher",
        "Pub/Sub Publisher",
        &["pubsub.topics.publish"],
    ),
    Predefined::new(
        "roles/pubsub.subscriber",
        "Pub/Sub Subscriber",
        &[
            "pubsub.subscriptions.consume",
            "pubsub.topics.attachSubscription",
        ],
    ),
    Predefined::new(
        "roles/pubsub.viewer",
        "Pub/Sub Viewer",
        &[
            "pubsub.subscriptions.get",
            "pubsub.subscriptions.list",
            "pubsub.topics.get",
            "pubsub.topics.list",
        ],
    ),
    Predefined::new(
        "roles/resourcemanager.folderAdmin",
        "Folder Admin",
        &[
            "resourcemanager.folders.*",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.list",
            "resourcemanager.projects.setIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/resourcemanager.folderIamAdmin",
        "Folder IAM Admin",
        &[
            "resourcemanager.folders.get",
            "resourcemanager.folders.getIamPolicy",
            "resourcemanager.folders.setIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/resourcemanager.folderViewer",
        "Folder Viewer",
        &[
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
            "resourcemanager.projects.list",
        ],
    ),
    Predefined::new(
        "roles/resourcemanager.organizationAdmin",
        "Organization Administrator",
        &[
            "resourcemanager.folders.*",
            "resourcemanager.organizations.*",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.list",
            "resourcemanager.projects.setIamPolicy",
        ],
    ),
    Predefined::new(
        "roles/resourcemanager.organizationViewer",
        "Organization Viewer",
        &["resourcemanager.organizations.get"],
    ),
    Predefined::new(
        "roles/resourcemanager.projectIamAdmin",
        "Project IAM Admin",
        &["resourcemanager.projects.*"],
    ),
    Predefined::new(
        "roles/secretmanager.admin",
        "Secret Manager Admin",
        &["secretmanager.*"],
    ),
    Predefined::new(
        "roles/secretmanager.secretAccessor",
        "Secret Manager Secret Accessor",
        &["secretmanager.versions.access"],
    ),
    Predefined::new(
        "roles/secretmanager.secretVersionAdder",
        "Secret Manager Secret Version Adder",
        &["secretmanager.versions.add"],
    ),
    Predefined::new(
        "roles/secretmanager.secretVersionManager",
        "Secret Manager Secret Version Manager",
        &[
            "secretmanager.versions.add",
            "secretmanager.versions.destroy",
            "secretmanager.versions.disable",
            "secretmanager.versions.enable",
            "secretmanager.versions.get",
            "secretmanager.versions.list",
        ],
    ),
    Predefined::new(
        "roles/secretmanager.viewer",
        "Secret Manager Viewer",
        &[
            "secretmanager.secrets.get",
            "secretmanager.secrets.getIamPolicy",
            "secretmanager.secrets.list",
            "secretmanager.versions.get",
            "secretmanager.versions.list",
        ],
    ),
    Predefined::new("roles/storage.admin", "Storage Admin", &["storage.*"]),
    Predefined::new(
        "roles/storage.objectAdmin",
        "Storage Object Admin",
        &["storage.objects.*"],
    ),
    Predefined::new(
        "roles/storage.objectCreator",
        "Storage Object Creator",
        &["storage.objects.create"],
    ),
    Predefined::new(
        "roles/storage.objectUser",
        "Storage Object User",
        &[
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.update",
        ],
    ),
    Predefined::new(
        "roles/storage.objectViewer",
        "Storage Object Viewer",
        &["storage.objects.get", "storage.objects.list"],
    ),
];
