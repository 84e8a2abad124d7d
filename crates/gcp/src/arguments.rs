//! Arguments that programs have which ask who may use a key.

use clap::Args;
use console::hint::Hinted;
use grant::live::Scope;

use crate::{Cloud, Credentials, Endpoint, Policies, Pools, Resources};

/// How to reach the services that know who may use a key, and how far they are asked.
#[derive(Args, Clone, Debug)]
pub struct Access {
    /// Do not read who inherits a role from the project of the key, its folders and its organisation; the report says so
    #[arg(long)]
    pub without_ancestors: bool,
    /// The endpoint of Cloud KMS [default: Google's public endpoint]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_KMS_ENDPOINT")]
    pub kms_endpoint: Option<Endpoint>,
    /// The endpoint of IAM [default: Google's public endpoint]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_IAM_ENDPOINT")]
    pub iam_endpoint: Option<Endpoint>,
    /// The endpoint of Resource Manager [default: Google's public endpoint]
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_RESOURCE_MANAGER_ENDPOINT"
    )]
    pub resource_manager_endpoint: Option<Endpoint>,
}

impl Access {
    /// How far up the policies are read that the key inherits.
    pub fn scope(&self) -> Scope {
        match self.without_ancestors {
            true => Scope::Ring,
            false => Scope::All,
        }
    }

    /// Connects with these credentials.
    ///
    /// # Errors
    /// A client cannot be built.
    pub async fn connect(&self, credentials: Credentials) -> Result<Cloud, Hinted> {
        let endpoint = self.resource_manager_endpoint.as_ref();
        let resources = || Resources::open(endpoint, credentials.clone());
        Ok(Cloud {
            resources: match self.scope() {
                Scope::All => Some(resources()?),
                Scope::Ring => None,
            },
            pools: Pools::open(self.iam_endpoint.as_ref(), credentials.clone())?,
            policies: Policies::open(self.kms_endpoint.as_ref(), credentials.clone()).await?,
        })
    }
}
