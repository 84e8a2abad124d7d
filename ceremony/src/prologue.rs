//! Everything that must exist before the first step: the cloud, the keys, conditions and queue of each party, and the
//! source with the terms of this ceremony.

use std::path::{Path, PathBuf};

use console::git;
use console::process::Network;
use content::Digest;
use google::admission::{Admission, Hardware, OidcProvider};
use serde_json::{Value, json};

use crate::Error;
use crate::cast::{BUILDER, COLLABORATORS, Cast, Collaborator, OPERATOR, PROVIDER};
use crate::cloud::{self, Endpoints};
use crate::stage::{Playing, Stage, finish};
use crate::transcript::Transcript;

/// Topic and subscription in the operator's project.
pub const TOPIC: &str = "projects/operator/topics/data";
/// The subscription that the workload pulls.
pub const SUBSCRIPTION: &str = "projects/operator/subscriptions/data";
/// The file of the terms, which is written anew in each ceremony.
const TERMS: &str = "workload/terms.json";
/// Written by `builder lock`.
const LOCK: &str = "workload/Image.lock";
/// The description of the image, in the source.
const IMAGE: &str = "workload/Image.toml";
/// Seconds that the workload waits for the collaborators' messages.
const DEADLINE: u32 = 30;

/// The running emulator.
pub struct Cloud {
    _emulator: Playing,
    /// The folder of its state, which an attacker who controls the registry can change.
    pub state: PathBuf,
}

/// Starts the cloud and waits until it is ready.
///
/// # Errors
/// The emulator does not start, or prints no endpoints.
pub fn open_cloud(stage: &Stage, transcript: &mut Transcript) -> Result<(Cloud, Endpoints), Error> {
    transcript.step("emulator serve", || {
        let state = stage.folder("cloud")?;
        let mut command = stage.program("emulator");
        command.args(["serve", "--registry-writers", "owners", "--state"]);
        command.arg(&state);
        for project in [BUILDER, COLLABORATORS[0], COLLABORATORS[1], OPERATOR] {
            command.args(["--project", project]);
        }
        let mut emulator = stage.start(command, |_| {})?;
        let Some(line) = emulator.line()? else {
            let said = emulator.end()?;
            let command = "emulator serve".to_owned();
            return Err(Error::Program {
                command,
                code: said.code,
                said: said.stderr,
            });
        };
        let endpoints =
            serde_json::from_str(&line).map_err(|_| Error::answer("emulator's endpoints", line))?;
        Ok((
            Cloud {
                _emulator: emulator,
                state,
            },
            endpoints,
        ))
    })
}

/// Makes each party's keys, in its own project or folder.
///
/// # Errors
/// A service or `builder keygen` refuses.
pub fn make_keys(stage: &Stage, transcript: &mut Transcript, cast: &Cast) -> Result<(), Error> {
    transcript.step("keys: Cloud KMS and files", || {
        make_signing_key(
            cast,
            BUILDER,
            &cast.builder.access_token,
            &cast.builder_public,
        )?;
        let [first, second] = &cast.collaborators;
        make_signing_key(cast, first.name, first.token(), &first.public_key)?;
        let mut keygen = stage.program("builder");
        keygen.arg("keygen").arg(second.folder.join("cosign"));
        finish(stage, keygen)?;
        make_key_ring(cast, second.name, second.token())?;
        for collaborator in &cast.collaborators {
            let ring = format!(
                "projects/{}/locations/global/keyRings/ring",
                collaborator.name
            );
            let url = format!(
                "{}/v1/{ring}/cryptoKeys?cryptoKeyId=data",
                cast.endpoints.kms
            );
            let body = json!({"purpose": "ENCRYPT_DECRYPT"});
            cloud::call("POST", &url, collaborator.token(), &body)?;
        }
        Ok(())
    })
}

fn make_key_ring(cast: &Cast, project: &str, token: &Path) -> Result<(), Error> {
    let kms = &cast.endpoints.kms;
    let url = format!("{kms}/v1/projects/{project}/locations/global/keyRings?keyRingId=ring");
    cloud::call("POST", &url, token, &json!({})).map(drop)
}

