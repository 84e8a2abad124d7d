//! Each step of the story, one function.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use content::Digest;
use serde_json::{Value, json};

use crate::Error;
use crate::cast::{BUILDER, BUILDER_ID, Cast, Collaborator, OPERATOR, SOURCE_URI};
use crate::cloud::{self, Datum};
use crate::programme::Programme;
use crate::prologue::{self, SUBSCRIPTION, TOPIC};
use crate::stage::{Playing, Said, Stage};

/// What both collaborators send.
pub const WORD: &str = "alice";
/// What the workload then prints.
pub const RESULT: &str = "alice 2\n";

/// A published image.
#[derive(Clone, Debug)]
pub struct Published {
    /// Repository without tag or digest.
    pub repository: String,
    /// What the TEE will measure.
    pub digest: Digest,
}

impl Published {
    /// The reference by digest.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// Locks every input of the source by digest, and commits the lock with the terms.
///
/// # Errors
/// `builder lock` fails, or git does.
pub fn lock(stage: &Stage, programme: &mut Programme, source: &Path) -> Result<(), Error> {
    let mut lock = stage.program("builder");
    lock.arg("lock").arg(source.join("workload"));
    programme.must(stage, "builder lock  every input by digest", lock)?;
    prologue::commit(stage, source)
}

/// Builds the source with the network cut, into a layout on the stage.
///
/// # Errors
/// `builder build` fails.
pub fn build(
    stage: &Stage,
    programme: &mut Programme,
    what: &str,
    source: &Path,
) -> Result<PathBuf, Error> {
    let layout = stage
        .path()
        .join(format!("layout-{}", what.replace([' ', ':'], "-")));
    let mut build = stage.program("builder");
    build
        .arg("build")
        .arg(source.join("workload"))
        .arg("-o")
        .arg(&layout);
    build.args(["--builder-id", BUILDER_ID, "--source-uri", SOURCE_URI]);
    programme.must(stage, &format!("build: {what}"), build)?;
    Ok(layout)
}

/// Pushes a layout under `tag`.
///
/// # Errors
/// `builder push` fails, or prints no reference by digest.
pub fn push(
    stage: &Stage,
    programme: &mut Programme,
    layout: &Path,
    repository: &str,
    tag: &str,
) -> Result<Published, Error> {
    let mut push = stage.program("builder");
    push.arg("push")
        .arg(layout)
        .arg(format!("{repository}:{tag}"))
        .arg("--plain-http");
    let printed = programme.must(stage, &format!("builder push  {tag}"), push)?;
    let digest = printed
        .trim()
        .rsplit_once('@')
        .and_then(|(_, digest)| digest.parse().ok());
    let digest = digest.ok_or_else(|| Error::Answer {
        what: "builder push".into(),
        found: printed,
    })?;
    Ok(Published {
        repository: repository.to_owned(),
        digest,
    })
}

/// Signs as the builder.
///
/// # Errors
/// `builder sign` fails.
pub fn sign(
    stage: &Stage,
    programme: &mut Programme,
    cast: &Cast,
    image: &Published,
) -> Result<(), Error> {
    let mut sign = as_builder(stage, cast, "sign", image);
    sign.args(["--key", &cast.builder_key]);
    programme
        .must(stage, "builder sign  (Cloud KMS)", sign)
        .map(drop)
}

/// Attaches provenance and SBOM as the builder.
///
/// # Errors
/// `builder attest` fails.
pub fn attest(
    stage: &Stage,
    programme: &mut Programme,
    cast: &Cast,
    image: &Published,
    layout: &Path,
) -> Result<(), Error> {
    for (kind, file) in [
        ("slsaprovenance1", "provenance.json"),
        ("cyclonedx", "sbom.cdx.json"),
    ] {
        let mut attest = as_builder(stage, cast, "attest", image);
        attest.args(["--type", kind, "--key", &cast.builder_key]);
        attest.arg("--predicate").arg(layout.join(file));
        programme.must(stage, &format!("builder attest  {kind}"), attest)?;
    }
    Ok(())
}

fn as_builder(stage: &Stage, cast: &Cast, verb: &str, image: &Published) -> Command {
    let mut command = stage.program("builder");
    command.args([
        verb,
        &image.reference(),
        "--plain-http",
        "--kms-endpoint",
        &cast.endpoints.kms,
    ]);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", &cast.builder.credentials);
    command
}

/// A collaborator's policy on the stage: who must have signed before it does, in which repository.
///
/// # Errors
/// It cannot be written.
pub fn policy(
    stage: &Stage,
    cast: &Cast,
    collaborator: &Collaborator,
    repository: &str,
    required: &[&str],
) -> Result<PathBuf, Error> {
    let mut principals = String::new();
    let everybody = cast.collaborators.iter().map(|c| (c.name, &c.public_key));
    for (name, key) in std::iter::once((BUILDER, &cast.builder_public)).chain(everybody) {
        let key = key.display().to_string();
        principals += &format!("[[principal]]\nname = {name:?}\nkey = {key:?}\n\n");
    }
    let text = format!(
        "repository = {repository:?}\n\n\
         [builder]\nid = {BUILDER_ID:?}\nbuild_type = \"https://countersign.dev/hermetic-build/v1\"\n\n\
         [source]\nuri = {SOURCE_URI:?}\n\n{principals}\
         [signatures]\nrequire = {required:?}\nthreshold = {}\n\n\
         [attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [{BUILDER:?}]\n\n\
         [rebuild]\nrequire = true\n",
        required.len(),
    );
    let file = format!(
        "{}/policy-{}.toml",
        collaborator.name,
        repository.replace(['/', ':'], "-")
    );
    stage.write(&file, text)
}

/// A collaborator's grant: which key, to whom.
///
/// # Errors
/// It cannot be written.
pub fn write_grant(stage: &Stage, collaborator: &Collaborator) -> Result<PathBuf, Error> {
    let text = format!(
        "key = {:?}\nrole = \"roles/cloudkms.cryptoKeyDecrypter\"\npool = {:?}\n",
        collaborator.data_key(),
        collaborator.pool(),
    );
    stage.write(&format!("{}/grant.toml", collaborator.name), text)
}

/// Rebuilds the source as a collaborator, for itself.
///
/// # Errors
/// `verifier rebuild` fails.
pub fn rebuild(
    stage: &Stage,
    programme: &mut Programme,
    collaborator: &Collaborator,
    image: &Published,
    source: &Path,
) -> Result<PathBuf, Error> {
    let layout = collaborator.folder.join("rebuilt");
    let mut rebuild = stage.program("verifier");
    rebuild
        .args(["rebuild", &image.reference(), "--plain-http", "--source"])
        .arg(source);
    rebuild.arg("-o").arg(&layout);
    programme.must(
        stage,
        &format!("build: {} rebuilds", collaborator.name),
        rebuild,
    )?;
    Ok(layout)
}

/// The command with which a collaborator checks an image against its own rebuild.
pub fn verifier(
    stage: &Stage,
    verb: &str,
    reference: &str,
    policy: &Path,
    rebuilt: &Path,
) -> Command {
    let mut command = stage.program("verifier");
    command
        .args([verb, reference, "--plain-http", "--policy"])
        .arg(policy);
    command.arg("--rebuilt").arg(rebuilt);
    command
}

/// Checks, countersigns and binds as a collaborator. Gives what `verifier` printed.
///
/// # Errors
/// Anything but a pass.
pub fn authorize(
    stage: &Stage,
    programme: &mut Programme,
    cast: &Cast,
    collaborator: &Collaborator,
    reference: &str,
    rebuilt: &Path,
) -> Result<String, Error> {
    let policy = policy(stage, cast, collaborator, &cast.repository(), &[BUILDER])?;
    let command = authorization(stage, cast, collaborator, reference, &policy, rebuilt)?;
    programme.must(
        stage,
        &format!("verifier authorize  {}", collaborator.name),
        command,
    )
}

/// A collaborator's command to check by `policy`, and to countersign and bind on a pass.
///
/// # Errors
/// The grant cannot be written.
pub fn authorization(
    stage: &Stage,
    cast: &Cast,
    collaborator: &Collaborator,
    reference: &str,
    policy: &Path,
    rebuilt: &Path,
) -> Result<Command, Error> {
    let mut command = verifier(stage, "authorize", reference, policy, rebuilt);
    command
        .arg("--grant")
        .arg(write_grant(stage, collaborator)?);
    command.args(["--key", &collaborator.signing_key, "--apply"]);
    command.args(["--kms-endpoint", &cast.endpoints.kms]);
    command.env(
        "GOOGLE_APPLICATION_CREDENTIALS",
        &collaborator.project.credentials,
    );
    Ok(command)
}

/// Encrypts one word as a collaborator, for this image alone, and publishes it. `key` is what the
/// message claims to be encrypted with.
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

/// Sends one word from each collaborator.
///
/// # Errors
/// As [`send`].
pub fn send_data(cast: &Cast, image: &Published, message: &str) -> Result<(), Error> {
    let send_own = |c: &Collaborator| send(cast, c, image, message, &c.data_key());
    cast.collaborators.iter().try_for_each(send_own)
}

/// Takes all that is left out of the queue; gives the names of the messages.
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

/// The operator's command to launch an image; signatures are looked for in `signatures`.
pub fn launch(stage: &Stage, cast: &Cast, reference: &str, signatures: &str) -> Command {
    let mut command = stage.program("emulator");
    command.args(["launch", reference, "--plain-http", "--project", OPERATOR]);
    command.args(["--attestation", &cast.endpoints.attestation]);
    command.args(["--signed-image-repos", signatures]);
    command
}

/// Launches the image as it should be launched; gives what it printed.
///
/// # Errors
/// The launcher or the workload refuses or fails.
pub fn launch_and_count(
    stage: &Stage,
    programme: &mut Programme,
    cast: &Cast,
    image: &Published,
) -> Result<Said, Error> {
    let command = launch(stage, cast, &image.reference(), &image.repository);
    let line = crate::stage::command_line(&command);
    let (begin, (bound, late_binding)) = (Instant::now(), mpsc::channel());
    let said = programme.listen(stage, "emulator launch", command, move |line| {
        if line.contains("late binding: ") {
            let _ = bound.send(begin.elapsed());
        }
    })?;
    if let Ok(after) = late_binding.try_recv() {
        programme.note(&format!(
            "late binding: all signatures checked {:.2} s after the launch",
            after.as_secs_f64()
        ));
    }
    if said.code != Some(0) {
        return Err(Error::Program {
            command: line,
            code: said.code,
            said: said.stderr,
        });
    }
    if said.stdout != RESULT {
        return Err(Error::Result {
            expected: RESULT.into(),
            found: said.stdout,
        });
    }
    Ok(said)
}

/// Waits until there is a file, for as long as `playing` plays.
///
/// # Errors
/// It has not appeared in time.
pub fn wait_for(path: &Path, playing: &mut Playing) -> Result<(), Error> {
    let begin = Instant::now();
    while !path.exists() {
        if !playing.is_playing() || begin.elapsed() > Duration::from_secs(20) {
            let found = "it did not appear".to_owned();
            return Err(Error::Answer {
                what: path.display().to_string(),
                found,
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
