//! What exists at Google: zones, machine types and images of Confidential Space.

use std::ops::RangeInclusive;

use confidential::launch_policy::MachineImage;
use google::compute::{MachineType, ResourceName, Zone};

use super::error;
use crate::launch::Hardware;
use crate::legacy_error::LegacyError;
use crate::location;

/// The project of Google's images for Confidential Space.
const IMAGES: &str = "confidential-space-images";
/// Its families of images that are emulated.
const FAMILIES: [(&str, MachineImage); 2] = [
    ("confidential-space", MachineImage::Production),
    ("confidential-space-debug", MachineImage::Debug),
];
/// Series of machine types with Intel TDX, and with AMD SEV ("Confidential VM supported configurations").
const TDX: [&str; 2] = ["c3", "a3"];
const SEV: [&str; 5] = ["n2d", "c2d", "c3d", "c4d", "n4d"];
/// Other series.
const OTHERS: [&str; 9] = ["e2", "n1", "n2", "n4", "c2", "c4", "t2d", "m3", "g2"];
/// Kinds of machine types in a series.
const KINDS: [&str; 5] = ["standard", "highmem", "highcpu", "highgpu", "micro"];

/// The zones of a region, by letter: no region has others ("Regions and zones").
const ZONES: RangeInclusive<char> = 'a'..='f';

/// A zone that exists. Each region is taken to have all letters.
pub(super) fn zone(project: &str, text: &str) -> Result<Zone, LegacyError> {
    if text.parse::<ResourceName>().is_err() {
        let pattern = "Must be a match of regex '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?'";
        return Err(error::invalid("zone", text, pattern));
    }
    let zone: Option<Zone> = text.parse().ok();
    let has_letter = |letter: &str| {
        letter
            .parse()
            .is_ok_and(|letter: char| ZONES.contains(&letter))
    };
    let (_, letter) = text.rsplit_once('-').unwrap_or_default();
    let exists = |zone: &Zone| has_letter(letter) && location::check_region(zone.region()).is_ok();
    zone.filter(exists)
        .ok_or_else(|| error::not_found(&format!("projects/{project}/zones/{text}")))
}

/// A region that exists.
pub(super) fn region(project: &str, text: &str) -> Result<(), LegacyError> {
    location::check_region(text)
        .map_err(|_| error::not_found(&format!("projects/{project}/regions/{text}")))
}

/// All zones.
pub fn zones() -> impl Iterator<Item = String> {
    let regions = location::regions();
    regions.flat_map(|region| ZONES.map(move |letter| format!("{region}-{letter}")))
}

/// Checks that a family of images exists, by its path.
///
/// # Errors
/// There is no such family.
pub fn check_image(path: &str) -> Result<(), LegacyError> {
    image(path).map(drop)
}

/// The name of a new resource.
pub(super) fn name(text: &str) -> Result<ResourceName, LegacyError> {
    if text.is_empty() {
        return Err(error::required("resource.name"));
    }
    text.parse().map_err(|_| {
        let pattern = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
        error::invalid("resource.name", text, pattern)
    })
}

/// A machine type that exists, by its URL, with the hardware that a machine of the type can have.
pub(super) fn machine_type(url: &str, zone: &str) -> Result<Vec<Hardware>, LegacyError> {
    let field = "resource.machineType";
    let name = url.rsplit('/').next().unwrap_or_default();
    let unknown = || {
        let why = format!("Machine type with name '{name}' does not exist in zone '{zone}'.");
        error::invalid(field, url, why)
    };
    let read: MachineType = name.parse().map_err(|_| unknown())?;
    let read = read.to_string();
    let parts: Vec<_> = read.split('-').collect();
    let [series, kind, ..] = parts[..] else {
        return Err(unknown());
    };
    if !KINDS.contains(&kind) {
        return Err(unknown());
    }
    match series {
        series if TDX.contains(&series) => Ok(vec![Hardware::IntelTdx]),
        series if SEV.contains(&series) => Ok(vec![Hardware::AmdSev]),
        series if OTHERS.contains(&series) => Ok(Vec::new()),
        _ => Err(unknown()),
    }
}

/// The image by its URL: a family of Confidential Space.
pub(super) fn image(url: &str) -> Result<MachineImage, LegacyError> {
    let path = url.find("projects/").map_or(url, |at| &url[at..]);
    let known = FAMILIES
        .iter()
        .find(|(family, _)| path == format!("projects/{IMAGES}/global/images/family/{family}"));
    match known {
        Some((_, image)) => Ok(*image),
        None => Err(error::not_found(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exists_is_found() {
        assert_eq!(zone("p", "us-central1-a").unwrap().region(), "us-central1");
        for (text, code) in [
            ("us-central1", 404),
            ("nowhere-1-a", 404),
            ("us-central1-x", 404),
            ("Us", 400),
        ] {
            assert_eq!(zone("p", text).unwrap_err().code, code, "{text}");
        }
        assert!(zones().all(|name| zone("p", &name).is_ok()));
        assert!(zones().any(|name| name == "us-central1-f"));
        let types = |name: &str| machine_type(&format!("zones/z/machineTypes/{name}"), "z");
        assert_eq!(types("c3-standard-4").unwrap(), [Hardware::IntelTdx]);
        assert_eq!(types("n2d-standard-2").unwrap(), [Hardware::AmdSev]);
        assert_eq!(types("e2-micro").unwrap(), []);
        assert!(
            types("c9-standard-4")
                .unwrap_err()
                .message
                .contains("does not exist in zone 'z'")
        );
        let family = "https://x/compute/v1/projects/confidential-space-images/global/images/family/confidential-space";
        assert_eq!(image(family).unwrap(), MachineImage::Production);
        assert_eq!(
            image("projects/debian-cloud/global/images/family/debian-12")
                .unwrap_err()
                .code,
            404
        );
    }
}
