//! Obtains, checks and unpacks all inputs of a staged source.

use std::path::{Path, PathBuf};

use attest::ImageName;
use content::Digest;

use super::archive::{self, Mounted};
use super::base::BaseImage;
use super::cargo::{self, RegistryCheck};
use super::debian::root::{self, Contents};
use super::debian::{AllEvidence, Runtime};
use super::git::Source;
use super::git::repositories::Staged;
use super::go::{self, GoInputs};
use super::normalize::normalize;
use super::obtain::{contained, obtain};
use super::supply::Supply;
use super::wanted::{Image, Wanted};
use super::wheels::Wheels;
use crate::at::At;
use crate::error::Error;
use crate::lock::Lock;
use crate::spec::{BuildSpec, CargoSpec, CommandSpec, GoSpec};

/// All inputs of a build, checked and unpacked.
pub struct Inputs {
    /// The source.
    pub source: Source,
    /// The parsed `Image.toml`, and the files of the build's kind.
    pub wanted: Wanted,
    /// The lock.
    pub lock: Lock,
    /// Digest of `Image.lock`.
    pub lock_digest: Digest,
    /// The signed package indexes.
    pub evidence: AllEvidence,
    /// The folder with the build root.
    pub root: PathBuf,
    /// The archives that `Image.toml` names.
    pub archives: Vec<Mounted>,
    /// The packages that the images contain.
    pub runtime: Runtime,
    /// The images.
    pub images: Vec<ImageInputs>,
    /// What the kind of build needs besides.
    pub ready: Ready,
    /// The git repositories with crates, if there are any.
    pub repositories: Option<Staged>,
    /// Whether the crates were compared with the public registry, and the Python packages with the package index. Without
    /// them, there is nothing to compare.
    pub registry: RegistryCheck,
}

/// An image, and its inputs.
pub struct ImageInputs {
    /// What it is, and its lock.
    pub wanted: Image,
    /// The Python packages that it contains.
    pub wheels: Wheels,
    /// The image below it.
    pub base: Option<BaseImage>,
}

/// What a kind of build needs, unpacked.
pub enum Ready {
    /// Cargo.
    Cargo {
        /// What to build.
        spec: CargoSpec,
        /// The folder with the crates, as cargo expects a vendored source.
        vendor: PathBuf,
    },
    /// Go.
    Go {
        /// What to build.
        spec: GoSpec,
        /// The toolchain and the modules.
        inputs: GoInputs,
    },
    /// A command.
    Command(CommandSpec),
}

/// Obtains, checks and unpacks the inputs of a staged source, as the files of its commit name them: those of the image `name`, or
/// of all images. `scratch` is a folder for temporary files.
///
/// # Errors
/// There is no image with this name, an input is missing, is another than locked, or cannot be unpacked, or the work was
/// interrupted.
pub fn gather(
    source: Source,
    name: Option<&ImageName>,
    scratch: &Path,
    supply: &Supply<'_>,
) -> Result<Inputs, Error> {
    let wanted = Wanted::staged(&source)?;
    let (lock, lock_digest) = wanted.lock(&source)?;
    let images = wanted.chosen(name, &lock)?;
    let obtained = obtain(&wanted, &lock, &lock_digest, &images, supply)?;
    let checked = supply.during("check the inputs", |_| {
        check(&wanted, &lock, &images, scratch, supply)
    })?;
    normalize(&source.staged).map_err(At::writing(&source.staged))?;
    let images = images.into_iter().zip(checked.wheels).zip(obtained.bases);
    let images = images.map(|((wanted, wheels), base)| ImageInputs {
        wanted,
        wheels,
        base,
    });
    Ok(Inputs {
        source,
        wanted,
        lock,
        lock_digest,
        evidence: obtained.evidence,
        root: checked.root,
        archives: checked.archives,
        runtime: checked.runtime,
        images: images.collect(),
        ready: checked.ready,
        repositories: obtained.repositories,
        registry: obtained.registry,
    })
}

/// What is unpacked, and compared with the lock.
struct Checked {
    root: PathBuf,
    archives: Vec<Mounted>,
    runtime: Runtime,
    /// Those of each image.
    wheels: Vec<Wheels>,
    ready: Ready,
}

fn check(
    wanted: &Wanted,
    lock: &Lock,
    images: &[Image],
    scratch: &Path,
    supply: &Supply<'_>,
) -> Result<Checked, Error> {
    let (root, ready) = std::thread::scope(|thread| {
        let ready = thread.spawn(|| prepare(&wanted.spec.build, lock, scratch, supply));
        let contents = Contents {
            packages: &lock.packages,
            toolchain: wanted.spec.root.toolchain,
        };
        let root = root::prepare(&lock.root, contents, supply);
        (root, ready.join())
    });
    let ready = ready.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let wheels = images
        .iter()
        .map(|image| Wheels::unpack(&image.lock.wheels, supply));
    Ok(Checked {
        archives: archive::prepare(&wanted.spec.archives, &lock.archives, supply)?,
        runtime: Runtime::unpack(&contained(images), supply)?,
        wheels: wheels.collect::<Result<_, _>>()?,
        root: root?,
        ready,
    })
}

fn prepare(
    build: &BuildSpec,
    lock: &Lock,
    scratch: &Path,
    supply: &Supply<'_>,
) -> Result<Ready, Error> {
    match build {
        BuildSpec::Cargo(spec) => Ok(Ready::Cargo {
            spec: spec.clone(),
            vendor: cargo::vendor(lock.crates(), supply)?,
        }),
        BuildSpec::Go(spec) => Ok(Ready::Go {
            spec: spec.clone(),
            inputs: go::prepare(&lock.modules, scratch, supply)?,
        }),
        BuildSpec::Command(spec) => Ok(Ready::Command(spec.clone())),
    }
}
