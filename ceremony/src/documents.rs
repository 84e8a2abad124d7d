//! The files that a collaborator writes: its policy and its grant.

use std::path::PathBuf;

use crate::Error;
use crate::cast::{BUILDER, BUILDER_ID, Cast, Collaborator, OPERATOR, PROVIDER, SOURCE_URI};
use crate::cloud;
use crate::stage::Stage;

/// Writes a collaborator's policy: the repository, who must have signed, and that the other collaborator countersigns before
/// the key is bound.
///
/// # Errors
/// It cannot be written.
pub fn policy(
    stage: &Stage,
    cast: &Cast,
    collaborator: &Collaborator,
    repository: &str,
    required: &[&str],
) -> Result<PathBuf, Error> {
    let mut principals = String::new();
    let all = cast.collaborators.iter().map(|c| (c.name, &c.public_key));
    for (name, key) in std::iter::once((BUILDER, &cast.builder_public)).chain(all) {
        let key = key.display().to_string();
        principals += &format!("[[principal]]\nname = {name:?}\nkey = {key:?}\n\n");
    }
    let mut others = cast.collaborators.iter();
    let others = others.find(|other| other.name != collaborator.name);
    let others: Vec<_> = others.map(|other| other.name).into_iter().collect();
    let text = format!(
        "repository = {repository:?}\n\n\
         [builder]\nid = {BUILDER_ID:?}\nbuild_type = \"https://countersign.dev/hermetic-build/v1\"\n\n\
         [source]\nuri = {SOURCE_URI:?}\n\n{principals}\
         [signatures]\nrequire = {required:?}\nthreshold = {}\n\n\
         [countersignatures]\nfrom = {others:?}\n\n\
         [attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [{BUILDER:?}]\n\n\
         [rebuild]\nrequire = true\n",
        required.len(),
    );
    let file = format!(
        "{}/policy-{}.toml",
        collaborator.name,
        repository.replace(['/', ':'], "-")
    );
    stage.write(&file, text)
}

/// A collaborator's grant: which key, to whom.
///
/// # Errors
/// It cannot be written.
pub fn write_grant(stage: &Stage, collaborator: &Collaborator) -> Result<PathBuf, Error> {
    let (key, pool) = (collaborator.data_key(), collaborator.pool());
    let text = grant(collaborator, &key, &pool);
    stage.write(&format!("{}/grant.toml", collaborator.name), text)
}

/// A grant of `key` to a pool with the provider that [`crate::prologue`] makes. The owner of the project owns the key.
pub fn grant(collaborator: &Collaborator, key: &str, pool: &str) -> String {
    format!(
        "key = {key:?}\nrole = {:?}\npool = {pool:?}\n\
         other_members = [\"serviceAccount:owner@{}.iam.gserviceaccount.com\"]\n\n\
         [provider]\nproject = {:?}\nid = {PROVIDER:?}\naudience = {:?}\nhardware = [\"INTEL_TDX\"]\n\
         operators = [{OPERATOR:?}]\n",
        cloud::DECRYPTER,
        collaborator.name,
        collaborator.name,
        collaborator.audience(),
    )
}
