//! All stages of a build: from a commit to an OCI layout, or several.
//!
//! ```text
//! commit -> source -> spec, lock -> inputs -> program -> images -> layouts
//! ```

use std::path::Path;

use content::Digest;

use crate::compile::program::Program;
use crate::compile::{cargo, command, go};
use crate::error::Error;
use crate::image::output::Output;
use crate::image::{self, BuiltImage, Described, several};
use crate::inputs::{self, ImageInputs, Inputs, Ready, git};
use crate::order::Order;
use crate::untrusted::shown;

/// The result of a build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The images, in the order of `Image.toml`.
    pub images: Vec<BuiltImage>,
    /// The commit that was built.
    pub commit: String,
    /// Digest of the staged source.
    pub tree: Digest,
    /// Digest of `Image.lock`.
    pub lock: Digest,
}

/// Builds an image, or all of `Image.toml`, and writes the layout `output`, or a folder with a layout for each name. It replaces
/// an earlier one when it is complete.
///
/// # Errors
/// See [`Error`]; then `output` is unchanged.
pub fn build(order: &Order<'_>, output: &Path) -> Result<Built, Error> {
    order.check_machine()?;
    let scratch = order.supply.store.scratch()?;
    let source = order.supply.during("stage the source", |_| {
        git::stage(order.directory, &scratch.path().join("source")).map_err(Error::from)
    })?;
    order.supply.store.remember(order.directory)?;
    for path in &source.submodules {
        order.supply.note(&format!(
            "note: {} is a submodule: its folder is empty in the build; if the build needs its files, commit them in its place",
            shown(path)
        ));
    }
    // After staging: git would report an output within the source as an uncommitted change.
    let coming = Output::prepare(output)?;
    let inputs = inputs::gather(source, order.image, scratch.path(), &order.supply)?;
    let program = compile(order, &inputs, scratch.path())?;
    let images = inputs.images.iter();
    let images = images.map(|image| assemble(order, &inputs, image, &program, coming.path()));
    let images = images.collect::<Result<Vec<_>, _>>()?;
    if order.image.is_none() {
        several::list(&images, coming.path())?;
    }
    order.supply.interrupt.check()?;
    coming.publish()?;
    Ok(Built {
        images,
        commit: inputs.source.commit,
        tree: inputs.source.tree,
        lock: inputs.lock_digest,
    })
}

/// Writes an image, and the documents about it, into its layout below `output`.
fn assemble(
    order: &Order<'_>,
    inputs: &Inputs,
    image: &ImageInputs,
    program: &Program,
    output: &Path,
) -> Result<BuiltImage, Error> {
    let spec = &image.wanted.spec;
    let program = program.of(&spec.parts.binaries());
    let layout = several::layout(output, order.image, spec.name.as_ref());
    let named = spec.name.as_ref().map(|name| format!(" {name}"));
    let step = format!("assemble the image{}", named.unwrap_or_default());
    order.supply.during(step, |_| {
        let (identities, files) =
            image::assemble(inputs, image, &program, &layout, order.supply.interrupt)?;
        let described = Described {
            inputs: image,
            program: &program,
            identities: &identities,
            files: &files,
        };
        image::describe(order, inputs, &described, &layout)?;
        Ok(BuiltImage {
            name: spec.name.clone(),
            identities,
        })
    })
}

/// Chooses the kind of build. A new kind is a file next to `compile::cargo`, and a match arm here.
fn compile(order: &Order<'_>, inputs: &Inputs, scratch: &Path) -> Result<Program, Error> {
    let (package, compiled) = match &inputs.ready {
        Ready::Cargo { spec, vendor } => (
            spec.package.clone(),
            cargo::build(spec, vendor, order, inputs, scratch),
        ),
        Ready::Go {
            spec,
            inputs: ready,
        } => (
            spec.packages.join(" "),
            go::build(spec, ready, order, inputs, scratch),
        ),
        Ready::Command(spec) => (
            spec.command.join(" "),
            command::build(spec, order, inputs, scratch),
        ),
    };
    compiled.map_err(|source| Error::Compile { package, source })
}
