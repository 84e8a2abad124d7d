//! Providers and grants for HashiCorp Vault: the configuration of its authentication method `jwt`, and a role for one image.
//!
//! A role compares claims with values. It cannot require that a claim is absent, so that it admits tokens of an image whose
//! command or environment the operator has overridden; and it cannot require that several keys have signed.

use std::fmt;

use confidential::claims::{CONFIDENTIAL_SPACE, ISSUER};
use content::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ImageGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable};
use crate::admission::{Admission, Kind};
use crate::name::{is_id, name};

pub(super) const OUTPUT: Output = Output {
    name: "vault",
    about: "Commands that write a role of Vault's method jwt",
    print,
};

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "vault",
    about: "The command that configures Vault's method jwt",
    print: provider,
};

/// The longest name of a mount, a role or a policy.
const NAME: usize = 128;
/// How many hexadecimal digits of the image's digest are in the name of its role.
const SHORT: usize = 12;
/// The lifetime of a Vault token in seconds, unless the grant says otherwise.
const LIFETIME: u32 = 300;
/// The longest lifetime: that of an attestation token.
const LONGEST: u32 = 3600;
/// How far the times of a token may be off, in seconds: Vault's values, written so that no other ones stay in force.
const EXPIRATION_LEEWAY: u32 = 150;
const NOT_BEFORE_LEEWAY: u32 = 150;
const CLOCK_SKEW_LEEWAY: u32 = 60;

const ADMITS_OVERRIDES: &str = "Vault cannot require that a claim is absent: an image whose command or environment the operator has overridden \
                                logs in too, unless its launch policy forbids overrides";
const NO_SIGNERS: &str = "Vault cannot require that several keys have signed: the role does not require the provider's signers";
const REVOKE: &str =
    "delete the role to revoke; Vault tokens that it issued stay valid for their lifetime";

/// `[vault]` of a grant: what workloads may do in Vault or OpenBao after they have logged in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    #[serde(default = "Name::mount")]
    mount: Name,
    #[serde(default = "Name::role")]
    role: Name,
    policies: Policies,
    #[serde(default)]
    lifetime_seconds: Lifetime,
    #[serde(default)]
    accepts_overrides: bool,
}

/// The path of a mount, or the name of a role or a policy: letters, digits and the characters `-_./`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
struct Name(String);

name!(
    Name,
    "letters, digits and the characters `-`, `_`, `.` and `/`"
);

impl Name {
    fn read(text: &str) -> Option<Self> {
        let is_right = is_id(text, "-_./") && !text.ends_with('/') && text.len() <= NAME;
        is_right.then(|| Self(text.to_owned()))
    }

    fn mount() -> Self {
        Self("jwt".to_owned())
    }

