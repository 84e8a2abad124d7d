//! The versions of documents.

use super::document::{Checksum, Package, Spdx};
use crate::{Error, Format};

/// The algorithms that version 2.3 added (SPDX 2.3, annex K.1).
const ALGORITHMS: [&str; 3] = ["SHA3-", "BLAKE", "ADLER32"];
/// The relations that version 2.3 added.
const RELATIONS: [&str; 2] = ["REQUIREMENT_DESCRIPTION_FOR", "SPECIFICATION_FOR"];

/// The error for a version that is not read.
pub(crate) fn other_version(format: Format, found: &str) -> Error {
    Error::value(format, "SPDX-2.2 or SPDX-2.3", found)
}

/// Checks that a document of version 2.2 has nothing that only version 2.3 has: another reader would refuse or ignore it.
///
/// # Errors
/// The first that it has.
pub(super) fn check_2_2(spdx: &Spdx, format: Format) -> Result<(), Error> {
    let member = spdx.packages.iter().find_map(member);
    let packages = spdx.packages.iter().flat_map(|package| &package.checksums);
    let files = spdx.files.iter().flat_map(|file| &file.checksums);
    let mut checksums = packages.chain(files).chain(external(spdx));
    let algorithm = checksums.find_map(|checksum| {
        let algorithm = checksum.algorithm.as_str();
        let is_new = ALGORITHMS.iter().any(|new| algorithm.starts_with(new));
        is_new.then_some(algorithm)
    });
    let mut relations = spdx.relationships.iter();
    let relation = relations.find_map(|relation| {
        let kind = relation.relationship_type.as_str();
        RELATIONS.contains(&kind).then_some(kind)
    });
    match member.or(algorithm).or(relation) {
        Some(found) => {
            let expected = "only what version 2.2 has, or SPDX-2.3 as the version";
            Err(Error::value(format, expected, found))
        }
        None => Ok(()),
    }
}

fn external(spdx: &Spdx) -> impl Iterator<Item = &Checksum> {
    let documents = spdx.external_document_refs.iter();
    documents.map(|document| &document.checksum)
}

/// A member of a package that version 2.3 added.
fn member(package: &Package) -> Option<&'static str> {
    let members = [
        ("primaryPackagePurpose", &package.primary_package_purpose),
        ("builtDate", &package.built_date),
        ("releaseDate", &package.release_date),
        ("validUntilDate", &package.valid_until_date),
    ];
    let mut there = members.into_iter().filter(|(_, value)| value.is_some());
    there.next().map(|(name, _)| name)
}
