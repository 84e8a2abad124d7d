//! Repositories of Artifact Registry.

use std::fmt;

use crate::ProjectId;
use crate::name::is_lower_id;

/// The end of the host of repositories in Docker's format, after their location.
const HOST: &str = "-docker.pkg.dev";

/// A repository of Artifact Registry in Docker's format, which images are in: `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ArtifactRepository {
    /// The project.
    pub project: ProjectId,
    /// The location, a region such as `us-central1` or a multi-region such as `us`.
    pub location: String,
    /// The ID within project and location.
    pub id: String,
}

impl ArtifactRepository {
    /// The repository with this ID; `None` if location or ID are invalid.
    pub fn new(project: ProjectId, location: &str, id: &str) -> Option<Self> {
        let is_named = is_lower_id(location, "-") && is_lower_id(id, "-.");
        is_named.then(|| Self {
            project,
            location: location.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The repository that has the images of this registry `host` and `path`; `None` for another registry.
    pub fn with_images(host: &str, path: &str) -> Option<Self> {
        let location = host.strip_suffix(HOST)?;
        // The project `example.com:project` is `example.com/project` in a path.
        let (project, rest) = match path.split_once('/')? {
            (domain, rest) if domain.contains('.') => {
                let (id, rest) = rest.split_once('/')?;
                (format!("{domain}:{id}"), rest)
            }
            (id, rest) => (id.to_owned(), rest),
        };
        let id = rest.split('/').next().unwrap_or_default();
        Self::new(project.parse().ok()?, location, id)
    }
}

/// `projects/P/locations/L/repositories/R`.
impl fmt::Display for ArtifactRepository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            project,
            location,
            id,
        } = self;
        write!(
            out,
            "projects/{project}/locations/{location}/repositories/{id}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_known_by_its_host() {
        let found = |host, path| ArtifactRepository::with_images(host, path);
        let repository = found("us-central1-docker.pkg.dev", "builder/images/app/server").unwrap();
        assert_eq!(repository.project.to_string(), "builder");
        assert_eq!(
            (repository.location.as_str(), repository.id.as_str()),
            ("us-central1", "images")
        );
        assert_eq!(
            repository.to_string(),
            "projects/builder/locations/us-central1/repositories/images"
        );
        let scoped = found("us-docker.pkg.dev", "example.com/builder/images/app").unwrap();
        assert_eq!(scoped.project.to_string(), "example.com:builder");
        assert_eq!(scoped.id, "images");
        for (host, path) in [
            ("registry.example", "builder/images/app"),
            ("us-docker.pkg.dev", "builder"),
            ("us-docker.pkg.dev", "1builder/images"),
            ("-docker.pkg.dev", "builder/images/app"),
            ("us-npm.pkg.dev", "builder/images/app"),
        ] {
            assert_eq!(found(host, path), None, "{host}/{path}");
        }
    }
}
