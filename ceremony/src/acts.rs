//! The steps of the builder and of the collaborators, one function each.

use std::path::{Path, PathBuf};
use std::process::Command;

use attest::Predicate;
use content::Digest;
use serde_json::Value;

use crate::Error;
use crate::cast::{BUILDER, BUILDER_ID, Cast, Collaborator, SOURCE_URI, login};
use crate::cloud;
use crate::documents;
use crate::prologue;
use crate::stage::Stage;
use crate::transcript::Transcript;

/// The folder in that of a collaborator with what it has signed.
pub const SIGNED: &str = "countersignature";

/// A published image.
#[derive(Clone, Debug)]
pub struct Published {
    /// Repository without tag or digest.
    pub repository: String,
    /// The digest that the TEE will measure.
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
pub fn lock(stage: &Stage, transcript: &mut Transcript, source: &Path) -> Result<(), Error> {
    let mut lock = stage.program("builder");
    lock.arg("lock").arg(source.join("workload"));
    transcript.must(stage, "builder lock  every input by digest", lock)?;
    prologue::commit(stage, source)
}

/// Builds the source without network, into a layout on the stage.
///
/// # Errors
/// `builder build` fails.
pub fn build(
    stage: &Stage,
    transcript: &mut Transcript,
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
    transcript.must(stage, &format!("build: {what}"), build)?;
    Ok(layout)
}

/// Pushes a layout under `tag`.
///
/// # Errors
/// `builder push` fails, or prints no reference by digest.
pub fn push(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    layout: &Path,
    repository: &str,
    tag: &str,
) -> Result<Published, Error> {
    let mut push = writing(stage, cast, "push");
    push.arg(layout).arg(format!("{repository}:{tag}"));
    let printed = transcript.must(stage, &format!("builder push  {tag}"), push)?;
    let digest = printed
        .trim()
        .rsplit_once('@')
        .and_then(|(_, digest)| digest.parse().ok());
    let digest = digest.ok_or_else(|| Error::answer("builder push", printed))?;
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
    transcript: &mut Transcript,
    cast: &Cast,
    image: &Published,
) -> Result<(), Error> {
    let mut sign = as_builder(stage, cast, "sign", image);
    sign.args(["--key", &cast.builder_key]);
    transcript
        .must(stage, "builder sign  (Cloud KMS)", sign)
        .map(drop)
}

/// Attaches provenance and SBOM as the builder.
///
/// # Errors
/// `builder attest` fails.
pub fn attest(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    image: &Published,
    layout: &Path,
) -> Result<(), Error> {
    for predicate in Predicate::descriptions() {
        let kind = predicate.cosign_name;
        let mut attest = as_builder(stage, cast, "attest", image);
        attest.args(["--type", kind, "--key", &cast.builder_key]);
        attest.arg("--predicate").arg(layout.join(predicate.file));
        transcript.must(stage, &format!("builder attest  {kind}"), attest)?;
    }
    Ok(())
}

/// A command of the builder about an image, with its credentials.
pub fn as_builder(stage: &Stage, cast: &Cast, verb: &str, image: &Published) -> Command {
    let mut command = writing(stage, cast, verb);
    command.args([&image.reference(), "--kms-endpoint", &cast.endpoints.kms]);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", &cast.builder.credentials);
    command
}

/// A command of `builder` that writes to the builder's registry, with the builder's login.
pub fn writing(stage: &Stage, cast: &Cast, verb: &str) -> Command {
    let mut command = stage.program("builder");
    command.args([verb, "--plain-http"]);
    command.env("DOCKER_CONFIG", &cast.builder_login);
    command
}

/// Rebuilds the source as a collaborator.
///
/// # Errors
/// `verifier rebuild` fails.
pub fn rebuild(
    stage: &Stage,
    transcript: &mut Transcript,
    collaborator: &Collaborator,
    image: &Published,
    source: &Path,
) -> Result<PathBuf, Error> {
    let layout = collaborator.folder.join("rebuilt");
    let mut rebuild = stage.program("verifier");
    rebuild
        .args(["rebuild", &image.reference(), "--plain-http", "--source"])
        .arg(source);
    rebuild.arg("--json").arg("-o").arg(&layout);
    let printed = transcript.must(
        stage,
        &format!("build: {} rebuilds", collaborator.name),
        rebuild,
    )?;
    let receipt = report("verifier rebuild", &printed)?;
    let digest = cloud::text(&receipt["rebuilt"], "image_digest")?;
    transcript.record(collaborator.name, "rebuilt", &digest);
    Ok(layout)
}

/// The command with which a collaborator checks an image, against its own rebuild if it has one.
pub fn verifier(
    stage: &Stage,
    verb: &str,
    reference: &str,
    policy: &Path,
    rebuilt: Option<&Path>,
) -> Command {
    let mut command = stage.program("verifier");
    command
        .args([verb, reference, "--plain-http", "--json", "--policy"])
        .arg(policy);
    if let Some(rebuilt) = rebuilt {
        command.arg("--rebuilt").arg(rebuilt);
    }
    command
}

/// Checks and countersigns as a collaborator, who does not write to the builder's registry: what it signed is in the folder
/// that is returned.
///
/// # Errors
/// The verdict is not a pass.
pub fn countersign(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    collaborator: &Collaborator,
    reference: &str,
    rebuilt: &Path,
) -> Result<PathBuf, Error> {
    let policy = documents::policy(stage, cast, collaborator, &cast.repository(), &[BUILDER])?;
    let signed = collaborator.folder.join(SIGNED);
    let mut command = verifier(stage, "countersign", reference, &policy, Some(rebuilt));
    command.args(["--key", &collaborator.signing_key]);
    command.args(["--kms-endpoint", &cast.endpoints.kms, "--output"]);
    command.arg(&signed);
    command.env(
        "GOOGLE_APPLICATION_CREDENTIALS",
        &collaborator.project.credentials,
    );
    let title = format!("verifier countersign  {}", collaborator.name);
    let printed = transcript.must(stage, &title, command)?;
    let report = report("verifier countersign", &printed)?;
    transcript.record("", "verdict", &cloud::text(&report, "verdict")?);
    Ok(signed)
}

/// Tries to publish a signature as a collaborator, which the builder's registry must refuse.
///
/// # Errors
/// The signature was published, or was refused for another reason.
pub fn may_not_write(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    collaborator: &Collaborator,
    image: &Published,
) -> Result<(), Error> {
    let name = collaborator.name;
    let registry = &cast.endpoints.registry;
    let mut sign = stage.program("builder");
    sign.args(["sign", &image.reference(), "--plain-http"]);
    sign.args(["--key", &collaborator.signing_key]);
    sign.args(["--kms-endpoint", &cast.endpoints.kms]);
    sign.env(
        "GOOGLE_APPLICATION_CREDENTIALS",
        &collaborator.project.credentials,
    );
    let login = login(stage, name, &collaborator.project, registry)?;
    sign.env("DOCKER_CONFIG", login);
    let title = format!("builder sign  (as {name}, which may not write)");
    let said = transcript.run(stage, &title, sign)?;
    match said.code == Some(2) && said.stderr.contains("DENIED") {
        true => Ok(()),
        false => Err(Error::unexpected(
            "writing to the builder's registry as a collaborator",
            format!(
                "expected exit status 2 and DENIED, found {:?}: {}",
                said.code, said.stderr
            ),
            "this is a bug: please report it with the lines above",
        )),
    }
}

/// Publishes what a collaborator signed, as the builder.
///
/// # Errors
/// `builder attach` refuses a signature, or fails.
pub fn attach(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    collaborator: &Collaborator,
    image: &Published,
    signed: &Path,
) -> Result<(), Error> {
    let file = |name: &str| signed.join(name).display().to_string();
    let (payload, signature) = (file("payload.json"), file("payload.sig"));
    for arguments in [
        &["--payload", &payload, "--signature", &signature][..],
        &["--envelope", &file("signature.sigstore.json")],
        &["--envelope", &file("verdict.sigstore.json")],
    ] {
        let mut attach = writing(stage, cast, "attach");
        attach.args([&image.reference(), "--key"]);
        attach.arg(&collaborator.public_key).args(arguments);
        let title = format!("builder attach  for {}", collaborator.name);
        transcript.must(stage, &title, attach)?;
    }
    Ok(())
}

/// Checks again, with the other collaborator's countersignature, and binds.
///
/// # Errors
/// The verdict is not a pass, or the binding is not in the key's policy afterwards.
pub fn authorize(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    collaborator: &Collaborator,
    reference: &str,
    rebuilt: &Path,
) -> Result<(), Error> {
    let policy = documents::policy(stage, cast, collaborator, &cast.repository(), &[BUILDER])?;
    let own = Some(rebuilt);
    let command = authorization(stage, cast, collaborator, reference, &policy, own)?;
    let printed = transcript.must(
        stage,
        &format!("verifier authorize  {}", collaborator.name),
        command,
    )?;
    let report = report("verifier authorize", &printed)?;
    let member = cloud::text(&report["binding"], "member")?;
    let key = collaborator.data_key();
    let policy = cloud::key_policy(&cast.endpoints.kms, &key, collaborator.token())?;
    if !cloud::is_bound(&policy, &member) {
        return Err(Error::answer(format!("policy of {key}"), policy));
    }
    transcript.record(collaborator.name, "bound", &key);
    Ok(())
}

/// Parses a verifier's JSON report.
fn report(what: &str, printed: &str) -> Result<Value, Error> {
    serde_json::from_str(printed).map_err(|_| Error::answer(what, printed))
}

/// A collaborator's command to check by `policy`, and to bind on a pass.
///
/// # Errors
/// The grant cannot be written.
pub fn authorization(
    stage: &Stage,
    cast: &Cast,
    collaborator: &Collaborator,
    reference: &str,
    policy: &Path,
    rebuilt: Option<&Path>,
) -> Result<Command, Error> {
    let mut command = verifier(stage, "authorize", reference, policy, rebuilt);
    command
        .arg("--grant")
        .arg(documents::write_grant(stage, collaborator)?);
    command.args(["--apply", "--kms-endpoint", &cast.endpoints.kms]);
    command.env(
        "GOOGLE_APPLICATION_CREDENTIALS",
        &collaborator.project.credentials,
    );
    Ok(command)
}
