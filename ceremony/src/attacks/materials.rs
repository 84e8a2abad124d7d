//! Images, policies and stores that several attacks need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use attest::Predicate;
use console::git;
use console::process::Network;
use serde_json::{Value, json};

use super::Scene;
use crate::Error;
use crate::acts::{self, Published};
use crate::documents;
use crate::prologue;
use crate::stage::finish;

/// An image whose terms require the builder's signature alone, published under the same tag, signed by
/// the builder, with the provenance and SBOM of the honest image.
pub(super) fn forged(scene: &mut Scene<'_>) -> Result<Published, Error> {
    if let Some(forged) = &scene.forged {
        return Ok(forged.clone());
    }
    let mut terms = prologue::terms(scene.cast)?;
    // Terms must name each collaborator as a signer: the builder's key takes the name of the only one left.
    let first = scene.cast.collaborators[0].name;
    for list in ["collaborators", "signers"] {
        if let Some(entries) = terms[list].as_array_mut() {
            entries.truncate(1);
        }
    }
    terms["signers"][0]["name"] = first.into();
    let source = source(scene, "forged terms", &terms)?;
    prologue::commit(scene.stage, &source)?;
    let layout = acts::build(scene.stage, scene.transcript, "forged terms", &source)?;
    for lie in Predicate::descriptions().map(|predicate| predicate.file) {
        let path = layout.join(lie);
        fs::copy(scene.layout.join(lie), &path).map_err(Error::io(&path))?;
    }
    let image = publish(scene, &layout, "v1")?;
    scene.forged = Some(image.clone());
    Ok(image)
}

/// The next release, in which the operator may pass signatures as arguments: honest, but signed by the builder alone.
pub(super) fn next(scene: &mut Scene<'_>) -> Result<Published, Error> {
    if let Some(next) = &scene.next {
        return Ok(next.clone());
    }
    let mut terms = prologue::terms(scene.cast)?;
    terms["signers"] = prologue::signers_by_keys(scene.cast)?;
    terms["late_binding"] = json!({
        "from": ["token", "argument"],
        "repository": scene.cast.repository(),
    });
    let source = source(scene, "next release", &terms)?;
    prologue::allow_arguments(&source)?;
    // The lock names the description of the image by digest.
    acts::lock(scene.stage, scene.transcript, &source)?;
    let layout = acts::build(scene.stage, scene.transcript, "next release", &source)?;
    let image = publish(scene, &layout, "v2")?;
    scene.next = Some(image.clone());
    Ok(image)
}

/// The honest source with other terms.
fn source(scene: &Scene<'_>, what: &str, terms: &Value) -> Result<PathBuf, Error> {
    let source = scene.stage.path().join(what.replace(' ', "-"));
    let mut clone = git::command(Network::Allowed);
    clone
        .args(["clone", "--quiet", "--no-local"])
        .arg(scene.source)
        .arg(&source);
    finish(scene.stage, clone)?;
    prologue::write_terms(&source, terms)?;
    Ok(source)
}

/// Publishes as the builder does.
fn publish(scene: &mut Scene<'_>, layout: &Path, tag: &str) -> Result<Published, Error> {
    let (stage, cast) = (scene.stage, scene.cast);
    let image = acts::push(
        stage,
        scene.transcript,
        cast,
        layout,
        &cast.repository(),
        tag,
    )?;
    acts::sign(stage, scene.transcript, cast, &image)?;
    acts::attest(stage, scene.transcript, cast, &image, layout)?;
    Ok(image)
}

/// The honest image in another repository, without any signature.
pub(super) fn copy(scene: &mut Scene<'_>, name: &str) -> Result<Published, Error> {
    let repository = format!("{}/{name}", scene.cast.repository());
    acts::push(
        scene.stage,
        scene.transcript,
        scene.cast,
        scene.layout,
        &repository,
        "v1",
    )
}

pub(super) fn policy(
    scene: &Scene<'_>,
    repository: &str,
    required: &[&str],
) -> Result<PathBuf, Error> {
    documents::policy(
        scene.stage,
        scene.cast,
        &scene.cast.collaborators[0],
        repository,
        required,
    )
}

/// The same policy without the rebuild, so that it refuses for another reason.
pub(super) fn without_rebuild(policy: &Path) -> Result<PathBuf, Error> {
    let text = fs::read_to_string(policy).map_err(Error::io(policy))?;
    let path = policy.with_extension("no-rebuild.toml");
    let text = text.replace("[rebuild]\nrequire = true", "[rebuild]\nrequire = false");
    fs::write(&path, text).map_err(Error::io(&path))?;
    Ok(path)
}

/// A copy of the store in which one byte of one crate archive is changed; `digest` is the one of the archive, in hex.
pub(super) fn tampered_store(scene: &Scene<'_>, digest: &str) -> Result<PathBuf, Error> {
    let copy = scene.stage.folder("tampered-store")?;
    let mut links = Command::new("cp");
    links
        .args(["-a", "--symbolic-link"])
        .args(["crates", "packages"].map(|kind| scene.store.join(kind)))
        .arg(&copy);
    finish(scene.stage, links)?;
    let archive = archive(&copy.join("crates"), digest)?;
    let mut bytes = fs::read(&archive).map_err(Error::io(&archive))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&archive).map_err(Error::io(&archive))?;
    fs::write(&archive, bytes).map_err(Error::io(&archive))?;
    Ok(copy)
}

/// The file whose name begins with the digest.
fn archive(crates: &Path, digest: &str) -> Result<PathBuf, Error> {
    let failed = || Error::io(crates);
    for entry in fs::read_dir(crates).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        if entry.file_name().to_string_lossy().starts_with(digest) {
            return Ok(entry.path());
        }
    }
    Err(failed()(std::io::ErrorKind::NotFound.into()))
}
