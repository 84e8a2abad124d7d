//! The parties: their names, projects, keys and folders.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use serde_json::json;

use crate::Error;
use crate::cloud::{Endpoints, Project};
use crate::stage::Stage;

/// The builder's name and project.
pub const BUILDER: &str = "builder";
/// The operator's name and project.
pub const OPERATOR: &str = "operator";
/// The collaborators' names and projects.
pub const COLLABORATORS: [&str; 2] = ["collaborator-1", "collaborator-2"];
/// Where the image is published.
pub const REPOSITORY: &str = "builder/workload";
/// The URI that provenance gives for the source.
pub const SOURCE_URI: &str = "git+https://source.example/countersign";
/// The ID of each collaborator's provider.
pub const PROVIDER: &str = "attestation";
/// The builder's ID in provenance.
pub const BUILDER_ID: &str = "https://builder.example/countersign";

/// One collaborator: its project, its key for data, and its key for signatures.
#[derive(Clone, Debug)]
pub struct Collaborator {
    /// Its name and project.
    pub name: &'static str,
    /// Its project in the cloud.
    pub project: Project,
    /// Its own folder.
    pub folder: PathBuf,
    /// The key that it signs with, as a value of `--key`.
    pub signing_key: String,
    /// The public half.
    pub public_key: PathBuf,
}

impl Collaborator {
    /// The audience of the attestation tokens meant for it alone.
    pub fn audience(&self) -> String {
        format!("https://{}.example/countersign", self.name)
    }

    /// The key that its data is encrypted with.
    pub fn data_key(&self) -> String {
        format!(
            "projects/{}/locations/global/keyRings/ring/cryptoKeys/data",
            self.name
        )
    }

    /// Its workload identity pool.
    pub fn pool(&self) -> String {
        let number = &self.project.number;
        format!("projects/{number}/locations/global/workloadIdentityPools/confidential-space")
    }

    /// The principal set of the machines that run the image.
    pub fn member(&self, image_digest: &Digest) -> String {
        let pool = self.pool();
        format!("principalSet://iam.googleapis.com/{pool}/attribute.image_digest/{image_digest}")
    }

    /// Its provider as the audience of a token exchange.
    pub fn provider(&self) -> String {
        format!("//iam.googleapis.com/{}/providers/{PROVIDER}", self.pool())
    }

    /// The file with its access token.
    pub fn token(&self) -> &Path {
        &self.project.access_token
    }
}

/// All parties.
pub struct Cast {
    /// The services.
    pub endpoints: Endpoints,
    /// The builder's project.
    pub builder: Project,
    /// The key that the builder signs with, as a value of `--key`.
    pub builder_key: String,
    /// The builder's public key.
    pub builder_public: PathBuf,
    /// A folder with the builder's login to its registry, in which no other party may write.
    pub builder_login: PathBuf,
    /// The collaborators.
    pub collaborators: [Collaborator; 2],
    /// The operator's project.
    pub operator: Project,
}

impl Cast {
    /// Gives each party a project and a folder.
    ///
    /// # Errors
    /// A project is missing in `endpoints`, or a folder cannot be made.
    pub fn gather(stage: &Stage, endpoints: Endpoints) -> Result<Self, Error> {
        let project = |name: &str| {
            endpoints
                .projects
                .get(name)
                .cloned()
                .ok_or_else(|| Error::answer("emulator's projects", format!("no {name}")))
        };
        let collaborator = |name: &'static str, key: Key| -> Result<Collaborator, Error> {
            let folder = stage.folder(name)?;
            let signing_key = match key {
                Key::Cloud => cloud_key(name),
                Key::File => folder.join("cosign.key").display().to_string(),
            };
            let public_key = folder.join("cosign.pub");
            Ok(Collaborator {
                name,
                project: project(name)?,
                folder,
                signing_key,
                public_key,
            })
        };
        let builder = project(BUILDER)?;
        Ok(Self {
            builder_login: login(stage, BUILDER, &builder, &endpoints.registry)?,
            builder,
            builder_key: cloud_key(BUILDER),
            builder_public: stage.folder(BUILDER)?.join("cosign.pub"),
            collaborators: [
                collaborator(COLLABORATORS[0], Key::Cloud)?,
                collaborator(COLLABORATORS[1], Key::File)?,
            ],
            operator: project(OPERATOR)?,
            endpoints,
        })
    }

    /// Registry and path of the published image.
    pub fn repository(&self) -> String {
        format!("{}/{REPOSITORY}", self.endpoints.registry)
    }
}

/// Writes a configuration of Docker with which the owner of a project logs in to the registry; returns its folder.
///
/// # Errors
/// The access token cannot be read, or the file cannot be written.
pub fn login(
    stage: &Stage,
    name: &str,
    project: &Project,
    registry: &str,
) -> Result<PathBuf, Error> {
    let token = &project.access_token;
    let token = std::fs::read_to_string(token).map_err(Error::io(token))?;
    let auth = STANDARD.encode(format!("oauth2accesstoken:{}", token.trim()));
    let folder = stage.folder(&format!("{name}/docker"))?;
    let config = json!({"auths": {registry: {"auth": auth}}});
    stage.write(&format!("{name}/docker/config.json"), config.to_string())?;
    Ok(folder)
}

/// Where a signing key is kept; the story has one of each.
enum Key {
    Cloud,
    File,
}

fn cloud_key(project: &str) -> String {
    format!(
        "gcpkms://projects/{project}/locations/global/keyRings/ring/cryptoKeys/signing/cryptoKeyVersions/1"
    )
}
