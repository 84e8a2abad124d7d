//! All stages of a build: from a commit to an OCI layout.
//!
//! ```text
//! commit -> source -> spec, lock -> inputs -> program -> image -> layout
//! ```

use std::path::Path;

use content::Digest;

use crate::compile::cargo;
use crate::compile::program::Program;
use crate::error::Error;
use crate::image::assemble::Identities;
use crate::image::output::Output;
use crate::image::{self, Described};
use crate::inputs::{self, Inputs, git};
use crate::order::Order;
use crate::spec::BuildSpec;

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
    order.supply.step("staging the source")?;
    let source = git::stage(order.directory, &scratch.path().join("source"))?;
    // After staging: git would report an output within the source as an uncommitted change.
    let output = Output::prepare(output)?;
    let inputs = inputs::gather(source, &order.supply)?;
    let program = compile(order, &inputs, scratch.path())?;
    order.supply.step("assembling the image")?;
    let (identities, files) =
        image::assemble(&inputs, &program, output.path(), order.supply.interrupt)?;
    let described = Described {
        identities: &identities,
        files: &files,
    };
    image::describe(order, &inputs, &program, &described, output.path())?;
    order.supply.interrupt.check()?;
    output.publish()?;
    Ok(Built {
        identities,
        commit: inputs.source.commit,
        tree: inputs.source.tree,
        lock: inputs.lock_digest,
    })
}

/// Chooses the kind of build. A new kind is a file next to `compile::cargo`, and a match arm here.
fn compile(order: &Order<'_>, inputs: &Inputs, scratch: &Path) -> Result<Program, Error> {
    match &inputs.wanted.spec.build {
        BuildSpec::Cargo(spec) => cargo::build(spec, order, inputs, scratch).map_err(|source| {
            let package = spec.package.clone();
            Error::Compile { package, source }
        }),
    }
}
