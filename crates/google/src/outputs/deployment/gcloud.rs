//! A deployment as commands of gcloud.

use confidential::launch_policy::MachineImage;

use super::{Deployment, DeploymentOutput, IMAGE_PROJECT, RANGE, READER, SCOPE, metadata};
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
        let id = deployment.account.id();
        format!("gcloud iam service-accounts create {id} --project={project}")
    });
    let grant = |role: &str| {
        format!(
            "gcloud projects add-iam-policy-binding {project} \\\n  --member={member} \\\n  --role={role} --condition=None"
        )
    };
    let about = "# The account that the instance runs as. Whoever creates the instance needs roles/iam.serviceAccountUser on it.";
    [about.to_owned()]
        .into_iter()
        .chain(create)
        .chain(deployment.roles().into_iter().map(grant))
        .collect()
}

fn readers(deployment: &Deployment<'_>) -> Vec<String> {
    let member = deployment.member();
    let grants = deployment.readable.iter().map(|repository| {
        let (project, location, id) = (&repository.project, &repository.location, &repository.id);
        format!(
            "gcloud artifacts repositories add-iam-policy-binding {id} --project={project} --location={location} \\\n  \
             --member={member} \\\n  --role={READER} --condition=None"
        )
    });
    let about = "# It reads the image and the signatures. The owner of each repository runs this.";
    let about = (!deployment.readable.is_empty()).then(|| about.to_owned());
    about.into_iter().chain(grants).collect()
}

fn network(deployment: &Deployment<'_>) -> Vec<String> {
    let (project, network) = (deployment.project, deployment.network);
    let region = deployment.zone.region();
    vec![
        "# A network without external addresses: Google's services are reached within it, everything else through Cloud NAT."
            .to_owned(),
        format!("gcloud compute networks create {network} --project={project} --subnet-mode=custom"),
        format!(
            "gcloud compute networks subnets create {network} --project={project} --region={region} \\\n  \
             --network={network} --range={RANGE} --enable-private-ip-google-access"
        ),
        format!(
            "gcloud compute routers create {network} --project={project} --region={region} --network={network}"
        ),
        format!(
            "gcloud compute routers nats create {network} --project={project} --region={region} --router={network} \\\n  \
             --auto-allocate-nat-external-ips --nat-all-subnet-ip-ranges"
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
