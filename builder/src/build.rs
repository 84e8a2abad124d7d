//! From a commit and its lock to a layout: the diagram.
//!
//! ```text
//! commit -> source -> lock -> signed index -> inputs -> root, vendor -> compile -> assemble, describe -> layout
//! ```

pub mod cargo;

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use attest::{Provenance, Sbom};
use content::{Digest, json};
use oci::{Execution, Layout};
use serde_json::json;

use crate::error::Error;
use crate::image::assemble::{Identities, ImageSpec, assemble};
use crate::image::contents::{self, Sources};
use crate::image::describe::{self, Description};
use crate::image::output::Output;
use crate::inputs::cargo::RegistryCheck;
use crate::inputs::debian::root;
use crate::inputs::debian::{self, Evidence};
use crate::inputs::git::{self, Source};
use crate::inputs::normalize::settle;
use crate::inputs::store::Store;
use crate::inputs::{self, LOCK, Lock, LockError, Supply, Wanted};
use crate::sandbox::Sandbox;
use crate::spec::StartSpec;
use cargo::{Compilation, Invocation, Linked};

/// Which checks of the inputs were made, at the top of a layout. Unlike the others it depends on the machine: a
/// registry may not be reachable.
pub const CHECKS: &str = "checks.json";

/// A build as it is ordered.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The folder of `Image.toml`, in a git repository whose last commit is built.
    pub folder: &'a Path,
    /// Where inputs are kept.
    pub store: &'a Store,
    /// Which package archive, and which keys are trusted to sign for it.
    pub archive: debian::Options<'a>,
    /// How provenance names who builds.
    pub builder_id: &'a str,
    /// How provenance names the source; the repository's own path without.
    pub source_uri: Option<&'a str>,
    /// How many compilers run at once.
    pub jobs: NonZeroUsize,
    /// How the compiler is run, who hears of progress, and who may interrupt.
    pub sandbox: Sandbox<'a>,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// What the image is known by.
    pub identities: Identities,
    /// The commit.
    pub commit: String,
    /// The digest of what of it was staged.
    pub tree: Digest,
    /// The digest of `Image.lock`.
    pub lock: Digest,
}

/// Builds into the layout `output`, which appears when it is complete, and takes the place of an
/// earlier one.
///
/// # Errors
/// See [`Error`]; then `output` is as it was.
pub fn build(order: &Order<'_>, output: &Path) -> Result<Built, Error> {
    // What the machine does not allow is told before hundreds of megabytes are fetched for it.
    order.sandbox.probe()?;
    order.store.check_executable()?;
    let scratch = order.store.scratch()?;
    (order.sandbox.progress)("staging the source");
    let source = git::stage(order.folder, &scratch.path().join("source"))?;
    // Only now: where it lies within the source it would count as not committed.
    let output = Output::prepare(output)?;
    let inputs = gather(order, source)?;
    let built = make(order, &inputs, scratch.path(), output.path())?;
    order.sandbox.interrupt.check()?;
    output.publish()?;
    Ok(built)
}

/// All inputs, checked and unpacked.
struct Inputs {
    source: Source,
    folder: PathBuf,
    wanted: Wanted,
    lock: Lock,
    lock_digest: Digest,
    evidence: Evidence,
    root: PathBuf,
    vendor: PathBuf,
    registry: RegistryCheck,
}

/// Wanted and locked is what the commit says, not the working tree.
fn gather(order: &Order<'_>, source: Source) -> Result<Inputs, Error> {
    let Sandbox {
        interrupt,
        progress,
        ..
    } = order.sandbox;
    let supply = Supply {
        archive: order.archive,
        store: order.store,
        interrupt,
        progress,
    };
    let folder = source.staged.join(&source.folder);
    let cargo_lock = source.staged.join(&source.cargo_lock);
    let (wanted, lock) =
        read(&folder, &cargo_lock).map_err(|error| error.named_from(&source.staged))?;
    interrupt.check()?;
    // Before anything that the lock names is fetched or taken from the store.
    let evidence = lock.verify(&wanted.spec.root, &supply)?;
    interrupt.check()?;
    let registry = lock.fetch(&wanted, &supply)?;
    interrupt.check()?;
    progress("checking the inputs");
    let (root, vendor) = std::thread::scope(|scope| {
        let vendor = scope.spawn(|| inputs::cargo::vendor(&lock.crates, &supply));
        let root = root::prepare(&lock.root, &lock.packages, &supply);
        (root, vendor.join())
    });
    let vendor = vendor.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    settle(&source.staged).map_err(Error::Scratch)?;
    Ok(Inputs {
        lock_digest: digest(&folder.join(LOCK))?,
        evidence,
        root: root?,
        source,
        folder,
        wanted,
        lock,
        vendor,
        registry,
    })
}

