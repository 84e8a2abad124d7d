//! Artifact Registry: policies of repositories, and who may read and write images. Repositories need not be created: the registry has
//! each that a path names. It has one address for all locations, so that a repository there is the one with its ID in any location.

use std::sync::Arc;

use google::ArtifactRepository;

use super::Context;
use super::iam::{Change, Iam, Policy};
use crate::location;
use crate::status::Status;

/// Artifact Registry.
pub struct ArtifactRegistry {
    iam: Arc<Iam>,
}

/// A repository as a request names it.
#[derive(Clone, Copy, Debug)]
pub struct RepositoryName<'a> {
    /// The project, by ID or number.
    pub project: &'a str,
    /// The location.
    pub location: &'a str,
    /// The ID within project and location.
    pub id: &'a str,
}

impl ArtifactRegistry {
    /// A service with the policies of `iam`.
    pub fn new(iam: Arc<Iam>) -> Self {
        Self { iam }
    }

    /// `GetIamPolicy` of a repository.
    ///
    /// # Errors
    /// The caller lacks the permission, or the location or the policy version does not exist.
    pub fn policy(
        &self,
        context: &Context,
        name: RepositoryName<'_>,
        version: u32,
    ) -> Result<Policy, Status> {
        let repository = self.find(name)?;
        let permission = "artifactregistry.repositories.getIamPolicy";
        self.iam.demand(context, permission, &[&repository])?;
        self.iam.policy(&repository, version)
    }

    /// `SetIamPolicy` of a repository.
    ///
    /// # Errors
    /// The caller lacks the permission, the location does not exist, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        name: RepositoryName<'_>,
        change: Change,
    ) -> Result<Policy, Status> {
        let repository = self.find(name)?;
        let permission = "artifactregistry.repositories.setIamPolicy";
        self.iam.demand(context, permission, &[&repository])?;
        self.iam.set_policy(&repository, change)
    }

    /// `TestIamPermissions` of a repository: those that the caller has.
    ///
    /// # Errors
    /// The project or the location does not exist.
    pub fn permissions(
        &self,
        context: &Context,
        name: RepositoryName<'_>,
        asked: &[String],
    ) -> Result<Vec<String>, Status> {
        Ok(self.iam.permitted(context, asked, &[&self.find(name)?]))
    }

    /// Checks the permission on the images at a path of the registry, `PROJECT/REPOSITORY/IMAGE`: by the policy of the project, or of
    /// a repository with this ID.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn demand(&self, context: &Context, permission: &str, path: &str) -> Result<(), Status> {
        let mut parts = path.split('/');
        let (project, id) = (parts.next().unwrap_or_default(), parts.next());
        let own = format!("projects/{project}");
        let named = self.named(project, id.unwrap_or_default());
        let mut all = named.iter().chain([&own]);
        match all.any(|one| self.iam.demand(context, permission, &[one]).is_ok()) {
            true => Ok(()),
            false => Err(Status::denied(permission, &own)),
        }
    }

    /// The repositories of a project with this ID that have policies, one in each location.
    fn named(&self, project: &str, id: &str) -> Vec<String> {
        let (before, after) = (
            format!("projects/{project}/locations/"),
            format!("/repositories/{id}"),
        );
        self.iam.resources(|resource| {
            let location = resource.strip_prefix(&before);
            let location = location.and_then(|rest| rest.strip_suffix(&after));
            location.is_some_and(|location| !location.contains('/'))
        })
    }

    /// The name of a repository with the ID of its project.
    fn find(&self, name: RepositoryName<'_>) -> Result<String, Status> {
        let RepositoryName {
            project,
            location,
            id,
        } = name;
        let project = self.iam.project_id(project)?;
        location::check_artifact_registry(location)?;
        let project = project.parse().ok();
        let found = project.and_then(|project| ArtifactRepository::new(project, location, id));
        found
            .map(|repository| repository.to_string())
            .ok_or_else(|| Status::not_found("Requested entity was not found."))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protojson::parse;
    use crate::services::accounts::Caller;
    use crate::services::testing::{OWNER, iam};

    const DOWNLOAD: &str = "artifactregistry.repositories.downloadArtifacts";
    const UPLOAD: &str = "artifactregistry.repositories.uploadArtifacts";

    fn stranger() -> Context {
        Context {
            caller: Caller::ServiceAccount("stranger@other.iam.gserviceaccount.com".into()),
            now: 0,
        }
    }

    fn name<'a>(location: &'a str, id: &'a str) -> RepositoryName<'a> {
        RepositoryName {
            project: "project",
            location,
            id,
        }
    }

    fn bound(role: &str) -> Change {
        let binding = json!({"role": role, "members": ["allUsers"]});
        let change = json!({"policy": {"bindings": [binding]}});
        parse(change.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_policy_is_that_of_one_repository() {
        let registry = ArtifactRegistry::new(Arc::new(iam()));
        let may = |permission, path| registry.demand(&stranger(), permission, path).is_ok();
        assert!(!may(DOWNLOAD, "project/images/app"));
        let reader = || bound("roles/artifactregistry.reader");
        let images = name("us", "images");
        registry.set_policy(&OWNER, images, reader()).unwrap();
        assert!(may(DOWNLOAD, "project/images/app/manifests/v1"));
        assert!(!may(UPLOAD, "project/images/app"));
        for other in [
            "project/other/app",
            "project/image",
            "project",
            "other/images/app",
            "project//images",
        ] {
            assert!(!may(DOWNLOAD, other), "{other}");
        }
        let writer = bound("roles/artifactregistry.writer");
        let elsewhere = name("europe-west1", "images");
        registry.set_policy(&OWNER, elsewhere, writer).unwrap();
        assert!(may(UPLOAD, "project/images/app"));
        let read = registry.policy(&OWNER, images, 3).unwrap();
        assert_eq!(read.bindings[0].role, "roles/artifactregistry.reader");
        assert!(registry.policy(&stranger(), images, 3).is_err());
        assert!(registry.set_policy(&stranger(), images, reader()).is_err());
        let asked = [DOWNLOAD.to_owned(), UPLOAD.to_owned()];
        let permitted = registry.permissions(&stranger(), images, &asked).unwrap();
        assert_eq!(permitted, [DOWNLOAD]);
    }

    #[test]
    fn a_repository_has_a_location_and_a_name() {
        let registry = ArtifactRegistry::new(Arc::new(iam()));
        let status = |name| {
            registry
                .policy(&OWNER, name, 1)
                .map_err(|status| status.code)
        };
        assert!(status(name("asia", "images")).is_ok());
        for (wrong, code) in [
            (name("nowhere-1", "images"), 403),
            (name("global", "images"), 403),
            (name("us", "Images"), 404),
            (name("us", ""), 404),
        ] {
            assert_eq!(status(wrong), Err(code), "{wrong:?}");
        }
        let decrypter = bound("roles/cloudkms.cryptoKeyDecrypter");
        let refused = registry.set_policy(&OWNER, name("us", "images"), decrypter);
        assert_eq!(refused.unwrap_err().code, 400);
    }
}
