//! Python packages, in provenance and bill of materials.

use attest::Sbom;
use attest::sbom::wheel_purl;

use crate::lock::wheels::Wheel;

/// The packages of a lock.
pub(super) fn all(wheels: &[Wheel]) -> Sbom {
    let mut all = Sbom::new();
    add(&mut all, wheels);
    all
}

/// Adds packages to a bill of materials.
pub(super) fn add(sbom: &mut Sbom, wheels: &[Wheel]) {
    for one in wheels {
        sbom.add_wheel(one.name.as_str(), one.version.as_str(), one.sha256);
    }
}

/// The package URL of each package with the paths of its files. One package may be in two directories.
pub(super) fn own(wheels: &[(Wheel, Vec<String>)]) -> impl Iterator<Item = (String, &[String])> {
    wheels.iter().map(|(wheel, paths)| {
        let purl = wheel_purl(wheel.name.as_str(), wheel.version.as_str());
        (purl, paths.as_slice())
    })
}
