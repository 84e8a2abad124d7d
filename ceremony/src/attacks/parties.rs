//! Attacks in which one party stands in for another, or a party's own set-up opens its key to others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::materials::{copy, next, policy, without_rebuild};
use super::{Outcome, Scene, refused, refused_by};
use crate::Error;
use crate::acts::{self, Published};
use crate::cast::{BUILDER, Collaborator, PROVIDER};
use crate::cloud;
use crate::documents;
use crate::launch;
use crate::prologue;
use crate::stage::finish;

/// The condition of Google's tutorial for Confidential Space. It admits images with debug access and with overrides.
const TUTORIAL: &str = "assertion.swname == 'CONFIDENTIAL_SPACE' && \
                        'STABLE' in assertion.submods.confidential_space.support_attributes && \
                        assertion.submods.gce.project_id == 'operator'";
/// The pool and the key of the careless set-up.
const CARELESS: &str = "tutorial";

pub(super) fn tutorial_provider(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let (stage, cast) = (scene.stage, scene.cast);
    let first = &cast.collaborators[0];
    let (key, pool) = careless(scene, first)?;
    let grant = documents::grant(first, &key, &pool);
    let grant = stage.write(&format!("{}/tutorial.toml", first.name), grant)?;
    let command = launch::client(stage, cast, first, scene.image, &grant)?;
    let said = scene.transcript.run(stage, "client publish", command)?;
    let left = launch::drain(cast)?;
    if !left.is_empty() {
        return Ok(Outcome::NotRefused(format!("in the queue: {left:?}")));
    }
    Ok(refused(
        &said,
        1,
        &["attribute condition is not that of the grant"],
    ))
}

/// A key that is open to the image, by way of a pool whose provider has the tutorial's condition.
fn careless(scene: &Scene<'_>, owner: &Collaborator) -> Result<(String, String), Error> {
    let endpoints = &scene.cast.endpoints;
    let post = |url: String, body| cloud::call("POST", &url, owner.token(), &body).map(drop);
    let key = owner.data_key();
    let (ring, _) = key.rsplit_once("/cryptoKeys/").unwrap_or_default();
    let keys = format!("{}/v1/{ring}/cryptoKeys", endpoints.kms);
    let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
    post(format!("{keys}?cryptoKeyId={CARELESS}"), purpose)?;
    let pool = owner.pool();
    let (parent, _) = pool.rsplit_once('/').unwrap_or_default();
    let pools = format!("{}/v1/{parent}", endpoints.iam);
    post(
        format!("{pools}?workloadIdentityPoolId={CARELESS}"),
        json!({}),
    )?;
    let mut provider = json!(prologue::provider(owner)?);
    provider["attributeCondition"] = json!(TUTORIAL);
    let providers = format!("{pools}/{CARELESS}/providers");
    let id = format!("workloadIdentityPoolProviderId={PROVIDER}");
    post(format!("{providers}?{id}"), provider)?;
    let (key, careless) = (
        format!("{ring}/cryptoKeys/{CARELESS}"),
        format!("{parent}/{CARELESS}"),
    );
    let member = owner.member(&scene.image.digest).replace(&pool, &careless);
    cloud::bind(&endpoints.kms, &key, owner.token(), &member)?;
    Ok((key, careless))
}

pub(super) fn forged_countersignature(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = next(scene)?;
    let (stage, cast) = (scene.stage, scene.cast);
    let [first, second] = &cast.collaborators;
    let key = stage.folder("carrier")?.join("cosign");
    let mut keygen = stage.program("builder");
    keygen.arg("keygen").arg(&key);
    finish(stage, keygen)?;
    let mut sign = acts::writing(stage, cast, "sign");
    sign.args([&image.reference(), "--key"]);
    sign.arg(key.with_extension("key"));
    let title = format!("builder sign  (a key of its own, as {})", second.name);
    scene.transcript.must(stage, &title, sign)?;
    let policy = without_rebuild(&policy(scene, &image.repository, &[BUILDER])?)?;
    let command = acts::authorization(stage, cast, first, &image.reference(), &policy, None)?;
    let said = scene.transcript.run(stage, "verifier authorize", command)?;
    let words = format!("signature of {}", second.name);
    Ok(refused_by(&said, "countersign", &[&words]))
}

