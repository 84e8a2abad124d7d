//! `builder deploy` prints what an operator runs, and nothing that the image's labels do not allow.

use std::fs;
use std::path::Path;
use std::process::Command;

use oci::{Execution, ImageRef};
use serde_json::{Value, json};

use crate::world::{World, success};

fn launchable() -> Execution {
    let labels = [
        ("tee.launch_policy.log_redirect", "always"),
        ("tee.launch_policy.allow_env_override", "PATTERN,LEVEL"),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Execution {
        entrypoint: vec!["/app".to_owned()],
        labels: labels.into(),
        ..Execution::default()
    }
}

/// An image that allows its output to be read, and two variables to be set.
fn world(test: &str) -> Option<World> {
    let mut world = World::new(test)?;
    let digest = world.layout("layout", launchable());
    world.image = ImageRef {
        digest,
        repository: world.repository.clone(),
    };
    let reference = format!("{}:v1", world.repository);
    success(&world.build(&["push", "layout", &reference]));
    Some(world)
}

const OPERATOR: [&str; 6] = [
    "--project=operator",
    "--zone=us-central1-a",
    "--service-account=runner@operator.iam.gserviceaccount.com",
    "--signed-image-repository=us-docker.pkg.dev/one/signatures/app",
    "--signed-image-repository=europe-west4-docker.pkg.dev/operator/signatures/app",
    "--env=PATTERN=it's ${a}~%{b}, \"c\"",
];

fn printed(world: &World, words: &[&str]) -> String {
    let (printed, _) = said(world, words);
    printed
}

/// What is printed, and what is said on standard error.
fn said(world: &World, words: &[&str]) -> (String, String) {
    let output = world.builder("deploy", &[&OPERATOR[..], words].concat());
    success(&output);
    // The registry has another port in each run.
    [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map(|text| text.replace(&world.repository.registry().to_owned(), "registry.example"))
        .into()
}

#[test]
fn both_formats_are_golden() {
    let Some(world) = world("both_formats_are_golden") else {
        return;
    };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let sev = [
        "--confidential-compute=SEV",
        "--restart-policy=OnFailure",
        "--format=gcloud",
    ];
    testkit::golden(&golden.join("deploy.sh"), printed(&world, &sev).as_bytes());
    let terraform = printed(&world, &["--format=terraform"]);
    testkit::golden(&golden.join("deploy.tf.json"), terraform.as_bytes());
}

#[test]
fn what_labels_forbid_is_refused() {
    let Some(world) = world("what_labels_forbid_is_refused") else {
        return;
    };
    let refused = |words: &[&str], reason: &str| {
        let output = world.builder("deploy", &[&OPERATOR[..], words].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(output.stdout.is_empty());
        assert!(said.contains(reason) && said.contains("hint: "), "{said}");
        assert!(!said.contains("hidden"), "{said}");
    };
    refused(
        &["--cmd=[\"--leak\"]"],
        "CMD is not allowed to be overridden on this image",
    );
    refused(
        &["--env=TOKEN=hidden"],
        "variable TOKEN is not allowed to be set; allowed are: PATTERN, LEVEL",
    );
    let quiet = printed(&world, &["--log-redirect=false"]);
    assert!(
        !quiet.contains("logging") && !quiet.contains("log-redirect"),
        "{quiet}"
    );
}

#[test]
fn signatures_are_looked_for_where_a_policy_says() {
    let Some(world) = world("signatures_are_looked_for_where_a_policy_says") else {
        return;
    };
    let policy = |repository: &str| {
        let path = world.path("release.toml");
        let evidence =
            "[\"us-docker.pkg.dev/bank/evidence/app\", \"us-docker.pkg.dev/one/signatures/app\"]";
        let text = format!("repository = {repository:?}\n[evidence]\nrepositories = {evidence}\n");
        fs::write(&path, text).unwrap();
        format!("--policy={}", path.display())
    };
    let own = world.repository.to_string();
    let (printed, said) = said(&world, &[&policy(&own)]);
    let signed = "one/signatures/app,europe-west4-docker.pkg.dev/operator/signatures/app,us-docker.pkg.dev/bank/evidence/app|";
    assert!(printed.contains(signed), "{printed}");
    let reader = "the owner of project bank runs: gcloud artifacts repositories add-iam-policy-binding evidence --project=bank ";
    assert!(said.contains(reader), "{said}");
    let other = world.builder(
        "deploy",
        &[&OPERATOR[..], &[&policy("registry.example/other")]].concat(),
    );
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(2), "{said}");
    assert!(
        said.contains("it is for registry.example/other, and the image is in "),
        "{said}"
    );
}

/// A shell and gcloud's own parser read from the commands what is to reach the launcher.
#[test]
fn a_shell_reads_the_commands() {
    let Some(world) = world("a_shell_reads_the_commands") else {
        return;
    };
    let script = "gcloud() { for word; do printf '%s\\n' \"$word\"; done; }\n".to_owned();
    let script = script + &printed(&world, &["--env=LEVEL=1", "--env=LEVEL=2"]);
    let output = Command::new("sh")
        .args(["-eu", "-c", &script])
        .output()
        .unwrap();
    success(&output);
    let words = String::from_utf8(output.stdout).unwrap();
    let metadata = words
        .lines()
        .find_map(|word| word.strip_prefix("--metadata=^|^"))
        .unwrap();
    let pairs: Vec<_> = metadata.split('|').collect();
    assert_eq!(pairs[5], "tee-env-PATTERN=it's ${a}~%{b}, \"c\"");
    let levels = pairs
        .iter()
        .filter(|pair| pair.starts_with("tee-env-LEVEL="));
    assert_eq!(levels.collect::<Vec<_>>(), [&"tee-env-LEVEL=2"]);
    assert_eq!(
        pairs[2..4],
        [
            "tee-restart-policy=Never",
            "tee-container-log-redirect=cloud_logging"
        ]
    );
}

/// Terraform evaluates the strings of a configuration to what they were.
#[test]
fn terraform_reads_the_configuration() {
    let test = "terraform_reads_the_configuration";
    let Some(world) = world(test) else {
        return;
    };
    let configuration: Value =
        serde_json::from_str(&printed(&world, &["--format=terraform"])).unwrap();
    let mut instance = configuration["resource"]["google_compute_instance"]["countersign"].clone();
    instance.as_object_mut().unwrap().remove("depends_on");
    let folder = world.path("terraform");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("main.tf.json"),
        json!({"locals": {"instance": instance}}).to_string(),
    )
    .unwrap();
    let mut console = Command::new("terraform");
    console
        .arg("console")
        .current_dir(&folder)
        .env("CHECKPOINT_DISABLE", "1");
    let child = console
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        testkit::skip(test, "terraform is not installed");
        return;
    };
    use std::io::Write as _;
    let expression = b"jsonencode(local.instance.metadata)\n";
    child.stdin.take().unwrap().write_all(expression).unwrap();
    let output = child.wait_with_output().unwrap();
    success(&output);
    // The console prints the JSON as a string in its own syntax, which JSON reads.
    let text: String = serde_json::from_slice(&output.stdout).unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["tee-env-PATTERN"], "it's ${a}~%{b}, \"c\"");
}
