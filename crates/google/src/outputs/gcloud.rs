//! Grants and providers as commands of gcloud.

use serde_json::json;

use super::{
    ImageGrant, KeyGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable,
};

pub(super) const OUTPUT: Output = Output {
    name: "gcloud",
    about: "A gcloud command",
    print,
};

/// Google's documentation says two minutes, and sometimes seven or more.
const SLOW: &str = "it takes minutes until Google admits members of a new pool or provider: repeat what is refused for ten minutes, \
                    and loosen nothing";

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "gcloud",
    about: "Commands of gcloud, and the file that they read",
    print: provider,
};

/// The commands that create a pool and its provider. The condition is in a file: a shell would expand it, and gcloud would split a
/// mapping at the commas in its expressions.
fn provider(new: &NewProvider<'_>, _: &Settings<'_>) -> Result<Printed, Unprintable> {
    let (project, pool, id) = (new.project, new.provider.pool().id(), new.provider.id());
    let body = json!(new.body);
    let flags = json!({
        "--location": "global",
        "--workload-identity-pool": pool,
        "--issuer-uri": body["oidc"]["issuerUri"],
        "--allowed-audiences": body["oidc"]["allowedAudiences"],
        "--attribute-mapping": body["attributeMapping"],
        "--attribute-condition": body["attributeCondition"],
    });
    let text = format!(
        "gcloud iam workload-identity-pools create {pool} --project={project} --location=global\n\
         cat >{id}.yaml <<'END'\n{flags:#}\nEND\n\
         gcloud iam workload-identity-pools providers create-oidc {id} --project={project} --flags-file={id}.yaml"
    );
    Ok(Printed {
        text,
        notes: vec![SLOW],
    })
}

fn print(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    Ok(Printed::plain(add(&grant.granted)))
}

/// The command that grants.
pub fn add(grant: &KeyGrant<'_>) -> String {
    // Without `--condition`, gcloud asks at the terminal if the policy has conditions.
    let command = command("add-iam-policy-binding", grant);
    format!("{command} \\\n  --condition=None")
}

/// The command that revokes, under all conditions: a grant that remains under a condition would still
/// allow use of the key.
pub fn remove(grant: &KeyGrant<'_>) -> String {
    let command = command("remove-iam-policy-binding", grant);
    format!("{command} \\\n  --all")
}

fn command(verb: &str, grant: &KeyGrant<'_>) -> String {
    let KeyGrant { key, role, member } = grant;
    let (ring, location) = (key.ring(), key.ring().location());
    format!(
        "gcloud kms keys {verb} {} \\\n  --project={} --location={} --keyring={} \\\n  --role={role} \\\n  \
         --member={}",
        key.id(),
        location.project(),
        location.id(),
        ring.id(),
        quoted(&member.to_string())
    )
}

/// Quotes a word for a POSIX shell. Names of keys and roles need no quotes: they have no special
/// characters.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(print: fn(&KeyGrant<'_>) -> String, member: &str) -> String {
        print(&KeyGrant {
            key: &"projects/one/locations/global/keyRings/r/cryptoKeys/k"
                .parse()
                .unwrap(),
            role: &"roles/cloudkms.cryptoKeyDecrypter".parse().unwrap(),
            member: &member.parse().unwrap(),
        })
    }

    const POOL: &str =
        "iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/pool";

    #[test]
    fn a_command_names_key_role_and_member() {
        let member = format!("principalSet://{POOL}/attribute.image_digest/sha256:1");
        let rest = format!(
            " k \\\n  --project=one --location=global --keyring=r \\\n  \
             --role=roles/cloudkms.cryptoKeyDecrypter \\\n  --member='{member}' \\\n  "
        );
        let command = |verb, end| format!("gcloud kms keys {verb}{rest}{end}");
        let added = command("add-iam-policy-binding", "--condition=None");
        assert_eq!(print(add, &member), added);
        let removed = command("remove-iam-policy-binding", "--all");
        assert_eq!(print(remove, &member), removed);
    }

    #[test]
    fn a_member_cannot_end_its_quotes() {
        let printed = print(add, &format!("principal://{POOL}/subject/a'; b"));
        let expected = format!(r"--member='principal://{POOL}/subject/a'\''; b' ");
        assert!(printed.contains(&expected), "{printed}");
    }
}
