//! All stages of a build: from a commit to an OCI layout.
//!
//! ```text
//! commit -> source -> spec, lock -> inputs -> program -> image -> layout
//! ```

use std::path::Path;

use content::Digest;

use crate::compile::program::Program;
use crate::compile::{cargo, command, go};
use crate::error::Error;
use crate::image::assemble::Identities;
use crate::image::output::Output;
use crate::image::{self, Described};
use crate::inputs::{self, Inputs, Ready, git};
use crate::order::Order;
use crate::untrusted::shown;

/// The result of a build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The digests of the image.
    pub identities: Identities,
    /// The commit that was built.
    pub commit: String,
    /// Digest of the staged source.
    pub tree: Digest,
    /// Digest of `Image.lock`.
    pub lock: Digest,
}

/// Builds an image and writes it to the layout `output`, which replaces an earlier layout when it is complete.
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
    let output = Output::prepare(output)?;
    let inputs = inputs::gather(source, scratch.path(), &order.supply)?;
    let program = compile(order, &inputs, scratch.path())?;
    let identities = order.supply.during("assemble the image", |_| {
        assemble(order, &inputs, &program, &output)
    })?;
    order.supply.interrupt.check()?;
    output.publish()?;
    Ok(Built {
        identities,
        commit: inputs.source.commit,
        tree: inputs.source.tree,
        lock: inputs.lock_digest,
    })
}

/// Writes the image, and the documents about it.
fn assemble(
    order: &Order<'_>,
    inputs: &Inputs,
    program: &Program,
    output: &Output,
) -> Result<Identities, Error> {
    let (identities, files) =
        image::assemble(inputs, program, output.path(), order.supply.interrupt)?;
    let described = Described {
        identities: &identities,
        files: &files,
    };
    image::describe(order, inputs, program, &described, output.path())?;
    Ok(identities)
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