fn make_signing_key(cast: &Cast, project: &str, token: &Path, public: &Path) -> Result<(), Error> {
    make_key_ring(cast, project, token)?;
    let ring = format!(
        "{}/v1/projects/{project}/locations/global/keyRings/ring",
        cast.endpoints.kms
    );
    let body = json!({
        "purpose": "ASYMMETRIC_SIGN",
        "versionTemplate": {"algorithm": "EC_SIGN_P256_SHA256"},
    });
    cloud::call(
        "POST",
        &format!("{ring}/cryptoKeys?cryptoKeyId=signing"),
        token,
        &body,
    )?;
    let url = format!("{ring}/cryptoKeys/signing/cryptoKeyVersions/1/publicKey");
    let pem = cloud::text(&cloud::call("GET", &url, token, &Value::Null)?, "pem")?;
    std::fs::write(public, pem).map_err(Error::io(public))
}

/// Makes each collaborator's pool, with a provider that accepts the TEE's tokens under a condition.
///
/// # Errors
/// The service refuses.
pub fn trust_the_tee(transcript: &mut Transcript, cast: &Cast) -> Result<(), Error> {
    transcript.step("workload identity pools and their conditions", || {
        cast.collaborators
            .iter()
            .try_for_each(|collaborator| make_provider(cast, collaborator))
    })
}

fn make_provider(cast: &Cast, collaborator: &Collaborator) -> Result<(), Error> {
    let iam = &cast.endpoints.iam;
    let parent = format!(
        "{iam}/v1/projects/{}/locations/global/workloadIdentityPools",
        collaborator.name
    );
    let pool = format!("{parent}?workloadIdentityPoolId=confidential-space");
    cloud::call("POST", &pool, collaborator.token(), &json!({}))?;
    let provider = json!(provider(collaborator)?);
    let url =
        format!("{parent}/confidential-space/providers?workloadIdentityPoolProviderId={PROVIDER}");
    cloud::call("POST", &url, collaborator.token(), &provider).map(drop)
}

/// Accepts production images on Intel TDX in the operator's project.
///
/// # Errors
/// None is known: all names are those of the cast.
pub fn provider(collaborator: &Collaborator) -> Result<OidcProvider, Error> {
    let admission = Admission::of(&[Hardware::IntelTdx]).operator(OPERATOR);
    let provider =
        admission.and_then(|admission| OidcProvider::new(&collaborator.audience(), &admission));
    provider.map_err(|error| Error::answer("condition", error))
}

/// Makes topic and subscription for the data; both collaborators may publish.
///
/// # Errors
/// The service refuses.
pub fn open_queue(transcript: &mut Transcript, cast: &Cast) -> Result<(), Error> {
    transcript.step(
        "Pub/Sub: a topic to which both collaborators may publish",
        || {
            let token = &cast.operator.access_token;
            let pubsub = &cast.endpoints.pubsub;
            cloud::call("PUT", &format!("{pubsub}/v1/{TOPIC}"), token, &json!({}))?;
            let subscription = json!({"topic": TOPIC, "ackDeadlineSeconds": 10});
            cloud::call(
                "PUT",
                &format!("{pubsub}/v1/{SUBSCRIPTION}"),
                token,
                &subscription,
            )?;
            let owner = |name| format!("serviceAccount:owner@{name}.iam.gserviceaccount.com");
            grant(
                cast,
                TOPIC,
                "roles/pubsub.publisher",
                &COLLABORATORS.map(owner),
            )
        },
    )
}

/// Lets the image pull the queue, as the first collaborator's federated identity.
///
/// # Errors
/// The service refuses.
pub fn admit_to_queue(cast: &Cast, digest: &Digest) -> Result<(), Error> {
    let member = cast.collaborators[0].member(digest);
    grant(cast, SUBSCRIPTION, "roles/pubsub.subscriber", &[member])
}

fn grant(cast: &Cast, resource: &str, role: &str, members: &[String]) -> Result<(), Error> {
    let url = format!("{}/v1/{resource}", cast.endpoints.pubsub);
    let token = &cast.operator.access_token;
    let policy = cloud::call("GET", &format!("{url}:getIamPolicy"), token, &Value::Null)?;
    let etag = cloud::text(&policy, "etag")?;
    let body = json!({"policy": {"bindings": [{"role": role, "members": members}], "etag": etag}});
    cloud::call("POST", &format!("{url}:setIamPolicy"), token, &body).map(drop)
}

