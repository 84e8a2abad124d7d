//! The attribute mapping and the attribute condition of a workload identity pool provider, in the Common
//! Expression Language (IAM v1, `workloadIdentityPoolProvider`).
//!
//! An absent claim makes an expression fail, and a failure denies access, except as an operand of `||`.
//! Each alternative below therefore first tests whether the claim is present.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use confidential::claims::{CONFIDENTIAL_SPACE, DEFAULT_AUDIENCE, ISSUER, PRODUCTION};
use content::Digest;
use serde::Serialize;

/// The name of the attribute that holds the digest of the image, as the TEE measured it. Grants name this
/// attribute, not the reference to the image, which the operator writes.
pub const IMAGE_DIGEST: &str = "image_digest";
/// The longest attribute condition, in bytes (IAM v1).
const CONDITION_LIMIT: usize = 4096;
/// The longest allowed audience, in characters (IAM v1).
const AUDIENCE_LIMIT: usize = 256;
/// The image, the operator's project and the machine: at most 122 of the 127 bytes that are allowed. The
/// machine's self link in `assertion.sub` can be longer.
const SUBJECT: &str = "'gcpcs::'+assertion.submods.container.image_digest\
    +'::'+assertion.submods.gce.project_number+'::'+assertion.submods.gce.instance_id";

/// Why there is no provider.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("writing {0}")]
pub struct AdmissionError(String);

/// The mapping of claims to attributes, among them [`IMAGE_DIGEST`].
pub fn attribute_mapping() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("google.subject", SUBJECT),
        (
            "attribute.image_digest",
            "assertion.submods.container.image_digest",
        ),
    ])
}

/// Confidential computing technologies, which deny the operator access to the machine's memory.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Hardware {
    /// AMD SEV.
    AmdSev,
    /// Intel TDX.
    IntelTdx,
}

impl Hardware {
    /// The value of the claim `hwmodel`.
    pub fn claim(self) -> &'static str {
        match self {
            Self::AmdSev => "GCP_AMD_SEV",
            Self::IntelTdx => "GCP_INTEL_TDX",
        }
    }
}

/// The kind of a Confidential Space image.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Kind {
    /// The operator cannot log in to the machine.
    #[default]
    Production,
    /// The operator can log in to the machine, and sees everything: for tests with data that is no secret.
    Debug,
}

impl Kind {
    /// The values of the claim `dbgstat`. Google's pages name the last one in two ways.
    pub fn claims(self) -> &'static [&'static str] {
        match self {
            Self::Production => &[PRODUCTION],
            Self::Debug => &["enabled", "enable"],
        }
    }
}

/// The requirements of a collaborator's provider: hardware that denies the operator access, an image of one kind, and no
/// overrides. The grant on the key, not the provider, names the image that may decrypt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admission {
    kind: Kind,
    hardware: Vec<Hardware>,
    operators: Vec<String>,
    service_accounts: Vec<String>,
    signers: Vec<Digest>,
}

impl Admission {
    /// Requires a production image on one of these technologies. An empty list admits no machine.
    pub fn of(hardware: &[Hardware]) -> Self {
        Self {
            kind: Kind::Production,
            hardware: hardware.to_vec(),
            operators: Vec::new(),
            service_accounts: Vec::new(),
            signers: Vec::new(),
        }
    }

    /// Requires an image of this kind.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Requires a machine of this project, or of another project that was added in this way.
    ///
    /// # Errors
    /// `project` cannot be a project ID.
    pub fn operator(mut self, project: &str) -> Result<Self, AdmissionError> {
        self.operators.push(plain(project, "-:.")?);
        Ok(self)
    }

    /// Requires a machine that runs as this service account, or as another that was added in this way.
    ///
    /// # Errors
    /// `email` cannot be the address of a service account.
    pub fn service_account(mut self, email: &str) -> Result<Self, AdmissionError> {
        self.service_accounts.push(plain(email, "-@.")?);
        Ok(self)
    }

    /// Requires a signature on the image by the key with this digest, and by every other key that was added
    /// in this way.
    pub fn signed_by(mut self, key: Digest) -> Self {
        self.signers.push(key);
        self
    }

    /// The kind of image.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The technologies, of which a machine must have one.
    pub fn hardware(&self) -> &[Hardware] {
        &self.hardware
    }

    /// The projects that may run the image; if empty, any.
    pub fn operators(&self) -> &[String] {
        &self.operators
    }

    /// The service accounts as one of which a machine must run; if empty, any.
    pub fn service_accounts(&self) -> &[String] {
        &self.service_accounts
    }

