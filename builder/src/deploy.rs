//! What an operator runs to launch an image: read from the image in the registry, and allowed by its labels.

use std::collections::BTreeSet;

use confidential::launch_policy::{
    Asked, LaunchPolicy, LogRedirect, MachineImage, Refusal, Request,
};
use console::hint::Hinted;
use google::{ArtifactRepository, ProjectId, ServiceAccount};
use oci::{Execution, ImageRef, Reference, Repository};
use remote::{Registry, Transport};

use crate::publish::resolve;

pub mod evidence;

/// An image in a registry.
#[derive(Clone, Debug)]
pub struct Launchable {
    /// Its name.
    pub image: ImageRef,
    /// How a container of it starts, and its labels.
    pub execution: Execution,
}

/// The launcher would not start an image as requested.
#[derive(Debug, thiserror::Error)]
#[error("checking the launch policy of {image}: {fault}")]
pub struct Refused {
    image: Box<ImageRef>,
    fault: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    /// In the launcher's words.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("variable {name} is not allowed to be set; allowed are: {}", listed(.allowed))]
    Variable { name: String, allowed: Vec<String> },
    #[error("the image has no entry point, or the command replaces all that it starts")]
    NoEntryPoint,
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

impl Refused {
    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        match self.fault {
            Fault::Refusal(_) | Fault::Variable { .. } => {
                "labels tee.launch_policy.… of the image decide; they are set in Image.toml, and another label makes another digest"
            }
            Fault::NoEntryPoint => "the image needs an entrypoint in [image] of Image.toml",
        }
    }
}

/// Reads an image. A tag is resolved once.
///
/// # Errors
/// The image is not in the registry, is not one image for one platform, or the registry fails.
pub async fn read(reference: &Reference, transport: &Transport) -> Result<Launchable, Hinted> {
    let failed = |error: remote::Error| {
        let hint = error.hint();
        Hinted::doing(format_args!("reading {reference}"), error).hinting(hint)
    };
    let registry = Registry::connect(&reference.repository, transport).map_err(failed)?;
    let image = resolve(&registry, reference).await?;
    let execution = registry.image(&image.digest).await.map_err(failed)?;
    let execution = execution.config().config.clone();
    Ok(Launchable { image, execution })
}

impl Launchable {
    /// Whether the launcher writes the workload's output to the operator's log, if that is asked.
    ///
    /// # Errors
    /// A label is invalid, so that the launcher starts the image in no case.
    pub fn logs(&self, machine: MachineImage) -> Result<Asked, Refused> {
        let redirect = self.policy()?.log_redirect;
        Ok(match (redirect, machine) {
            (LogRedirect::Always, _) | (LogRedirect::DebugOnly, MachineImage::Debug) => Asked::Yes,
            (LogRedirect::DebugOnly, MachineImage::Production) | (LogRedirect::Never, _) => {
                Asked::No
            }
        })
    }

    /// Checks that the launcher starts the image as requested.
    ///
    /// # Errors
    /// It does not: a label of the image is invalid, or does not allow it.
    pub fn check(&self, request: &Request) -> Result<(), Refused> {
        let policy = self.policy()?;
        let refused = |fault| self.refused(fault);
        // The launcher's own words have the value of the variable, which may be a secret.
        let is_allowed = |name: &str| policy.env_override.iter().any(|known| known == name);
        if let Some(variable) = request.env.iter().find(|v| !is_allowed(v.name())) {
            return Err(refused(Fault::Variable {
                name: variable.name().to_owned(),
                allowed: policy.env_override.clone(),
            }));
        }
        policy
            .check(request)
            .map_err(|refusal| refused(refusal.into()))?;
        let replaced = match request.cmd.is_empty() {
            true => self.execution.cmd.len(),
            false => 0,
        };
        match self.execution.entrypoint.len() + replaced {
            0 => Err(refused(Fault::NoEntryPoint)),
            _ => Ok(()),
        }
    }

    fn policy(&self) -> Result<LaunchPolicy, Refused> {
        let policy = LaunchPolicy::from_labels(&self.execution.labels);
        policy.map_err(|refusal| self.refused(refusal.into()))
    }

    fn refused(&self, fault: Fault) -> Refused {
        Refused {
            image: Box::new(self.image.clone()),
            fault,
        }
    }

    /// Where the launcher looks for signatures: in the image's own repository, and in others.
    pub fn signed_repositories(&self, others: &[Repository]) -> Vec<Repository> {
        let mut seen = BTreeSet::new();
        let all = [&self.image.repository].into_iter().chain(others);
        all.filter(|repository| seen.insert(repository.to_string()))
            .cloned()
            .collect()
    }
}

/// Checks that an account which is to be created, because it belongs to the project of the instance, can be.
///
/// # Errors
/// IAM creates no account with its ID.
pub fn check_account(account: &ServiceAccount, project: &ProjectId) -> Result<(), Hinted> {
    if account.project() != Some(project) || account.can_be_created() {
        return Ok(());
    }
    let invalid = format_args!(
        "checking --service-account {account}: expected an ID of 6 to 30 lower-case letters, digits and hyphens, a letter first and no \
         hyphen last, found \"{}\"",
        account.id()
    );
    Err(Hinted::new(invalid).hinting(
        "the account belongs to the project of the instance, so that it is created: choose an ID that IAM accepts",
    ))
}

