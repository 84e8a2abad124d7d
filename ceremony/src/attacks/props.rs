//! What several attacks need: images, policies and a store that are not the honest ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Scene;
use crate::Error;
use crate::acts::{self, Published};
use crate::prologue;
use crate::stage::{Stage, finish};

/// An image of other terms, which ask for the builder's signature alone, published under the same
/// tag, signed by the builder and with the honest image's provenance.
pub(super) fn forged(scene: &mut Scene<'_>) -> Result<Published, Error> {
    if let Some(forged) = &scene.forged {
        return Ok(forged.clone());
    }
    let source = scene.stage.path().join("forged");
    let mut clone = Command::new("git");
    clone
        .args(["clone", "--quiet", "--no-local"])
        .arg(scene.source)
        .arg(&source);
    finish(scene.stage, clone)?;
    let mut terms = prologue::terms(scene.stage, scene.cast)?;
    if let Some(signers) = terms["signers"].as_array_mut() {
        signers.truncate(1);
    }
    prologue::write_terms(&source, &terms)?;
    prologue::commit(scene.stage, &source)?;
    let layout = acts::build(scene.stage, scene.programme, "forged terms", &source)?;
    let repository = scene.cast.repository();
    let image = acts::push(scene.stage, scene.programme, &layout, &repository, "v1")?;
    acts::sign(scene.stage, scene.programme, scene.cast, &image)?;
    acts::attest(
        scene.stage,
        scene.programme,
        scene.cast,
        &image,
        scene.layout,
    )?;
    scene.forged = Some(image.clone());
    Ok(image)
}

/// The honest image in a repository of its own, without any signature.
pub(super) fn copy(scene: &mut Scene<'_>, name: &str) -> Result<Published, Error> {
    let repository = format!("{}/{name}", scene.cast.repository());
    acts::push(
        scene.stage,
        scene.programme,
        scene.layout,
        &repository,
        "v1",
    )
}

/// The honest image where only the builder has signed it.
pub(super) fn half_signed(scene: &mut Scene<'_>) -> Result<Published, Error> {
    let image = copy(scene, "half-signed")?;
    acts::sign(scene.stage, scene.programme, scene.cast, &image)?;
    Ok(image)
}

pub(super) fn policy(
    scene: &Scene<'_>,
    repository: &str,
    required: &[&str],
) -> Result<PathBuf, Error> {
    acts::policy(
        scene.stage,
        scene.cast,
        &scene.cast.collaborators[0],
        repository,
        required,
    )
}

/// A store that is the real one but for a byte of one archive.
pub(super) fn tampered_store(stage: &Stage, digest: &str) -> Result<PathBuf, Error> {
    let store = store()?;
    let copy = stage.folder("tampered-store")?;
    let mut links = Command::new("cp");
    links
        .args(["-a", "--symbolic-link"])
        .arg(store.join("sha256"))
        .arg(&copy);
    finish(stage, links)?;
    let archive = copy.join("sha256").join(digest);
    let mut bytes = fs::read(&archive).map_err(Error::io(&archive))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&archive).map_err(Error::io(&archive))?;
    fs::write(&archive, bytes).map_err(Error::io(&archive))?;
    Ok(copy)
}

/// Where the builder keeps its inputs (XDG base directory specification).
pub(super) fn store() -> Result<PathBuf, Error> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.filter(|path| path.is_absolute()).or_else(home);
    cache
        .map(|cache| cache.join("countersign"))
        .ok_or_else(|| Error::Answer {
            what: "HOME".into(),
            found: "it is not set".into(),
        })
}
