//! Policies for a collaborator: what an image needs before it may use the collaborator's key, and the grant.

use toml::Value;

use super::found::Open;
use super::origin::Origin;

/// The release policy.
pub(super) const RELEASE: &str = "policies/release.toml";
/// The grant.
pub(super) const GRANT: &str = "policies/grant.toml";

/// The URI of a source that is not known.
const UNKNOWN: &str = "git+https://source.example/program";

/// The text of the release policy.
pub(super) fn release(origin: &Origin) -> String {
    let uri = origin.uri.as_deref().unwrap_or(UNKNOWN);
    let (uri, directory) = (Value::from(uri), Value::from(origin.directory.as_str()));
    format!(
        "\
# What an image needs before it may use a collaborator's key: `verifier verify REF --policy release.toml --source …` appraises it.

# The repository of the image.
repository = \"registry.example/builder/program\"

# Who builds it: `builder build --builder-id`. This is what cloudbuild.yaml names.
[builder]
id = \"https://cloudbuild.googleapis.com/countersign\"
build_type = \"https://countersign.dev/hermetic-build/v1\"

# What it is built from: `builder build --source-uri`, and the directory of Image.toml.
[source]
uri = {uri}
directory = {directory}

# Whose signatures count, by their public keys. Paths are relative to this file.
[[principal]]
name = \"builder\"
key = \"builder.pub\"

[signatures]
require = [\"builder\"]
threshold = 1

[attestations]
require = [\"provenance\", \"sbom\"]
by = [\"builder\"]

# The collaborator builds the image as well, and gets the same bytes.
[rebuild]
require = true
"
    )
}

/// What is left to the user in the release policy.
pub(super) fn release_open(origin: &Origin) -> Vec<Open> {
    let open = |entry: &str, what: &str| Open::new(RELEASE, entry, what);
    let uri = open(
        "source.uri",
        "name the repository: it has no origin from which others can clone it",
    );
    let mut all = vec![
        open(
            "repository",
            "name the repository that the image is pushed to",
        ),
        open(
            "builder.id",
            "name the builder, as `builder build --builder-id` does",
        ),
        open(
            "principal.key",
            "put the builder's public key there, as `builder keygen` writes it",
        ),
    ];
    if origin.uri.is_none() {
        all.push(uri);
    }
    all
}

/// The text of the grant.
pub(super) fn grant() -> String {
    "\
# What a collaborator grants to an approved image: `verifier authorize REF --policy release.toml --grant grant.toml` binds its
# digest, and `verifier provider --grant grant.toml` prints the pool and the provider.

# The Cloud KMS key that decrypts the collaborator's data, and the role on it.
key = \"projects/collaborator/locations/global/keyRings/ring/cryptoKeys/data\"
role = \"roles/cloudkms.cryptoKeyDecrypter\"

# The workload identity pool, by the number of the collaborator's project.
pool = \"projects/123456789012/locations/global/workloadIdentityPools/confidential-space\"

[provider]
project = \"collaborator\"
id = \"attest\"
audience = \"https://collaborator.example/countersign\"
hardware = [\"INTEL_TDX\"]
# The projects that may run the image.
operators = [\"operator\"]
"
    .to_owned()
}

/// What is left to the user in the grant.
pub(super) fn grant_open() -> Vec<Open> {
    [
        ("key", "name the key that encrypts the collaborator's data"),
        (
            "pool",
            "name the pool, by the number of the collaborator's project",
        ),
        (
            "provider.project",
            "name the collaborator's project, by its ID",
        ),
        (
            "provider.audience",
            "choose an audience of the collaborator's own, a URL",
        ),
        (
            "provider.operators",
            "name the project that the image runs in",
        ),
    ]
    .into_iter()
    .map(|(entry, what)| Open::new(GRANT, entry, what))
    .collect()
}
