//! `cloudbuild.yaml`: the build on Google Cloud.

use serde_json::Value;

use super::found::Open;
use super::origin::Origin;

/// The name of the file.
pub(super) const FILE: &str = "cloudbuild.yaml";

/// The text. Texts in JSON are texts in YAML.
pub(super) fn text(origin: &Origin) -> String {
    let uri = origin.uri.as_deref();
    let uri = Value::from(uri.unwrap_or("git+https://github.com/${REPO_FULL_NAME}"));
    let directory = match origin.directory.as_str() {
        "." => "/workspace".to_owned(),
        within => format!("/workspace/{within}"),
    };
    let directory = Value::from(directory);
    format!(
        "\
# Builds the image, pushes, signs and attests it. Use it with a trigger: the source must include .git, which `gcloud builds submit`
# does not upload.
steps:
  # Settings are checked before the long step. Docker 29 does not work with the older daemon of some workers.
  - id: settings
    name: docker:28-cli
    entrypoint: sh
    args: [-c, 'test -n \"${{_BUILDER}}\" && test -n \"${{_REPOSITORY}}\" || {{ echo \"set _BUILDER and _REPOSITORY\" >&2; exit 2; }}']
  # The sandbox needs namespaces and its own /proc, which a build step does not guarantee.
  - id: build
    name: docker:28-cli
    args:
      - run
      - --rm
      - --privileged
      - --volume=/workspace:/workspace
      - ${{_BUILDER}}
      - build
      - {directory}
      - --output=/workspace/layout
      - --builder-id=${{_BUILDER_ID}}
      - --source-uri=${{_SOURCE_URI}}
  # A build step has the credentials of the build for registry and KMS.
  - id: publish
    name: ${{_BUILDER}}
    args: [publish, layout, \"${{_REPOSITORY}}:${{SHORT_SHA}}\", --key, \"${{_KEY}}\"]
substitutions:
  _BUILDER: \"\"  # an image with the builder, by digest: the builder's Dockerfile makes it
  _BUILDER_ID: https://cloudbuild.googleapis.com/countersign
  _REPOSITORY: \"\"  # host and path of the repository to push to
  _KEY: gcpkms://projects/${{PROJECT_ID}}/locations/global/keyRings/countersign/cryptoKeys/builder/cryptoKeyVersions/1
  _SOURCE_URI: {uri}
options:
  dynamicSubstitutions: true
  logging: CLOUD_LOGGING_ONLY  # a trigger with its own service account must set this
timeout: 3600s
"
    )
}

/// What is left to the user.
pub(super) fn open() -> Vec<Open> {
    [
        (
            "substitutions._BUILDER",
            "name an image with the builder, by digest",
        ),
        (
            "substitutions._REPOSITORY",
            "name the repository that the image is pushed to",
        ),
        (
            "substitutions._KEY",
            "name the key that signs; Cloud KMS must let the build use it",
        ),
    ]
    .into_iter()
    .map(|(entry, what)| Open::new(FILE, entry, what))
    .collect()
}