    /// The digests of the keys that must all have signed the image.
    pub fn signers(&self) -> &[Digest] {
        &self.signers
    }

    /// The attribute condition.
    ///
    /// # Errors
    /// It is longer than IAM allows.
    pub fn condition(&self) -> Result<String, AdmissionError> {
        let text = self.condition_over("assertion");
        match text.len() <= CONDITION_LIMIT {
            true => Ok(text),
            false => Err(AdmissionError(format!(
                "condition: {} bytes are over the limit of {CONDITION_LIMIT}",
                text.len()
            ))),
        }
    }

    /// The condition over claims in a variable of this name, for services other than IAM.
    pub fn condition_over(&self, claims: &str) -> String {
        let mut text = format!("{claims}.swname == '{CONFIDENTIAL_SPACE}'");
        self.write_kind(&mut text, claims);
        let hardware: Vec<_> = self
            .hardware
            .iter()
            .map(|hardware| hardware.claim())
            .collect();
        let _ = write!(text, " && {claims}.hwmodel in {}", list(&hardware));
        self.write_operator(&mut text, claims);
        self.write_signers(&mut text, claims);
        for claim in ["cmd_override", "env_override"] {
            let claim = format!("{claims}.submods.container.{claim}");
            let _ = write!(text, " && (!has({claim}) || size({claim}) == 0)");
        }
        text
    }

    /// A debug image has no `support_attributes`.
    fn write_kind(&self, text: &mut String, claims: &str) {
        let _ = match self.kind {
            Kind::Production => write!(
                text,
                " && {claims}.dbgstat == '{PRODUCTION}' && \
                 'STABLE' in {claims}.submods.confidential_space.support_attributes"
            ),
            Kind::Debug => {
                let values = list(self.kind.claims());
                write!(text, " && {claims}.dbgstat in {values}")
            }
        };
    }

    fn write_operator(&self, text: &mut String, claims: &str) {
        if !self.operators.is_empty() {
            let operators = list(&self.operators);
            let _ = write!(text, " && {claims}.submods.gce.project_id in {operators}");
        }
        if !self.service_accounts.is_empty() {
            let accounts = list(&self.service_accounts);
            let claim = format!("{claims}.google_service_accounts");
            let _ = write!(text, " && {claim}.exists(a, a in {accounts})");
        }
    }

    fn write_signers(&self, text: &mut String, claims: &str) {
        if !self.signers.is_empty() {
            let keys: Vec<_> = self.signers.iter().map(Digest::hex).collect();
            let signed = format!("{claims}.submods.container.image_signatures.map(s, s.key_id)");
            let _ = write!(text, " && {}.all(k, k in {signed})", list(&keys));
        }
    }
}

/// Returns `text` if it consists of letters, digits and the characters in `others` only, so that it
/// cannot end a quoted string.
fn plain(text: &str, others: &str) -> Result<String, AdmissionError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => {
            let shown: String = text.chars().take(80).collect();
            Err(AdmissionError(format!("condition: invalid name {shown:?}")))
        }
    }
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    let quoted: Vec<_> = items
        .iter()
        .map(|item| format!("'{}'", item.as_ref()))
        .collect();
    format!("[{}]", quoted.join(", "))
}

/// The body of a workload identity pool provider (IAM v1).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProvider {
    oidc: Oidc,
    attribute_mapping: BTreeMap<&'static str, &'static str>,
    attribute_condition: String,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Oidc {
    issuer_uri: &'static str,
    allowed_audiences: [String; 1],
}

impl OidcProvider {
    /// The provider of one collaborator. `audience` must be unique to the collaborator, so that a token for
    /// one cannot be replayed to another.
    ///
    /// # Errors
    /// `audience` is [`DEFAULT_AUDIENCE`], empty or too long, or the condition is too long.
    pub fn new(audience: &str, admission: &Admission) -> Result<Self, AdmissionError> {
        let length = audience.chars().count();
        if audience == DEFAULT_AUDIENCE || length == 0 || length > AUDIENCE_LIMIT {
            let shown: String = audience.chars().take(80).collect();
            return Err(AdmissionError(format!(
                "provider: {shown:?} cannot be the audience of one collaborator"
            )));
        }
        Ok(Self {
            oidc: Oidc {
                issuer_uri: ISSUER,
                allowed_audiences: [audience.to_owned()],
            },
            attribute_mapping: attribute_mapping(),
            attribute_condition: admission.condition()?,
        })
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &'static str {
        self.oidc.issuer_uri
    }

    /// The only audience that is accepted.
    pub fn audience(&self) -> &str {
        let [audience] = &self.oidc.allowed_audiences;
        audience
    }

