//! Grants as commands, for people who want to read before they run.

use crate::binding::Binding;
use crate::grant::{Grant, KeyName};

/// The command that grants.
pub fn add(binding: &Binding) -> String {
    let verb = "add-iam-policy-binding";
    let (key, role, member) = (binding.key(), binding.role(), binding.member());
    // Without a word on conditions gcloud asks at the terminal as soon as the policy holds any.
    format!(
        "{} \\\n  --condition=None",
        command(verb, key, role, member)
    )
}

/// The command that takes the grant for `digest` away, under whatever condition it stands: what is
/// left under one would still open the key.
pub fn remove(grant: &Grant, digest: &content::Digest) -> String {
    let verb = "remove-iam-policy-binding";
    let (key, role, member) = (grant.key(), grant.role(), grant.member(digest));
    format!("{} \\\n  --all", command(verb, key, role, &member))
}

fn command(verb: &str, name: &KeyName, role: &str, member: &str) -> String {
    let KeyName {
        project,
        location,
        ring,
        key,
    } = name;
    format!(
        "gcloud kms keys {verb} {key} \\\n  --project={project} --location={location} \
         --keyring={ring} \\\n  --role={role} \\\n  --member='{member}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_key_role_and_member() {
        let grant = Grant::parse(crate::grant::tests::GOOD.as_bytes()).unwrap();
        let digest = content::Digest::of(b"x");
        let text = remove(&grant, &digest);
        assert_eq!(
            text,
            format!(
                "gcloud kms keys remove-iam-policy-binding k \\\n  --project=one \
                 --location=global --keyring=r \\\n  --role=roles/cloudkms.cryptoKeyDecrypter \\\n  \
                 --member='principalSet://iam.googleapis.com/projects/1234/locations/global/\
                 workloadIdentityPools/trusted/attribute.image_digest/{digest}' \\\n  --all"
            )
        );
    }
}
