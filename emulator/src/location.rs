//! The locations of Google Cloud services.

use crate::status::Status;

/// Regions of Google Cloud ("Regions and zones", 2026-11).
const REGIONS: [&str; 43] = [
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "asia-southeast3",
    "australia-southeast1",
    "australia-southeast2",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
];
/// Locations of Cloud KMS that are not regions ("Cloud KMS locations").
const OF_KMS: [&str; 25] = [
    "asia",
    "asia1",
    "au",
    "ca",
    "de",
    "eur3",
    "eur4",
    "eur5",
    "eur6",
    "europe",
    "global",
    "in",
    "it",
    "nam-eur-asia1",
    "nam10",
    "nam11",
    "nam12",
    "nam3",
    "nam4",
    "nam6",
    "nam7",
    "nam8",
    "nam9",
    "us",
    "eur8",
];

/// Locations of Artifact Registry that are not regions ("Repository locations").
const OF_ARTIFACT_REGISTRY: [&str; 3] = ["asia", "europe", "us"];

/// All regions.
pub fn regions() -> impl Iterator<Item = &'static str> {
    REGIONS.into_iter()
}

/// Checks a location of Cloud KMS.
///
/// # Errors
/// The location does not exist. The error has Google's words.
pub fn check_kms(location: &str) -> Result<(), Status> {
    match REGIONS.contains(&location) || OF_KMS.contains(&location) {
        true => Ok(()),
        false => Err(Status::not_found(format!(
            "The request concerns location '{location}' but was sent to location 'global'. Either \
             Cloud KMS is not available in '{location}' or the request was misrouted. gRPC clients \
             must ensure that 'x-goog-request-params' is specified in request metadata. See \
             https://cloud.google.com/kms/docs/grpc for more information."
        ))),
    }
}

/// Checks a location of Artifact Registry.
///
/// # Errors
/// The location does not exist. The error has Google's words.
pub fn check_artifact_registry(location: &str) -> Result<(), Status> {
    match OF_ARTIFACT_REGISTRY.contains(&location) {
        true => Ok(()),
        false => check_region(location),
    }
}

/// Checks a location of Confidential Computing, which is a region.
///
/// # Errors
/// The region does not exist. The error has Google's words.
pub fn check_region(location: &str) -> Result<(), Status> {
    match REGIONS.contains(&location) {
        true => Ok(()),
        false => Err(Status::no_location(location)),
    }
}

/// Checks the location of a workload identity pool.
///
/// # Errors
/// The location is not `global`. The error has Google's words.
pub fn check_global(location: &str) -> Result<(), Status> {
    match location {
        "global" => Ok(()),
        _ => Err(Status::no_location(location)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_locations_of_google() {
        for known in ["global", "us", "us-central1", "europe-west4"] {
            assert_eq!(check_kms(known), Ok(()), "{known}");
        }
        for unknown in ["nowhere-1", "us-central1-a", "US", "", "us-central"] {
            let refused = check_kms(unknown).unwrap_err();
            assert_eq!(refused.code, 404, "{unknown}");
            let words = format!("The request concerns location '{unknown}'");
            assert!(refused.message.starts_with(&words), "{refused:?}");
        }
        assert_eq!(check_region("us-central1"), Ok(()));
        for unknown in ["global", "us", "nowhere-1"] {
            assert_eq!(check_region(unknown).unwrap_err().code, 403, "{unknown}");
        }
        for known in ["us", "europe-west1"] {
            assert_eq!(check_artifact_registry(known), Ok(()), "{known}");
        }
        assert_eq!(check_artifact_registry("global").unwrap_err().code, 403);
        assert_eq!(check_global("us-central1").unwrap_err().code, 403);
    }
}
