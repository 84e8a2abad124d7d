//! Writes an image, and the documents about it, into a layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use attest::{Provenance, Sbom};
use console::hint::Hinted;
use content::json;
use oci::{Execution, Layout};
use serde_json::json;

use super::assemble::{self, Identities, ImageSpec};
use super::base;
use super::contents::{self, Files, Origins};
use super::describe::{self, Description};
use crate::at::At;
use crate::compile::program::Program;
use crate::error::Error;
use crate::inputs::debian::evidence;
use crate::inputs::{ImageInputs, Inputs};
use crate::interrupt::Interrupt;
use crate::order::Order;
use crate::spec::{Origin, Parts, StartSpec};

/// The file in a layout that says which checks of the inputs were made. Unlike the other documents, it depends on the
/// machine: a registry may be unreachable.
pub const CHECKS: &str = "checks.json";

/// Writes an image into the empty folder `layout`. Returns its digests, and its files.
pub(crate) fn assemble(
    inputs: &Inputs,
    image: &ImageInputs,
    program: &Program,
    layout: &Path,
    interrupt: &Interrupt,
) -> Result<(Identities, Files), Error> {
    let ImageInputs {
        wanted,
        wheels,
        base,
    } = image;
    let staged = &inputs.source.staged;
    let directory = staged.join(&inputs.source.directory);
    let submodules = inputs.source.submodules.iter();
    let submodules: Vec<_> = submodules.map(|path| staged.join(path)).collect();
    let contents = contents::collect(
        &wanted.spec,
        &Origins {
            directory: &directory,
            submodules: &submodules,
            program,
            runtime: &inputs.runtime,
            packages: &wanted.lock.runtime,
            wheels: wheels.folders(),
        },
    )?;
    let layout = Layout::create(layout).map_err(unassembled)?;
    let lower = base
        .as_ref()
        .map(|base| base::add(base, &layout, interrupt));
    let lower = lower.transpose()?;
    let below = lower.as_ref().map(|lower| {
        lower.check(&contents.entries)?;
        Ok::<_, Hinted>(lower.files(&contents.entries))
    });
    let files = Files {
        base: below.transpose()?.unwrap_or_default(),
        digests: contents::digests(&contents.entries)?,
        owned: contents.owned,
        wheels: contents.wheels,
    };
    let spec = ImageSpec {
        base: lower.as_ref().map(|lower| lower.base.clone()),
        entries: contents.entries,
        architecture: inputs.wanted.spec.root.architecture.clone(),
        execution: execution(&wanted.spec.start),
    };
    let identities = assemble::assemble(spec, &layout).map_err(unassembled)?;
    Ok((identities, files))
}

fn unassembled(error: oci::Error) -> Hinted {
    Hinted::doing("assembling image", error)
}

fn execution(start: &StartSpec) -> Execution {
    let env = start.env.iter();
    Execution {
        user: start.user.clone().unwrap_or_default(),
        env: env.map(|(name, value)| format!("{name}={value}")).collect(),
        entrypoint: start.entrypoint.clone(),
        cmd: start.cmd.clone(),
        working_dir: start.working_dir.clone().unwrap_or_default(),
        labels: start.labels.clone(),
        ..Execution::default()
    }
}

/// The image that documents are about.
pub(crate) struct Described<'a> {
    pub inputs: &'a ImageInputs,
    pub program: &'a Program,
    pub identities: &'a Identities,
    pub files: &'a Files,
}

/// Writes the documents about the image, and the signed package index, into its layout.
pub(crate) fn describe(
    order: &Order<'_>,
    inputs: &Inputs,
    image: &Described<'_>,
    layout: &Path,
) -> Result<(), Error> {
    let own;
    let source_uri = match order.source_uri {
        Some(uri) => uri,
        None => {
            own = own_uri(order.directory, &inputs.source.directory)?;
            &own
        }
    };
    let (wanted, program) = (&image.inputs.wanted, image.program);
    let packages = linked(&wanted.spec.parts, program);
    let description = Description {
        builder_id: order.builder_id,
        source_uri,
        source: &inputs.source,
        image: wanted.spec.name.as_ref(),
        lock: &wanted.lock,
        lock_digest: inputs.lock_digest,
        root: &inputs.wanted.spec.root,
        invocation: &program.invocation,
        linked: &program.linked,
        packages: &packages,
        base: image.inputs.base.as_ref(),
        modules: &program.modules,
    };
    let unwritten = |error: attest::Error| Hinted::doing("describing image", error);
    let provenance = describe::provenance(&description).to_bytes();
    let provenance = provenance.map_err(unwritten)?;
    let sbom = describe::sbom(&description, image.files)?;
    let spdx = describe::spdx(
        &description,
        &sbom,
        image.identities.image_digest,
        image.files,
    );
    let (sbom, spdx) = (
        sbom.to_bytes().map_err(unwritten)?,
        spdx.map_err(unwritten)?,
    );
    let checks = json::canonical(&json!({ "registry": inputs.registry }));
    let path = layout.join(CHECKS);
    let checks = checks.map_err(|error| At::writing(&path)(io::Error::other(error)))?;
    let (provenance_file, sbom_file) = (Provenance::PREDICATE.file, Sbom::PREDICATE.file);
    for (name, bytes) in [
        (provenance_file, provenance),
        (sbom_file, sbom),
        (Sbom::SPDX_FILE, spdx),
        (CHECKS, checks),
    ] {
        let path = layout.join(name);
        fs::write(&path, bytes).map_err(At::writing(&path))?;
    }
    let folder = layout.join(evidence::FOLDER);
    Ok(inputs
        .evidence
        .write(&folder)
        .map_err(At::writing(&folder))?)
}

/// The names of the packages that are linked into binaries, by their paths in the image.
fn linked(parts: &Parts, program: &Program) -> BTreeMap<String, BTreeSet<String>> {
    let files = parts.files.iter().filter_map(|file| match &file.origin {
        Origin::Binary(name) => Some((file.path.clone(), program.packages.get(name)?.clone())),
        _ => None,
    });
    files.filter(|(_, packages)| !packages.is_empty()).collect()
}

/// The URI of the repository with this `directory`, which is `within` it.
fn own_uri(directory: &Path, within: &Path) -> Result<String, At> {
    let directory = directory.canonicalize().map_err(At::reading(directory))?;
    let top = directory.ancestors().nth(within.components().count());
    Ok(format!(
        "git+file://{}",
        top.unwrap_or(&directory).display()
    ))
}