/// Clones the last commit of `repository` into the stage, and writes the terms of this ceremony into it.
///
/// # Errors
/// git fails, or a public key cannot be read.
pub fn take_source(
    stage: &Stage,
    transcript: &mut Transcript,
    cast: &Cast,
    repository: &Path,
) -> Result<PathBuf, Error> {
    let source = stage.path().join("source");
    transcript.step(
        "source: clone of the last commit, with the terms of this ceremony",
        || {
            let mut clone = git::command(Network::Allowed);
            clone
                .args(["clone", "--quiet", "--no-local"])
                .arg(repository)
                .arg(&source);
            finish(stage, clone)?;
            write_terms(&source, &terms(cast)?)
        },
    )?;
    Ok(source)
}

/// Writes `terms` into the source.
///
/// # Errors
/// The file cannot be written.
pub fn write_terms(source: &Path, terms: &Value) -> Result<(), Error> {
    let path = source.join(TERMS);
    std::fs::write(&path, format!("{terms:#}\n")).map_err(Error::io(&path))
}

/// Commits the terms, and the lock if it has changed.
///
/// # Errors
/// git fails.
pub fn commit(stage: &Stage, source: &Path) -> Result<(), Error> {
    let mut commit = git::command(Network::Forbidden);
    commit.arg("-C").arg(source);
    commit.args([
        "-c",
        "user.name=Builder",
        "-c",
        "user.email=builder@builder.example",
    ]);
    commit.args([
        "commit",
        "--quiet",
        "--no-gpg-sign",
        "--message",
        "workload: write the terms of this ceremony, lock the inputs",
    ]);
    commit.args(["--", TERMS, LOCK, IMAGE]);
    finish(stage, commit).map(drop)
}

/// The terms on which all parties agree before the build: collaborators, keys and signers.
///
/// # Errors
/// A public key cannot be read.
pub fn terms(cast: &Cast) -> Result<Value, Error> {
    let collaborators = cast.collaborators.iter().map(|collaborator| {
        json!({
            "name": collaborator.name,
            "audience": collaborator.audience(),
            "sts_audience": collaborator.provider(),
            "kms_key": collaborator.data_key(),
            "messages": 1,
        })
    });
    let mut signers = vec![signer(BUILDER, &cast.builder_public)?];
    for collaborator in &cast.collaborators {
        signers.push(signer(collaborator.name, &collaborator.public_key)?);
    }
    let attestation = &cast.endpoints.attestation;
    Ok(json!({
        "job": "count",
        "collaborators": collaborators.collect::<Vec<_>>(),
        "signers": signers,
        "attestation": {
            "issuer": "https://confidentialcomputing.googleapis.com",
            "discovery": format!("{attestation}/.well-known/openid-configuration"),
        },
        "endpoints": {
            "sts": cast.endpoints.sts,
            "kms": cast.endpoints.kms,
            "pubsub": cast.endpoints.pubsub,
        },
        "subscription": SUBSCRIPTION,
        "subscriber": cast.collaborators[0].name,
        "deadline_seconds": DEADLINE,
    }))
}

/// The signers of [`terms`], named by their keys: what an operator passes is verified with these.
///
/// # Errors
/// A public key cannot be read.
pub fn signers_by_keys(cast: &Cast) -> Result<Value, Error> {
    let collaborators = cast.collaborators.iter();
    let collaborators = collaborators.map(|one| (one.name, &one.public_key));
    let all = std::iter::once((BUILDER, &cast.builder_public)).chain(collaborators);
    let signer = |(name, path): (&str, &PathBuf)| {
        let pem = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Ok(json!({"name": name, "keys": [pem]}))
    };
    let signers: Vec<Value> = all.map(signer).collect::<Result<_, Error>>()?;
    Ok(signers.into())
}

/// Lets the operator of an image choose the arguments of the workload.
///
/// # Errors
/// The description of the image cannot be read or written.
pub fn allow_arguments(source: &Path) -> Result<(), Error> {
    let path = source.join(IMAGE);
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let label = "\"tee.launch_policy.allow_cmd_override\" = ";
    let text = text.replace(&format!("{label}\"false\""), &format!("{label}\"true\""));
    std::fs::write(&path, text).map_err(Error::io(&path))
}

fn signer(name: &str, public_key: &Path) -> Result<Value, Error> {
    let pem = std::fs::read_to_string(public_key).map_err(Error::io(public_key))?;
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64)
        .map_err(|error| Error::answer(format!("public key of {name}"), error))?;
    Ok(json!({"name": name, "key_id": Digest::of(&der).hex()}))
}