fn read(folder: &Path, cargo_lock: &Path) -> Result<(Wanted, Lock), LockError> {
    let wanted = Wanted::read(folder, cargo_lock)?;
    let lock = Lock::read(folder, &wanted)?;
    Ok((wanted, lock))
}

fn digest(path: &Path) -> Result<Digest, Error> {
    let read = fs::File::open(path).and_then(|file| {
        let bytes = content::read_limited(file, content::limits::DOCUMENT);
        bytes.map_err(io::Error::other)
    });
    let bytes = read.map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(Digest::of(&bytes))
}

fn make(order: &Order<'_>, inputs: &Inputs, scratch: &Path, output: &Path) -> Result<Built, Error> {
    let spec = &inputs.wanted.spec;
    let compilation = Compilation {
        root: inputs.root.clone(),
        source: inputs.source.staged.clone(),
        directory: inputs.source.folder.clone(),
        vendor: inputs.vendor.clone(),
        package: spec.build.package.clone(),
        target: spec.build.target.clone(),
        jobs: order.jobs,
        scratch: scratch.to_owned(),
    };
    let binary = scratch.join("binary");
    cargo::compile(&compilation, &order.sandbox, &binary)?;
    // Only now: what cannot be resolved cannot be compiled, and that is an answer about the source.
    let linked = cargo::linked(&compilation, &order.sandbox)?;
    (order.sandbox.progress)("assembling the image");
    let sources = Sources {
        folder: &inputs.folder,
        package: &spec.build.package,
        binary: &binary,
    };
    let entries = contents::entries(&spec.files, &sources)?;
    let files = contents::digests(&entries)?;
    let image = ImageSpec {
        entries,
        architecture: spec.root.architecture.clone(),
        execution: execution(&spec.image),
    };
    let identities = assemble(image, &Layout::create(output)?)?;
    let made = Made {
        invocation: cargo::invocation(&compilation)?,
        linked,
        files,
    };
    describe(order, inputs, &made, output)?;
    let folder = output.join(debian::evidence::FOLDER);
    let written = inputs.evidence.write(&folder);
    written.map_err(|source| Error::Write {
        path: folder,
        source,
    })?;
    Ok(Built {
        identities,
        commit: inputs.source.commit.clone(),
        tree: inputs.source.tree,
        lock: inputs.lock_digest,
    })
}

fn execution(start: &StartSpec) -> Execution {
    Execution {
        user: start.user.clone().unwrap_or_default(),
        env: start
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
        entrypoint: start.entrypoint.clone(),
        cmd: start.cmd.clone(),
        working_dir: start.working_dir.clone().unwrap_or_default(),
        labels: start.labels.clone(),
        ..Execution::default()
    }
}

/// What was made, and how.
struct Made {
    invocation: Invocation,
    linked: Vec<Linked>,
    files: Vec<(String, Digest)>,
}

fn describe(order: &Order<'_>, inputs: &Inputs, made: &Made, output: &Path) -> Result<(), Error> {
    let spec = &inputs.wanted.spec;
    let own;
    let source_uri = match order.source_uri {
        Some(uri) => uri,
        None => {
            own = own_uri(order.folder, &inputs.source.folder)?;
            &own
        }
    };
    let description = Description {
        builder_id: order.builder_id,
        source_uri,
        source: &inputs.source,
        lock: &inputs.lock,
        lock_digest: inputs.lock_digest,
        architecture: &spec.root.architecture,
        invocation: &made.invocation,
        linked: &made.linked,
    };
    let provenance = describe::provenance(&description).to_bytes()?;
    let sbom = describe::sbom(&description, &made.files)?.to_bytes()?;
    let checks = json::canonical(&json!({ "registry": inputs.registry }));
    let checks = checks.map_err(|error| Error::Write {
        path: output.join(CHECKS),
        source: io::Error::other(error),
    })?;
    write(&output.join(Provenance::PREDICATE.file), &provenance)?;
    write(&output.join(Sbom::PREDICATE.file), &sbom)?;
    write(&output.join(CHECKS), &checks)
}

/// The repository's path as a URI: its folder, less the folder within it.
fn own_uri(folder: &Path, within: &Path) -> Result<String, Error> {
    let folder = folder.canonicalize().map_err(|source| Error::Read {
        path: folder.to_owned(),
        source,
    })?;
    let top = folder.ancestors().nth(within.components().count());
    Ok(format!("git+file://{}", top.unwrap_or(&folder).display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}