    /// The expressions that map claims to attributes, by attribute.
    pub fn mapping(&self) -> &BTreeMap<&'static str, &'static str> {
        &self.attribute_mapping
    }

    /// The condition that a token must meet.
    pub fn condition(&self) -> &str {
        &self.attribute_condition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission::of(&[Hardware::IntelTdx])
    }

    #[test]
    fn has_all_requirements() {
        let condition = admission().operator("operator").unwrap();
        let condition = condition
            .service_account("run@operator.iam.gserviceaccount.com")
            .unwrap();
        assert_eq!(
            condition.condition().unwrap(),
            "assertion.swname == 'CONFIDENTIAL_SPACE' && assertion.dbgstat == \
             'disabled-since-boot' && 'STABLE' in \
             assertion.submods.confidential_space.support_attributes && assertion.hwmodel in \
             ['GCP_INTEL_TDX'] && assertion.submods.gce.project_id in ['operator'] && \
             assertion.google_service_accounts.exists(a, a in \
             ['run@operator.iam.gserviceaccount.com']) && \
             (!has(assertion.submods.container.cmd_override) || \
             size(assertion.submods.container.cmd_override) == 0) && \
             (!has(assertion.submods.container.env_override) || \
             size(assertion.submods.container.env_override) == 0)"
        );
    }

    #[test]
    fn a_debug_image_is_not_a_production_image() {
        let debug = admission().of_kind(Kind::Debug).condition().unwrap();
        assert!(debug.contains("assertion.dbgstat in ['enabled', 'enable']"));
        assert!(!debug.contains("STABLE"), "{debug}");
        assert!(debug.contains("env_override"), "{debug}");
    }

    #[test]
    fn a_condition_can_be_over_another_variable() {
        let named = admission().operator("assertion.x").unwrap();
        let expected = named.condition().unwrap();
        let expected = expected
            .replace("assertion.", "claims.")
            .replace("'claims.x'", "'assertion.x'");
        assert_eq!(named.condition_over("claims"), expected);
    }

    #[test]
    fn requires_all_signers() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let condition = admission()
            .signed_by(one)
            .signed_by(two)
            .condition()
            .unwrap();
        let expected = format!(
            "['{}', '{}'].all(k, k in \
             assertion.submods.container.image_signatures.map(s, s.key_id))",
            one.hex(),
            two.hex()
        );
        assert!(condition.contains(&expected), "{condition}");
    }

    #[test]
    fn refuses_names_that_end_their_quotes() {
        for name in ["", "a'", "a' || true || 'a", "a\\", "a b", "a\n"] {
            for admitted in [
                admission().operator(name),
                admission().service_account(name),
            ] {
                let expected = format!("writing condition: invalid name {name:?}");
                assert_eq!(admitted.unwrap_err().to_string(), expected);
            }
        }
    }

    #[test]
    fn refuses_a_condition_that_is_too_long() {
        let many = (0..60).fold(admission(), |a, n: u32| {
            a.signed_by(Digest::of(&n.to_be_bytes()))
        });
        let error = many.condition().unwrap_err().to_string();
        let end = " bytes are over the limit of 4096";
        assert!(
            error.starts_with("writing condition: ") && error.ends_with(end),
            "{error}"
        );
    }

    #[test]
    fn the_longest_subject_fits() {
        let digest = Digest::of(b"").to_string();
        let subject = format!("gcpcs::{digest}::{}::{}", u64::MAX, u64::MAX);
        assert!(subject.len() < 127, "{}", subject.len());
        for claim in [
            "container.image_digest",
            "gce.project_number",
            "gce.instance_id",
        ] {
            assert_eq!(SUBJECT.matches(claim).count(), 1, "{claim}");
        }
    }

    #[test]
    fn has_one_audience_and_not_the_default() {
        let provider = OidcProvider::new("https://one.example/countersign", &admission()).unwrap();
        let json = serde_json::to_value(provider).unwrap();
        let audiences = serde_json::json!(["https://one.example/countersign"]);
        assert_eq!(json["oidc"]["allowedAudiences"], audiences);
        assert_eq!(json["oidc"]["issuerUri"], ISSUER);
        assert!(json["attributeMapping"][format!("attribute.{IMAGE_DIGEST}")].is_string());
        for audience in [DEFAULT_AUDIENCE, "", &"a".repeat(257)] {
            let refused = OidcProvider::new(audience, &admission()).err().unwrap();
            let shown: String = audience.chars().take(80).collect();
            assert_eq!(
                refused.to_string(),
                format!("writing provider: {shown:?} cannot be the audience of one collaborator")
            );
        }
    }
}
