//! The wheels that `Image.toml` asks for, and whether a lock has them.

use std::collections::BTreeMap;

use console::hint::Hinted;
use pep440_rs::VersionSpecifier;

use super::requirements::{Requirement, Requirements};
use super::tags::Tags;
use super::target::Target;
use crate::lock::packages::Package;
use crate::lock::wheels::{ProjectName, Wheel};
use crate::lock::{AGAIN, Lock};
use crate::spec::WheelsSpec;
use crate::untrusted::shown;

/// An entry `[[wheels]]`, with its requirements.
#[derive(Clone, Debug)]
pub struct WantedWheels {
    /// The entry.
    pub(super) spec: WheelsSpec,
    /// What its file names.
    pub(super) requirements: Requirements,
}

/// The requirements for one Python.
pub(super) struct Applied {
    pub(super) target: Target,
    pub(super) requirements: BTreeMap<ProjectName, Requirement>,
}

impl WantedWheels {
    /// Parses the file of an entry.
    ///
    /// # Errors
    /// See [`Requirements::parse`].
    pub(in crate::inputs) fn parse(spec: &WheelsSpec, text: &str) -> Result<Self, Hinted> {
        Ok(Self {
            spec: spec.clone(),
            requirements: Requirements::parse(&spec.requirements, text)?,
        })
    }

    /// The requirements that apply to the Python of an image with these packages.
    ///
    /// # Errors
    /// There is no Python, or there are two versions of a project.
    pub(super) fn apply(&self, runtime: &[Package], architecture: &str) -> Result<Applied, Hinted> {
        let target = Target::of(self.spec.python.as_ref(), runtime, architecture)?;
        Ok(Applied {
            requirements: self.requirements.of(&target)?,
            target,
        })
    }
}

/// Checks that a lock has a wheel for each requirement, which one of its digests names and which fits the Python, and no other
/// wheels; and that no two of them are one project at one version.
///
/// # Errors
/// It does not.
pub(in crate::inputs) fn check(
    wanted: &[WantedWheels],
    lock: &Lock,
    architecture: &str,
) -> Result<(), Hinted> {
    let mut left: Vec<_> = lock.wheels.iter().collect();
    for one in wanted {
        let applied = one.apply(&lock.runtime, architecture)?;
        let tags = Tags::of(&applied.target);
        let file = shown(&one.requirements.file);
        for requirement in applied.requirements.values() {
            let is_its = |wheel: &&Wheel| {
                wheel.path == one.spec.path
                    && is_of(wheel, requirement)
                    && tags.place(&wheel.file).is_some()
            };
            let found = left.iter().position(is_its).ok_or_else(|| {
                let (name, version) = (&requirement.name, &requirement.version);
                other(&format!(
                    "{name} {version} of {file} is not among its wheels"
                ))
            })?;
            left.swap_remove(found);
        }
    }
    match left.first() {
        None => check_alike(&lock.wheels),
        Some(wheel) => Err(other(&format!(
            "no requirement names its wheel {}",
            wheel.file
        ))),
    }
}

/// A project at one version is one wheel in an image, as in its bill of materials.
pub(super) fn check_alike(wheels: &[Wheel]) -> Result<(), Hinted> {
    let mut known = BTreeMap::new();
    for wheel in wheels {
        let key = (&wheel.name, &wheel.version);
        if let Some(other) = known.insert(key, wheel)
            && other.sha256 != wheel.sha256
        {
            return Err(Hinted::new(format_args!(
                "choosing wheels: both {} and {} are {} {}",
                other.file, wheel.file, wheel.name, wheel.version
            ))
            .hinting("name the same digests for it in all files of requirements"));
        }
    }
    Ok(())
}

fn is_of(wheel: &Wheel, requirement: &Requirement) -> bool {
    let wanted = VersionSpecifier::equals_version(requirement.version.clone());
    let version = wheel.version.parsed();
    wheel.name == requirement.name
        && version.is_some_and(|version| wanted.contains(&version))
        && requirement.digests.contains(&wheel.sha256)
}

fn other(reason: &str) -> Hinted {
    Hinted::new(format_args!("checking Image.lock: {reason}")).hinting(AGAIN)
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;
    use crate::lock::tests::lock;

    fn wheel(name: &str, path: &str) -> Wheel {
        Wheel {
            path: path.into(),
            name: "a".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            file: name.parse().unwrap(),
            sha256: Digest::of(b"x"),
            size: 1,
        }
    }

    #[test]
    fn a_lock_has_the_wheels_of_the_requirements() {
        let text = "requirements = 'r.txt'\npath = '/app'\npython = '3.12'\nglibc = '2.36'";
        let spec: WheelsSpec = content::toml::parse(text).unwrap();
        let hex = Digest::of(b"x").hex();
        let required =
            format!("A==1 --hash=sha256:{hex}\nb==1; os_name == 'nt' --hash=sha256:{hex}\n");
        let wanted = [WantedWheels::parse(&spec, &required).unwrap()];
        let checked = |wheels: &[Wheel], wanted: &[WantedWheels]| {
            let lock = Lock {
                wheels: wheels.to_vec(),
                ..lock()
            };
            check(wanted, &lock, "amd64").map_err(|error| error.to_string())
        };
        let good = wheel("a-1.0-py3-none-any.whl", "/app");
        assert_eq!(checked(std::slice::from_ref(&good), &wanted), Ok(()));
        assert_eq!(checked(&[], &[]), Ok(()));
        let absent = "checking Image.lock: a 1 of r.txt is not among its wheels";
        let mut digest = good.clone();
        digest.sha256 = Digest::of(b"y");
        let mut version = good.clone();
        version.version = "2".parse().unwrap();
        for other in [
            wheel("a-1.0-py3-none-any.whl", "/other"),
            wheel("a-1.0-cp311-cp311-manylinux1_x86_64.whl", "/app"),
            digest,
            version,
        ] {
            assert_eq!(checked(&[other], &wanted), Err(absent.to_owned()));
        }
        assert_eq!(checked(&[], &wanted), Err(absent.to_owned()));
        // Two entries, each with another digest of the same version.
        let entry = |path: &str, digest: Digest| {
            let spec = text.replace("/app", path);
            let spec: WheelsSpec = content::toml::parse(&spec).unwrap();
            WantedWheels::parse(&spec, &format!("a==1 --hash=sha256:{}", digest.hex())).unwrap()
        };
        let both =
            ["x", "y"].map(|content| entry(&format!("/{content}"), Digest::of(content.as_bytes())));
        let mut wheels = ["/x", "/y"].map(|path| wheel("a-1.0-py3-none-any.whl", path));
        wheels[1].sha256 = Digest::of(b"y");
        let twice = checked(&wheels, &both).unwrap_err();
        assert!(twice.ends_with("are a 1.0"), "{twice}");
        let more = "checking Image.lock: no requirement names its wheel a-1.0-py3-none-any.whl";
        assert_eq!(
            checked(std::slice::from_ref(&good), &[]),
            Err(more.to_owned())
        );
        assert_eq!(
            checked(&[good.clone(), good], &wanted),
            Err(more.to_owned())
        );
    }
}
