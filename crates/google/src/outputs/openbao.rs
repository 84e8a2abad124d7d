//! Providers and grants for OpenBao: the configuration of its authentication method `jwt`, and a CEL role for one image. The role
//! has the same condition as the provider of a pool.

use serde_json::json;

use super::vault::{Vault, configure, needed, write};
use super::{ImageGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable};

pub(super) const OUTPUT: Output = Output {
    name: "openbao",
    about: "Commands that write a CEL role of OpenBao's method jwt",
    print,
};

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "openbao",
    about: "The command that configures OpenBao's method jwt",
    print: provider,
};

/// The variable of the condition, and of the claims in it.
const ADMITTED: &str = "admitted";
const CLAIMS: &str = "claims";

const LOG_IN: &str = "workloads log in at auth/…/cel/login; delete the role to revoke: tokens that it issued stay valid for their lifetime";

fn provider(_: &NewProvider<'_>, settings: &Settings<'_>) -> Result<Printed, Unprintable> {
    let (_, vault) = needed(settings)?;
    Ok(Printed::plain(configure("bao", vault)))
}

/// Without `bound_audiences`, OpenBao checks no audience.
fn print(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let (provider, vault) = needed(&grant.settings)?;
    let path = format!(
        "auth/{}/cel/role/{}",
        vault.mount(),
        vault.role(grant.image)
    );
    let condition = provider.admission.condition_over(CLAIMS);
    let image = format!("{CLAIMS}.submods.container.image_digest");
    let role = json!({
        "bound_audiences": [provider.body.audience()],
        "cel_program": {
            "variables": [{
                "name": ADMITTED,
                "expression": format!("{condition} && {image} == '{}'", grant.image),
            }],
            "expression": format!("{ADMITTED} ? {} : false", token(vault, &image)),
        },
    });
    let text = format!("bao delete {path} && \\\n{}", write("bao", &path, &role));
    Ok(Printed {
        text,
        notes: vec![LOG_IN],
    })
}

/// The token of a workload that is admitted. Its lifetime is in nanoseconds, and begins at `issue_time`, without which there is
/// no token.
fn token(vault: &Vault, image: &str) -> String {
    let policies: Vec<_> = vault.policies();
    let policies = policies.join("', '");
    let lifetime = u64::from(vault.seconds()) * 1_000_000_000;
    format!(
        "pb.Auth{{display_name: 'countersign', policies: ['{policies}'], no_default_policy: true, \
         lease_options: pb.LeaseOptions{{TTL: {lifetime}, issue_time: now}}, alias: logical.Alias{{name: {image}}}}}"
    )
}
