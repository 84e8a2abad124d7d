//! The metadata of an instance that the launcher reads (google/go-tpm-tools, `launcher/spec/launch_spec.go`).

use confidential::launch_policy::Asked;
use serde_json::json;

use super::Deployment;

/// Keys and values.
pub(super) fn of(deployment: &Deployment<'_>) -> Vec<(String, String)> {
    let request = deployment.request;
    let mut metadata = vec![
        ("tee-image-reference", deployment.image.to_owned()),
        (
            "tee-signed-image-repos",
            deployment.signed_repositories.join(","),
        ),
        ("tee-restart-policy", deployment.restart.to_string()),
    ];
    if request.log_redirect == Asked::Yes {
        metadata.push(("tee-container-log-redirect", "cloud_logging".to_owned()));
    }
    if !request.cmd.is_empty() {
        metadata.push(("tee-cmd", json!(request.cmd).to_string()));
    }
    let named = metadata
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    let variables = request.env.iter();
    let variables = variables.map(|variable| {
        let key = format!("tee-env-{}", variable.name());
        (key, variable.value().to_owned())
    });
    named.chain(variables).collect()
}
