//! `[provider]` of a grant: the provider that admits workloads to the pool.

use content::Digest;
use google::admission::{Admission, AdmissionError, Hardware, Kind, OidcProvider};
use google::identity::{Pool, Provider};
use google::outputs::NewProvider;
use google::{InvalidName, ProjectId};
use serde::Deserialize;

/// A description of a provider that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProvider {
    /// A name is of another form.
    #[error("`provider.project`: {0}")]
    Project(#[from] InvalidName),
    /// The ID is of another form.
    #[error(
        "`provider.id`: expected 4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-, found {0:?}"
    )]
    Id(String),
    /// No machine would be admitted.
    #[error("`provider.hardware`: expected INTEL_TDX, AMD_SEV or both")]
    NoHardware,
    /// The condition or the audience is invalid.
    #[error("`provider`: {0}")]
    Admission(#[from] AdmissionError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    project: String,
    id: String,
    audience: String,
    hardware: Vec<Technology>,
    #[serde(default)]
    operators: Vec<String>,
    #[serde(default)]
    service_accounts: Vec<String>,
    #[serde(default)]
    signers: Vec<Digest>,
}

#[derive(Clone, Copy, Deserialize)]
enum Technology {
    #[serde(rename = "INTEL_TDX")]
    IntelTdx,
    #[serde(rename = "AMD_SEV")]
    AmdSev,
}

/// The provider of a grant: it admits images of Confidential Space of the grant's kind without overrides, on the hardware and of
/// the operators that the grant names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GrantedProvider {
    project: ProjectId,
    provider: Provider,
    admission: Admission,
    body: OidcProvider,
}

impl GrantedProvider {
    /// The name of the provider.
    pub fn name(&self) -> &Provider {
        &self.provider
    }

    /// Who is admitted, and how claims become attributes.
    pub fn body(&self) -> &OidcProvider {
        &self.body
    }

    /// The provider, to be printed.
    pub fn to_create(&self) -> NewProvider<'_> {
        NewProvider {
            project: &self.project,
            provider: &self.provider,
            admission: &self.admission,
            body: &self.body,
        }
    }
}

impl Entry {
    pub(super) fn resolve(
        self,
        pool: &Pool,
        kind: Kind,
    ) -> Result<GrantedProvider, InvalidProvider> {
        let admission = self.admission()?.of_kind(kind);
        let provider = Provider::new(pool.clone(), &self.id);
        Ok(GrantedProvider {
            project: self.project.parse()?,
            provider: provider.ok_or(InvalidProvider::Id(self.id))?,
            body: OidcProvider::new(&self.audience, &admission)?,
            admission,
        })
    }

    fn admission(&self) -> Result<Admission, InvalidProvider> {
        let hardware: Vec<_> = self.hardware.iter().map(|one| one.hardware()).collect();
        if hardware.is_empty() {
            return Err(InvalidProvider::NoHardware);
        }
        let mut admission = Admission::of(&hardware);
        for project in &self.operators {
            admission = admission.operator(project)?;
        }
        for account in &self.service_accounts {
            admission = admission.service_account(account)?;
        }
        let signers = self.signers.iter();
        Ok(signers.fold(admission, |admission, key| admission.signed_by(*key)))
    }
}

impl Technology {
    fn hardware(self) -> Hardware {
        match self {
            Self::IntelTdx => Hardware::IntelTdx,
            Self::AmdSev => Hardware::AmdSev,
        }
    }
}

#[cfg(test)]
mod tests {
    use google::outputs;

    use crate::document::Grant;

    const GRANT: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
[provider]
project = "collaborator-1"
id = "attest"
audience = "https://collaborator-1.example/countersign"
hardware = ["INTEL_TDX"]
operators = ["operator-1"]
service_accounts = ["run@operator-1.iam.gserviceaccount.com"]
"#;

    fn printed(format: &str) -> String {
        let grant = Grant::parse(GRANT.as_bytes()).unwrap();
        let output = outputs::provider_named(format).unwrap();
        let provider = grant.provider().unwrap().to_create();
        (output.print)(&provider, &grant.settings()).unwrap().text
    }

    #[test]
    fn every_format_has_the_same_condition_and_mapping() {
        let body: serde_json::Value = serde_json::from_str(&printed("iam")).unwrap();
        let condition = body["attributeCondition"].as_str().unwrap();
        for part in [
            "assertion.swname == 'CONFIDENTIAL_SPACE'",
            "assertion.hwmodel in ['GCP_INTEL_TDX']",
            "assertion.submods.gce.project_id in ['operator-1']",
            "run@operator-1.iam.gserviceaccount.com",
            "env_override",
        ] {
            assert!(condition.contains(part), "{part}: {condition}");
        }
        let terraform: serde_json::Value = serde_json::from_str(&printed("terraform")).unwrap();
        let made = &terraform["resource"]["google_iam_workload_identity_pool_provider"];
        let made = &made["countersign"];
        assert_eq!(made["attribute_condition"], body["attributeCondition"]);
        assert_eq!(made["attribute_mapping"], body["attributeMapping"]);
        assert_eq!(
            made["oidc"]["allowed_audiences"],
            body["oidc"]["allowedAudiences"]
        );
        let commands = printed("gcloud");
        let (_, flags) = commands.split_once("<<'END'\n").unwrap();
        let (flags, last) = flags.split_once("\nEND\n").unwrap();
        let flags: serde_json::Value = serde_json::from_str(flags).unwrap();
        assert_eq!(flags["--attribute-condition"], body["attributeCondition"]);
        assert_eq!(flags["--attribute-mapping"], body["attributeMapping"]);
        assert!(
            last.contains("create-oidc attest --project=collaborator-1"),
            "{last}"
        );
    }

    #[test]
    fn invalid_providers_are_refused() {
        for (from, to, fault) in [
            ("\"attest\"", "\"gcp-x\"", "`provider.id`"),
            ("\"collaborator-1\"", "\"1234\"", "`provider.project`"),
            ("[\"INTEL_TDX\"]", "[]", "`provider.hardware`"),
            ("INTEL_TDX", "AMD_SEV_SNP", "unknown variant"),
            ("[\"operator-1\"]", "[\"a'b\"]", "invalid name"),
            (
                "https://collaborator-1.example/countersign",
                "https://sts.googleapis.com",
                "cannot be the audience of one collaborator",
            ),
            ("hardware", "operator", "unknown field"),
        ] {
            let text = GRANT.replacen(from, to, 1);
            let error = Grant::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(fault), "{to}: {error}");
        }
    }
}
