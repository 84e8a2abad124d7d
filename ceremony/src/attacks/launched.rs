//! Attacks on launched images, which the launcher, the workload or Google's services refuse.

use serde_json::json;

use super::materials::{forged, next};
use super::{Outcome, Scene, refused};
use crate::Error;
use crate::acts::Published;
use crate::cloud;
use crate::documents;
use crate::launch;
use crate::prologue;
use crate::stage::Said;
use crate::tee_socket;

pub(super) fn missing_countersignature_bound(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = next(scene)?;
    for collaborator in &scene.cast.collaborators {
        let (key, member) = (collaborator.data_key(), collaborator.member(&image.digest));
        cloud::bind(
            &scene.cast.endpoints.kms,
            &key,
            collaborator.token(),
            &member,
        )?;
    }
    prologue::admit_to_queue(scene.cast, &image.digest)?;
    launch::send_data(scene.cast, &image, "bound")?;
    let said = play(scene, &image, &[])?;
    prologue::admit_to_queue(scene.cast, &scene.image.digest)?;
    let missing = "not signed by collaborator-1, collaborator-2";
    Ok(refused(
        &said,
        1,
        &["workload: refused: checking signatures", missing],
    ))
}

pub(super) fn moved_tag(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let forged = forged(scene)?;
    prologue::admit_to_queue(scene.cast, &forged.digest)?;
    launch::send_data(scene.cast, scene.image, "moved-tag")?;
    let said = play(scene, &forged, &[])?;
    prologue::admit_to_queue(scene.cast, &scene.image.digest)?;
    Ok(refused(
        &said,
        1,
        &[
            "workload: refused",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
        ],
    ))
}

pub(super) fn debug_image(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let said = play(scene, scene.image, &["--image-family", "debug"])?;
    Ok(refused(
        &said,
        1,
        &["workload: refused", "rejected by the attribute condition"],
    ))
}

pub(super) fn overridden_command(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let said = play(scene, scene.image, &["--cmd", "[\"--print-everything\"]"])?;
    Ok(refused(
        &said,
        1,
        &["emulator: refused", "CMD is not allowed to be overridden"],
    ))
}

pub(super) fn replayed_token(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let runtime = scene.stage.path().join("runtime");
    let reference = scene.image.reference();
    let mut command = launch::launch(scene.stage, scene.cast, &reference, &scene.image.repository);
    command.arg("--runtime").arg(&runtime);
    let mut launched = scene.stage.start(command, |_| {})?;
    let socket = runtime.join("teeserver.sock");
    let stream = tee_socket::connect(&socket, || launched.is_running())?;
    let [first, second] = &scene.cast.collaborators;
    let token = tee_socket::token(stream, &first.audience())?;
    let sts = &scene.cast.endpoints.sts;
    let (accepted, _) = cloud::exchange(sts, &first.provider(), &token)?;
    let (status, answer) = cloud::exchange(sts, &second.provider(), &token)?;
    launched.stop()?;
    let why = answer["error_description"].as_str().unwrap_or_default();
    let is_refused = accepted == 200
        && status == 400
        && answer["error"] == json!("invalid_grant")
        && why.contains("does not match the expected audience");
    let seen = format!("{status} {answer}");
    Ok(if is_refused {
        Outcome::Refused(seen)
    } else {
        Outcome::NotRefused(seen)
    })
}

pub(super) fn foreign_key(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let [first, second] = &scene.cast.collaborators;
    launch::send(
        scene.cast,
        first,
        scene.image,
        "foreign",
        &second.data_key(),
    )?;
    launch::send_data(scene.cast, scene.image, "honest")?;
    let said = play(scene, scene.image, &[])?;
    let left = launch::drain(scene.cast)?;
    if said.stdout != launch::RESULT || left != ["foreign"] {
        let seen = format!(
            "{:?}, left in the queue {left:?}: {}",
            said.stdout, said.stderr
        );
        return Ok(Outcome::NotRefused(seen));
    }
    Ok(refused(&said, 0, &["refusing message", &second.data_key()]))
}

pub(super) fn revoked_digest(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let first = &scene.cast.collaborators[0];
    let mut revoke = scene.stage.program("verifier");
    revoke.args(["revoke", &scene.image.reference(), "--apply", "--grant"]);
    revoke.arg(documents::write_grant(scene.stage, first)?);
    revoke.args(["--kms-endpoint", &scene.cast.endpoints.kms]);
    revoke.env("GOOGLE_APPLICATION_CREDENTIALS", &first.project.credentials);
    scene
        .transcript
        .must(scene.stage, "verifier revoke", revoke)?;
    launch::send_data(scene.cast, scene.image, "revoked")?;
    let said = play(scene, scene.image, &[])?;
    Ok(refused(
        &said,
        1,
        &[
            "workload: refused",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
            &first.data_key(),
        ],
    ))
}

fn play(scene: &mut Scene<'_>, image: &Published, options: &[&str]) -> Result<Said, Error> {
    let reference = image.reference();
    let mut command = launch::launch(scene.stage, scene.cast, &reference, &image.repository);
    command.args(options);
    scene
        .transcript
        .run(scene.stage, "emulator launch", command)
}