    fn role() -> Self {
        Self("countersign".to_owned())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// At least one policy: a token without one can do nothing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Vec<Name>")]
struct Policies(Vec<Name>);

impl TryFrom<Vec<Name>> for Policies {
    type Error = &'static str;

    fn try_from(names: Vec<Name>) -> Result<Self, Self::Error> {
        match names.is_empty() {
            true => Err("expected the name of a policy"),
            false => Ok(Self(names)),
        }
    }
}

/// The lifetime of a Vault token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "u32")]
struct Lifetime(u32);

impl Default for Lifetime {
    fn default() -> Self {
        Self(LIFETIME)
    }
}

impl TryFrom<u32> for Lifetime {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, Self::Error> {
        match (1..=LONGEST).contains(&seconds) {
            true => Ok(Self(seconds)),
            false => Err(format!("expected 1 to {LONGEST} seconds, found {seconds}")),
        }
    }
}

impl Vault {
    /// The path of the authentication method, below `auth/`.
    pub(super) fn mount(&self) -> String {
        self.mount.to_string()
    }

    /// The name of the role for an image: each image has its own, so that a new one is written before an old one is deleted.
    pub(super) fn role(&self, image: &Digest) -> String {
        format!("{}-{}", self.role, &image.hex()[..SHORT])
    }

    /// The policies of the tokens.
    pub(super) fn policies(&self) -> Vec<&str> {
        self.policies.0.iter().map(|name| name.0.as_str()).collect()
    }

    /// The lifetime of the tokens in seconds.
    pub(super) fn seconds(&self) -> u32 {
        self.lifetime_seconds.0
    }
}

/// What both Vault and OpenBao need.
pub(super) fn needed<'a>(
    settings: &Settings<'a>,
) -> Result<(NewProvider<'a>, &'a Vault), Unprintable> {
    let provider = settings.provider.ok_or(Unprintable::Provider)?;
    Ok((provider, settings.vault.ok_or(Unprintable::Vault)?))
}

/// The command that configures the method. The issuer is compared byte for byte.
pub(super) fn configure(program: &str, vault: &Vault) -> String {
    let config = json!({
        "oidc_discovery_url": ISSUER,
        "bound_issuer": ISSUER,
        "jwt_supported_algs": ["RS256"],
    });
    let mount = vault.mount();
    format!(
        "{program} auth enable -path={mount} jwt && \\\n{}",
        write(program, &format!("auth/{mount}/config"), &config)
    )
}

/// The command that writes `body`, which has a line for each member, so that none ends the document.
pub(super) fn write(program: &str, path: &str, body: &Value) -> String {
    format!("{program} write {path} - <<'END'\n{body:#}\nEND")
}

fn provider(_: &NewProvider<'_>, settings: &Settings<'_>) -> Result<Printed, Unprintable> {
    let (_, vault) = needed(settings)?;
    Ok(Printed::plain(configure("vault", vault)))
}

fn print(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let (provider, vault) = needed(&grant.settings)?;
    if !vault.accepts_overrides {
        return Err(Unprintable::Overrides);
    }
    let mut notes = vec![ADMITS_OVERRIDES, REVOKE];
    if !provider.admission.signers().is_empty() {
        notes.push(NO_SIGNERS);
    }
    let path = format!("auth/{}/role/{}", vault.mount(), vault.role(grant.image));
    let role = role(&provider, vault, grant.image);
    // A write keeps the members that it does not name: nothing is written if the deletion fails.
    let text = format!(
        "vault delete {path} && \\\n{}",
        write("vault", &path, &role)
    );
    Ok(Printed { text, notes })
}

fn role(provider: &NewProvider<'_>, vault: &Vault, image: &Digest) -> Value {
    let lifetime = format!("{}s", vault.seconds());
    json!({
        "role_type": "jwt",
        "user_claim": "/submods/container/image_digest",
        "user_claim_json_pointer": true,
        "bound_audiences": [provider.body.audience()],
        "bound_claims_type": "string",
        "bound_claims": claims(provider.admission, image),
        "token_policies": vault.policies(),
        "token_no_default_policy": true,
        "token_ttl": lifetime,
        "token_max_ttl": lifetime,
        "token_period": 0,
        "claim_mappings": {},
        "expiration_leeway": EXPIRATION_LEEWAY,
        "not_before_leeway": NOT_BEFORE_LEEWAY,
        "clock_skew_leeway": CLOCK_SKEW_LEEWAY,
    })
}

/// The claims and the values of which one is required. A list of claims meets a list of values if they have one in common.
fn claims(admission: &Admission, image: &Digest) -> Value {
    let hardware: Vec<_> = admission.hardware().iter().map(|one| one.claim()).collect();
    let mut claims = json!({
        "swname": CONFIDENTIAL_SPACE,
        "dbgstat": admission.kind().claims(),
        "hwmodel": hardware,
        "/submods/container/image_digest": [image],
    });
    if admission.kind() == Kind::Production {
        claims["/submods/confidential_space/support_attributes"] = json!("STABLE");
    }
    for (claim, values) in [
        ("/submods/gce/project_id", admission.operators()),
        ("google_service_accounts", admission.service_accounts()),
    ] {
        if !values.is_empty() {
            claims[claim] = json!(values);
        }
    }
    claims
}
