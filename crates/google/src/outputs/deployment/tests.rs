use confidential::event_log::Variable;
use serde_json::{Value, json};

use super::*;

fn printed(format: &str, request: &Request, account: &str) -> String {
    with_deployment(request, account, |deployment| {
        (named(format).unwrap().print)(deployment)
    })
}

fn with_deployment<T>(
    request: &Request,
    account: &str,
    use_it: impl FnOnce(&Deployment<'_>) -> T,
) -> T {
    let readable = ["builder/images/app", "operator/mirror/app"]
        .map(|path| ArtifactRepository::with_images("us-docker.pkg.dev", path).unwrap());
    use_it(&Deployment {
        image: "us-docker.pkg.dev/builder/images/app@sha256:0",
        signed_repositories: &["us-docker.pkg.dev/builder/images/app".to_owned()],
        readable: &readable,
        request,
        restart: Restart::OnFailure,
        project: &"operator".parse().unwrap(),
        zone: &"us-central1-a".parse().unwrap(),
        instance: &"workload".parse().unwrap(),
        network: &"tee".parse().unwrap(),
        account: &account.parse().unwrap(),
        hardware: Hardware::Tdx,
        machine: &Hardware::Tdx.smallest_machine(),
    })
}

const OWN: &str = "run@operator.iam.gserviceaccount.com";

fn production() -> Request {
    Request::on(MachineImage::Production)
}

#[test]
fn nothing_is_asked_that_is_not_requested() {
    let plain = printed("gcloud", &production(), OWN);
    assert!(plain.contains(
        "--metadata='^~^tee-image-reference=us-docker.pkg.dev/builder/images/app@sha256:0~\
         tee-signed-image-repos=us-docker.pkg.dev/builder/images/app~tee-restart-policy=OnFailure'"
    ));
    assert!(plain.contains("--image-family=confidential-space \\"));
    assert!(!plain.contains("logging") && plain.contains("service-accounts create run "));
    let logs = Request {
        log_redirect: Asked::Yes,
        ..Request::on(MachineImage::Debug)
    };
    let logs = printed("gcloud", &logs, "run@other.iam.gserviceaccount.com");
    assert!(logs.contains("--role=roles/logging.logWriter"));
    assert!(logs.contains("~tee-container-log-redirect=cloud_logging'"));
    assert!(logs.contains("--image-family=confidential-space-debug \\"));
    assert!(!logs.contains("service-accounts create"));
}

#[test]
fn the_operator_runs_nothing_in_a_project_of_others() {
    let commands = printed("gcloud", &production(), OWN);
    assert!(commands.contains("add-iam-policy-binding mirror --project=operator --location=us "));
    assert!(!commands.contains("--project=builder"), "{commands}");
    let configuration = printed("terraform", &production(), OWN);
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let readers = &configuration["resource"]["google_artifact_registry_repository_iam_member"];
    assert_eq!(readers["reader_1"]["repository"], "mirror");
    assert!(readers.get("reader_2").is_none());
    let asked = with_deployment(&production(), OWN, |deployment| {
        let asked = deployment.asked_of_others();
        asked
            .map(|(project, command)| (project.to_string(), command))
            .collect::<Vec<_>>()
    });
    let command = "gcloud artifacts repositories add-iam-policy-binding images --project=builder --location=us \
                   --member=serviceAccount:run@operator.iam.gserviceaccount.com --role=roles/artifactregistry.reader --condition=None";
    assert_eq!(asked, [("builder".to_owned(), command.to_owned())]);
}

#[test]
fn values_reach_the_launcher_as_they_are() {
    let mut request = production();
    request.cmd = vec!["--name=it's".to_owned(), "a,b".to_owned()];
    request.env = vec![Variable::new("PATTERN", "${a}~%{b}").unwrap()];
    let commands = printed("gcloud", &request, OWN);
    assert!(
        commands.contains(r#"|tee-cmd=["--name=it'\''s","a,b"]|tee-env-PATTERN=${a}~%{b}'"#),
        "{commands}"
    );
    let configuration = printed("terraform", &request, OWN);
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let instance = &configuration["resource"]["google_compute_instance"]["countersign"];
    let metadata = &instance["metadata"];
    assert_eq!(metadata["tee-cmd"], r#"["--name=it's","a,b"]"#);
    assert_eq!(metadata["tee-env-PATTERN"], "$${a}~%%{b}");
}

#[test]
fn an_instance_follows_everything_that_it_needs() {
    let configuration = printed("terraform", &production(), OWN);
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let resources = configuration["resource"].as_object().unwrap();
    let instance = &resources["google_compute_instance"]["countersign"];
    let mut before: Vec<String> = Vec::new();
    for (kind, named) in resources {
        for name in named.as_object().unwrap().keys() {
            before.push(format!("{kind}.{name}"));
        }
    }
    before.retain(|address| address != "google_compute_instance.countersign");
    assert_eq!(instance["depends_on"], json!(before));
    assert!(before.contains(&"google_project_iam_member.workloadUser".to_owned()));
    assert!(instance["network_interface"].get("access_config").is_none());
    assert_eq!(instance["scheduling"]["on_host_maintenance"], "TERMINATE");
}

#[test]
fn the_smallest_machines_are_named_as_machines_are() {
    for hardware in [Hardware::Tdx, Hardware::Sev] {
        let machine = hardware.smallest_machine();
        assert_eq!(machine.to_string().parse(), Ok(machine));
    }
}