pub(super) fn quorum_of_one(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = copy(scene, "quorum-of-one")?;
    let (stage, cast) = (scene.stage, scene.cast);
    acts::attest(stage, scene.transcript, cast, &image, scene.layout)?;
    acts::sign(stage, scene.transcript, cast, &image)?;
    // Without it, the first signature would be found and kept.
    let mut again = acts::as_builder(stage, cast, "sign", &image);
    again.args(["--key", &cast.builder_key, "--annotation", "number=2"]);
    scene
        .transcript
        .must(stage, "builder sign  (again)", again)?;
    let policy = policy(scene, &image.repository, &[BUILDER])?;
    let text = std::fs::read_to_string(&policy).map_err(Error::io(&policy))?;
    let text = text.replace("threshold = 1", "threshold = 2");
    std::fs::write(&policy, text).map_err(Error::io(&policy))?;
    let rebuilt = Some(scene.rebuilt);
    let command = acts::verifier(stage, "verify", &image.reference(), &policy, rebuilt);
    let said = scene.transcript.run(stage, "verifier verify", command)?;
    Ok(refused_by(&said, "signatures", &["at least 2 of 3"]))
}

pub(super) fn missing_party(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = next(scene)?;
    sign_as_first(scene, &image)?;
    let cast = scene.cast;
    for owner in &cast.collaborators {
        let (key, member) = (owner.data_key(), owner.member(&image.digest));
        cloud::bind(&cast.endpoints.kms, &key, owner.token(), &member)?;
    }
    prologue::admit_to_queue(cast, &image.digest)?;
    launch::send_data(cast, &image, "one-party")?;
    let reference = image.reference();
    let command = launch::launch(scene.stage, cast, &reference, &image.repository);
    let said = scene
        .transcript
        .run(scene.stage, "emulator launch", command)?;
    prologue::admit_to_queue(cast, &scene.image.digest)?;
    let missing = "not signed by collaborator-2";
    Ok(refused(
        &said,
        1,
        &["workload: refused: checking signatures", missing],
    ))
}

/// The second collaborator has signed the last release, and the operator has kept that.
pub(super) fn signature_of_another_digest(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = next(scene)?;
    sign_as_first(scene, &image)?;
    let kept = scene.cast.collaborators[1].folder.join(acts::SIGNED);
    let read = |name: &str| {
        let path = kept.join(name);
        std::fs::read(&path).map_err(Error::io(&path))
    };
    let payload = STANDARD.encode(read("payload.json")?);
    let signature = String::from_utf8_lossy(&read("payload.sig")?)
        .trim()
        .to_owned();
    let argument = json!([{"payload": payload, "signature": signature}]).to_string();
    let reference = image.reference();
    let mut command = launch::launch(scene.stage, scene.cast, &reference, &image.repository);
    command.args(["--cmd", &json!([argument]).to_string()]);
    let said = scene
        .transcript
        .run(scene.stage, "emulator launch", command)?;
    let other = format!(
        "collaborator-2 has signed another image, {}",
        scene.image.digest
    );
    let words = [
        "workload: refused: checking signatures",
        "not signed by collaborator-2",
        &other,
    ];
    Ok(refused(&said, 1, &words))
}

fn sign_as_first(scene: &mut Scene<'_>, image: &Published) -> Result<(), Error> {
    let first = &scene.cast.collaborators[0];
    let mut sign = acts::writing(scene.stage, scene.cast, "sign");
    sign.args([&image.reference(), "--key", &first.signing_key]);
    sign.args(["--kms-endpoint", &scene.cast.endpoints.kms]);
    sign.env("GOOGLE_APPLICATION_CREDENTIALS", &first.project.credentials);
    let title = format!("builder sign  (as {})", first.name);
    scene.transcript.must(scene.stage, &title, sign).map(drop)
}