/// The repositories of Artifact Registry among registries, and the others, which the account cannot be granted a role on.
pub fn readable(repositories: &[Repository]) -> (Vec<ArtifactRepository>, Vec<&Repository>) {
    let mut known = BTreeSet::new();
    let mut others = Vec::new();
    for repository in repositories {
        match ArtifactRepository::with_images(repository.registry(), repository.path()) {
            Some(found) => drop(known.insert(found)),
            None => others.push(repository),
        }
    }
    (known.into_iter().collect(), others)
}

#[cfg(test)]
mod tests {
    use confidential::event_log::Variable;
    use content::Digest;

    use super::*;

    fn launchable(labels: &[(&str, &str)]) -> Launchable {
        let label = |(name, value): &(&str, &str)| {
            (format!("tee.launch_policy.{name}"), (*value).to_owned())
        };
        Launchable {
            image: ImageRef {
                repository: "us-docker.pkg.dev/builder/images/app".parse().unwrap(),
                digest: Digest::of(b"image"),
            },
            execution: Execution {
                entrypoint: vec!["/app".to_owned()],
                labels: labels.iter().map(label).collect(),
                ..Execution::default()
            },
        }
    }

    fn refusal(image: &Launchable, request: &Request) -> String {
        image.check(request).unwrap_err().to_string()
    }

    #[test]
    fn labels_allow_what_is_printed() {
        let mut request = Request::on(MachineImage::Production);
        assert!(launchable(&[]).check(&request).is_ok());
        request.cmd = vec!["--leak".to_owned()];
        let said = refusal(&launchable(&[]), &request);
        assert!(
            said.ends_with("CMD is not allowed to be overridden on this image"),
            "{said}"
        );
        let open = [
            ("allow_cmd_override", "true"),
            ("allow_env_override", "LEVEL"),
        ];
        assert!(launchable(&open).check(&request).is_ok());
        request.env = vec![Variable::new("TOKEN", "hidden").unwrap()];
        let said = refusal(&launchable(&open), &request);
        assert!(
            said.ends_with("variable TOKEN is not allowed to be set; allowed are: LEVEL"),
            "{said}"
        );
        assert!(!said.contains("hidden"), "{said}");
        let odd = launchable(&[("allow_cmd_override", "perhaps")]);
        assert!(refusal(&odd, &request).contains("not a boolean"));
    }

    #[test]
    fn output_is_redirected_where_labels_allow_it() {
        let (production, debug) = (MachineImage::Production, MachineImage::Debug);
        for (label, on, logs) in [
            ("always", production, Asked::Yes),
            ("debugonly", production, Asked::No),
            ("debugonly", debug, Asked::Yes),
            ("never", debug, Asked::No),
        ] {
            let image = launchable(&[("log_redirect", label)]);
            assert_eq!(image.logs(on).unwrap(), logs, "{label}");
        }
        let odd = launchable(&[("log_redirect", "sometimes")]);
        assert!(odd.logs(production).is_err());
    }

    #[test]
    fn an_image_without_an_entry_point_does_not_start() {
        let mut image = launchable(&[("allow_cmd_override", "true")]);
        image.execution.entrypoint.clear();
        let mut request = Request::on(MachineImage::Production);
        assert!(refusal(&image, &request).contains("no entry point"));
        image.execution.cmd = vec!["/app".to_owned()];
        assert!(image.check(&request).is_ok());
        request.cmd = vec!["/other".to_owned()];
        assert!(refusal(&image, &request).contains("no entry point"));
    }

    #[test]
    fn an_account_that_iam_cannot_create_is_refused() {
        let project: ProjectId = "operator".parse().unwrap();
        let checked = |address: &str| check_account(&address.parse().unwrap(), &project);
        let longest = "a".repeat(30);
        for (id, is_valid) in [
            ("runner", true),
            (longest.as_str(), true),
            ("run-1", false),
            ("1runner", false),
            ("runner-", false),
            (&format!("{longest}a"), false),
        ] {
            let own = checked(&format!("{id}@operator.iam.gserviceaccount.com"));
            assert_eq!(own.is_ok(), is_valid, "{id}");
            // It exists already.
            checked(&format!("{id}@another.iam.gserviceaccount.com")).unwrap();
        }
        let error = checked("run@operator.iam.gserviceaccount.com").unwrap_err();
        assert!(error.to_string().ends_with("found \"run\""), "{error}");
        checked("1234-compute@developer.gserviceaccount.com").unwrap();
    }

    #[test]
    fn each_repository_is_named_once() {
        let image = launchable(&[]);
        let own = image.image.repository.clone();
        let other: Repository = "registry.example/one/app".parse().unwrap();
        let all = image.signed_repositories(&[other.clone(), own.clone()]);
        assert_eq!(all, [own, other.clone()]);
        let (known, others) = readable(&all);
        assert_eq!((known.len(), others), (1, vec![&other]));
    }
}
