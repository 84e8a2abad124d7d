//! The steps of the operator: the data, the launch and the result.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::Error;
use crate::acts::Published;
use crate::cast::{Cast, Collaborator, OPERATOR};
use crate::cloud::{self, Datum};
use crate::deployment;
use crate::documents;
use crate::prologue::{SUBSCRIPTION, TOPIC};
use crate::stage::Stage;
use crate::transcript::Transcript;

/// The text that both collaborators send.
pub const WORD: &str = "alice";
/// The output that the workload then prints.
pub const RESULT: &str = "alice 2\n";
/// The beginning of the line that the workload prints when it has found all signatures.
const LATE: &str = "late binding: ";

/// Sends one word as each collaborator does: by a client that first looks whether the key is open to this image alone.
///
/// # Errors
/// `client publish` refuses or fails.
pub fn publish(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    image: &Published,
) -> Result<(), Error> {
    for collaborator in &cast.collaborators {
        let grant = documents::write_grant(stage, collaborator)?;
        let command = client(stage, cast, collaborator, image, &grant)?;
        let title = format!("client publish  {}", collaborator.name);
        transcript.must(stage, &title, command)?;
    }
    Ok(())
}

/// A collaborator's command to send one word, encrypted with the key of a grant.
///
/// # Errors
/// The word cannot be written.
pub fn client(
    stage: &Stage,
    cast: &Cast,
    collaborator: &Collaborator,
    image: &Published,
    grant: &Path,
) -> Result<Command, Error> {
    let data = stage.write(&format!("{}/data.txt", collaborator.name), WORD)?;
    let mut command = stage.program("client");
    command.args(["publish", "--topic", TOPIC, "--digest", &image.reference()]);
    command.args(["--collaborator", collaborator.name, "--grant"]);
    command.arg(grant);
    command.args(["--kms-endpoint", &cast.endpoints.kms]);
    command.args(["--iam-endpoint", &cast.endpoints.iam]);
    command.args(["--pubsub-endpoint", &cast.endpoints.pubsub]);
    let above = &cast.endpoints.resource_manager;
    command.args(["--resource-manager-endpoint", above]);
    command.arg(data);
    command.env(
        "GOOGLE_APPLICATION_CREDENTIALS",
        &collaborator.project.credentials,
    );
    Ok(command)
}

/// Encrypts one word for this image alone and publishes it, as anyone who may use a collaborator's credentials can. `key` is what
/// the message claims to be encrypted with.
///
/// # Errors
/// A service refuses.
pub fn send(
    cast: &Cast,
    collaborator: &Collaborator,
    image: &Published,
    message: &str,
    key: &str,
) -> Result<(), Error> {
    let datum = Datum {
        collaborator: collaborator.name,
        message,
        image_digest: &image.digest,
        text: WORD,
    };
    let data_key = collaborator.data_key();
    let ciphertext = cloud::encrypt(&cast.endpoints.kms, &data_key, collaborator.token(), &datum)?;
    let attributes = json!({"collaborator": collaborator.name, "message": message, "key": key});
    let body = json!({"messages": [{"data": ciphertext, "attributes": attributes}]});
    let url = format!("{}/v1/{TOPIC}:publish", cast.endpoints.pubsub);
    cloud::call("POST", &url, collaborator.token(), &body).map(drop)
}

/// Sends one word from each collaborator without looking who may read it.
///
/// # Errors
/// As [`send`].
pub fn send_data(cast: &Cast, image: &Published, message: &str) -> Result<(), Error> {
    let send_own = |c: &Collaborator| send(cast, c, image, message, &c.data_key());
    cast.collaborators.iter().try_for_each(send_own)
}

/// Takes the remaining messages out of the queue; returns their names.
///
/// # Errors
/// The service refuses.
pub fn drain(cast: &Cast) -> Result<Vec<String>, Error> {
    let url = format!("{}/v1/{SUBSCRIPTION}", cast.endpoints.pubsub);
    let token = &cast.operator.access_token;
    let body = json!({"maxMessages": 100, "returnImmediately": true});
    let answer = cloud::call("POST", &format!("{url}:pull"), token, &body)?;
    let received = answer["receivedMessages"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if received.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = received
        .iter()
        .map(|message| message["ackId"].clone())
        .collect();
    cloud::call(
        "POST",
        &format!("{url}:acknowledge"),
        token,
        &json!({"ackIds": ids}),
    )?;
    let name = |m: &Value| {
        m["message"]["attributes"]["message"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    Ok(received.iter().map(name).collect())
}

/// A command that launches an image as the operator may; signatures are looked for in `signatures`.
pub fn launch(stage: &Stage, cast: &Cast, reference: &str, signatures: &str) -> Command {
    let mut command = stage.program("emulator");
    command.args(["launch", reference, "--plain-http", "--project", OPERATOR]);
    command.args(["--attestation", &cast.endpoints.attestation]);
    command.args(["--signed-image-repos", signatures]);
    // The workload that counts does not handle SIGTERM.
    command.args(["--grace", "0"]);
    command
}

/// Creates what `builder deploy` prints for the operator; the instance counts words.
///
/// # Errors
/// `builder deploy` or a service refuses, or the workload prints another result.
pub fn deploy_and_count(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    image: &Published,
) -> Result<(), Error> {
    let mut deploy = stage.program("builder");
    deploy.args(["deploy", &image.reference(), "--plain-http"]);
    deploy.args(["--project", OPERATOR, "--zone", deployment::ZONE]);
    deploy.args(["--service-account", deployment::ACCOUNT]);
    deploy.args(["--format", "terraform"]);
    let printed = transcript.must(stage, "builder deploy  (Terraform)", deploy)?;
    let title = "Compute Engine: the operator creates that, and the instance runs the image";
    let (bound, said) = transcript.step(title, || {
        let machine = deployment::create(cast, &printed)?;
        Ok((machine.until_off(cast, LATE)?, machine.logged(cast)?))
    })?;
    if let Some(after) = bound {
        transcript.note(&format!(
            "late binding: the workload had found all signatures {:.2} s after the launch",
            after.as_secs_f64()
        ));
    }
    if !said.iter().any(|line| line == RESULT.trim_end()) {
        return Err(Error::unexpected(
            "counting words",
            format!("expected {RESULT:?}, found {said:?}"),
            "this is a bug: please report it with the lines above",
        ));
    }
    let signed = said.iter().find_map(|line| line.split_once(LATE));
    let signed = signed.map_or("no signatures", |(_, signed)| signed);
    transcript.record("workload", "found", signed);
    transcript.record("", "printed", RESULT.trim_end());
    Ok(())
}
