//! A deployment as commands of gcloud.

use confidential::launch_policy::MachineImage;

use super::{Deployment, DeploymentOutput, IMAGE_PROJECT, RANGE, READER, SCOPE, metadata};
use crate::ArtifactRepository;
use crate::outputs::gcloud::quoted;

pub(super) const OUTPUT: DeploymentOutput = DeploymentOutput {
    name: "gcloud",
    about: "Commands of gcloud",
    print,
};

/// The characters that may separate metadata, of which the first that occurs in none of it does (`gcloud topic escaping`).
const SEPARATORS: &str = "~|;#%!@+¦§¶";

fn print(deployment: &Deployment<'_>) -> String {
    [
        account(deployment),
        readers(deployment),
        network(deployment),
        instance(deployment),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("\n")
}

fn account(deployment: &Deployment<'_>) -> Vec<String> {
    let (project, member) = (deployment.project, deployment.member());
    let create = deployment.owns_account().then(|| {
        let (id, email) = (deployment.account.id(), deployment.account);
        unless_there(
            &format!("iam service-accounts describe {email} --project={project}"),
            &format!("iam service-accounts create {id} --project={project}"),
        )
    });
    let grant = |role: &str| {
        format!(
            "gcloud projects add-iam-policy-binding {project} \\\n  --member={member} \\\n  --role={role} --condition=None"
        )
    };
    let about = "# The account that the instance runs as. Anyone who creates the instance needs roles/iam.serviceAccountUser on it.";
    [about.to_owned()]
        .into_iter()
        .chain(create)
        .chain(deployment.roles().into_iter().map(grant))
        .collect()
}

fn readers(deployment: &Deployment<'_>) -> Vec<String> {
    let grants: Vec<_> = deployment
        .own_readable()
        .map(|repository| grant_reader(deployment, repository, " \\\n  "))
        .collect();
    let about = "# It reads the image and the signatures.".to_owned();
    let about = (!grants.is_empty()).then_some(about);
    about.into_iter().chain(grants).collect()
}

/// The command with which the owner of `repository` lets the account read, with `separator` between its lines.
pub(super) fn grant_reader(
    deployment: &Deployment<'_>,
    repository: &ArtifactRepository,
    separator: &str,
) -> String {
    let member = deployment.member();
    let (project, location, id) = (&repository.project, &repository.location, &repository.id);
    [
        format!(
            "gcloud artifacts repositories add-iam-policy-binding {id} --project={project} --location={location}"
        ),
        format!("--member={member}"),
        format!("--role={READER} --condition=None"),
    ]
    .join(separator)
}

/// A command that creates something, unless there is something of that name already: what is printed may be run again, for the next
/// image too. If `describe` fails for another reason, `create` says which.
fn unless_there(describe: &str, create: &str) -> String {
    format!("gcloud {describe} >/dev/null 2>&1 ||\n  gcloud {create}")
}

fn network(deployment: &Deployment<'_>) -> Vec<String> {
    let (project, network) = (deployment.project, deployment.network);
    let region = deployment.zone.region();
    let place = format!("{network} --project={project} --region={region}");
    vec![
        "# A network without external addresses: Google's services are reached within it, everything else through Cloud NAT."
            .to_owned(),
        unless_there(
            &format!("compute networks describe {network} --project={project}"),
            &format!("compute networks create {network} --project={project} --subnet-mode=custom"),
        ),
        unless_there(
            &format!("compute networks subnets describe {place}"),
            &format!(
                "compute networks subnets create {place} \\\n  \
                 --network={network} --range={RANGE} --enable-private-ip-google-access"
            ),
        ),
        unless_there(
            &format!("compute routers describe {place}"),
            &format!("compute routers create {place} --network={network}"),
        ),
        unless_there(
            &format!("compute routers nats describe {place} --router={network}"),
            &format!(
                "compute routers nats create {place} --router={network} \\\n  \
                 --auto-allocate-nat-external-ips --nat-all-subnet-ip-ranges"
            ),
        ),
    ]
}

fn instance(deployment: &Deployment<'_>) -> Vec<String> {
    let Deployment {
        project,
        zone,
        instance,
        network,
        account,
        hardware,
        machine,
        ..
    } = deployment;
    let family = deployment.family();
    let about = match deployment.request.machine_image {
        MachineImage::Production => "# The instance. It is not moved to another host.",
        MachineImage::Debug => {
            "# The instance, with the debug image: its operator can log in and read everything. No production grant admits it."
        }
    };
    let metadata = quoted(&dictionary(&metadata::of(deployment)));
    vec![
        about.to_owned(),
        format!(
            "gcloud compute instances create {instance} --project={project} --zone={zone} \\\n  \
             --confidential-compute-type={hardware} --machine-type={machine} \\\n  \
             --maintenance-policy=TERMINATE --no-restart-on-failure --shielded-secure-boot \\\n  \
             --image-project={IMAGE_PROJECT} --image-family={family} \\\n  \
             --service-account={account} --scopes={SCOPE} \\\n  \
             --network={network} --subnet={network} --no-address \\\n  \
             --metadata={metadata}"
        ),
    ]
}

/// A dictionary as gcloud reads it: `^SEPARATOR^KEY=VALUE…`.
fn dictionary(pairs: &[(String, String)]) -> String {
    let is_free = |separator: &char| !pairs.iter().any(|(_, value)| value.contains(*separator));
    let private_use = '\u{e000}'..='\u{f8ff}';
    let separator = SEPARATORS.chars().chain(private_use).find(is_free);
    // A value of the launcher's has at most 256 KiB, and there are more characters than one value of each can hold.
    let separator = separator.unwrap_or('~').to_string();
    let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
    let pairs = pairs.collect::<Vec<_>>().join(&separator);
    format!("^{separator}^{pairs}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_in_no_value() {
        let pair = |value: &str| vec![("k".to_owned(), value.to_owned())];
        assert_eq!(dictionary(&pair("a,b")), "^~^k=a,b");
        assert_eq!(dictionary(&pair("~/x")), "^|^k=~/x");
        assert_eq!(
            dictionary(&pair(SEPARATORS)),
            format!("^\u{e000}^k={SEPARATORS}")
        );
    }
}
