//! Attacks on published images and on inputs, which the builder or a collaborator's verifier refuses.

use std::fs;
use std::path::{Path, PathBuf};

use super::materials::{copy, forged, next, policy, tampered_store, without_rebuild};
use super::{Outcome, Scene, refused, refused_by};
use crate::Error;
use crate::acts;
use crate::cast::BUILDER;
use crate::cloud;
use crate::stage::{Said, finish};

pub(super) fn changed_byte(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let layer = largest(&scene.layout.join("blobs/sha256"))?;
    let name = layer.file_name().unwrap_or_default();
    let served = scene.cloud.state.join("registry/blobs/sha256").join(name);
    let honest = fs::read(&served).map_err(Error::io(&served))?;
    let mut changed = honest.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&served, changed).map_err(Error::io(&served))?;
    let policy = policy(scene, &scene.cast.repository(), &[BUILDER])?;
    let said = verify(scene, &scene.image.reference(), &policy);
    fs::write(&served, honest).map_err(Error::io(&served))?;
    Ok(refused_by(&said?, "integrity", &[&name.to_string_lossy()]))
}

pub(super) fn changed_source(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let forged = forged(scene)?;
    let policy = policy(scene, &scene.cast.repository(), &[BUILDER])?;
    let said = verify(scene, &forged.reference(), &policy)?;
    Ok(refused_by(&said, "rebuild", &["terms.json"]))
}

pub(super) fn tampered_crate(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let lock = scene.source.join("workload/Image.lock");
    let text = fs::read_to_string(&lock).map_err(Error::io(&lock))?;
    let digest = first_crate(&text).ok_or_else(|| Error::answer("Image.lock", "no crate"))?;
    let store = tampered_store(scene, &digest)?;
    let mut build = scene.stage.program("builder");
    build
        .arg("build")
        .arg(scene.source.join("workload"))
        .arg("--store")
        .arg(store);
    build.arg("-o").arg(scene.stage.path().join("never"));
    let said = scene.transcript.run(scene.stage, "builder build", build)?;
    Ok(refused(&said, 2, &["checking crate", &digest, "found"]))
}

pub(super) fn unknown_key(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = copy(scene, "unknown-key")?;
    let layout = scene.layout;
    acts::attest(scene.stage, scene.transcript, scene.cast, &image, layout)?;
    let key = scene.stage.folder("attacker")?.join("cosign");
    let mut keygen = scene.stage.program("builder");
    keygen.arg("keygen").arg(&key);
    finish(scene.stage, keygen)?;
    let mut sign = acts::writing(scene.stage, scene.cast, "sign");
    sign.args([&image.reference(), "--key"]);
    sign.arg(key.with_extension("key"));
    scene
        .transcript
        .must(scene.stage, "builder sign  (the attacker's key)", sign)?;
    let policy = policy(scene, &image.repository, &[BUILDER])?;
    let said = verify(scene, &image.reference(), &policy)?;
    Ok(refused_by(&said, "signatures", &["signature of builder"]))
}

pub(super) fn missing_countersignature(scene: &mut Scene<'_>) -> Result<Outcome, Error> {
    let image = next(scene)?;
    let [first, second] = &scene.cast.collaborators;
    let policy = policy(scene, &image.repository, &[BUILDER])?;
    let policy = without_rebuild(&policy)?;
    let (stage, cast) = (scene.stage, scene.cast);
    let command = acts::authorization(stage, cast, first, &image.reference(), &policy, None)?;
    let key_policy = || cloud::key_policy(&cast.endpoints.kms, &first.data_key(), first.token());
    let before = key_policy()?;
    let said = scene.transcript.run(stage, "verifier authorize", command)?;
    let after = key_policy()?;
    if after != before || said.stdout.contains("attribute.image_digest") {
        let seen = format!("a binding: {}{after}", said.stdout);
        return Ok(Outcome::NotRefused(seen));
    }
    let words = format!("signature of {}", second.name);
    Ok(refused_by(&said, "countersign", &[&words]))
}

fn verify(scene: &mut Scene<'_>, reference: &str, policy: &Path) -> Result<Said, Error> {
    let command = acts::verifier(
        scene.stage,
        "verify",
        reference,
        policy,
        Some(scene.rebuilt),
    );
    scene
        .transcript
        .run(scene.stage, "verifier verify", command)
}

fn largest(folder: &Path) -> Result<PathBuf, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let found = entries.flatten().map(|entry| entry.path()).max_by_key(size);
    found.ok_or_else(|| Error::answer(folder.display(), "no blob"))
}

/// The digest of the first crate in `lock`, in hex.
fn first_crate(lock: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    let digest = lock
        .get("crate")?
        .as_array()?
        .first()?
        .get("sha256")?
        .as_str()?;
    Some(digest.trim_start_matches("sha256:").to_owned())
}
