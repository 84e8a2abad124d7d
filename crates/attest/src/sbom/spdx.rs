//! The same bill of materials as SPDX 2.3 in JSON. It has no time and identifier of its own: equal contents give equal bytes.

use std::collections::BTreeMap;

use content::{Digest, json};
use serde_json::{Value, json};
use sha1_checked::{Digest as _, Sha1};

use super::{Item, Sbom, WHEEL, document_error, unexpected};
use crate::Error;

/// The identifier of the document (SPDX 2.3, 6.3).
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// The identifier of the package that is the image.
const IMAGE: &str = "SPDXRef-Image";

/// What SPDX requires beside the bill of materials.
#[derive(Clone, Debug)]
pub struct Spdx<'a> {
    /// The digest of the image's manifest.
    pub image: Digest,
    /// The SHA-1 of each file in hex, by absolute path, without which SPDX 2.3 has no files (8.4).
    pub sha1: &'a BTreeMap<String, String>,
    /// When the document counts as created, in RFC 3339, in UTC and without fractions (6.9).
    pub created: &'a str,
    /// The package URL of the crate that is the program.
    pub application: Option<&'a str>,
}

impl Sbom {
    /// The name of the file with the document, in the layout of an image.
    pub const SPDX_FILE: &'static str = "sbom.spdx.json";

    /// The bill of materials as SPDX 2.3, in canonical JSON. It describes the image, which contains the files, in which Debian
    /// packages are linked, and the application, which depends on crates.
    ///
    /// # Errors
    /// A file has no SHA-1, or the document cannot be converted to JSON.
    pub fn to_spdx(&self, about: &Spdx<'_>) -> Result<Vec<u8>, Error> {
        let mut document = json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": DOCUMENT,
            "name": format!("image {}", about.image),
            "creationInfo": {"created": about.created, "creators": ["Tool: countersign-builder"]},
            "packages": self.spdx_packages(about)?,
            "files": self.spdx_files(about)?,
            "relationships": self.relationships(about),
        });
        // Another document has another namespace (6.5): a UUID of version 8 (RFC 9562, 5.8) from the digest of all others.
        let digest = Digest::of(&json::canonical(&document).map_err(document_error)?);
        document["documentNamespace"] = format!("urn:uuid:{}", uuid(&digest)).into();
        json::canonical(&document).map_err(document_error)
    }

    fn spdx_packages(&self, about: &Spdx<'_>) -> Result<Vec<Value>, Error> {
        let image = json!({
            "SPDXID": IMAGE,
            "name": "image",
            "versionInfo": about.image.to_string(),
            "primaryPackagePurpose": "CONTAINER",
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": true,
            "packageVerificationCode": {"packageVerificationCodeValue": self.verification_code(about)?},
            "checksums": [checksum("SHA256", about.image.hex())],
        });
        let items = self.packages.values().map(|item| {
            let purpose = match Some(item.purl.as_str()) == about.application {
                true => "APPLICATION",
                false => "LIBRARY",
            };
            json!({
                "SPDXID": package_id(&item.purl),
                "name": item.name,
                "versionInfo": item.version,
                "primaryPackagePurpose": purpose,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": false,
                "checksums": checksums(item),
                "externalRefs": [{
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": item.purl,
                }],
            })
        });
        let base = self.base().map(|item| {
            json!({
                "SPDXID": package_id(&item.purl),
                "name": item.name,
                "versionInfo": item.version,
                "primaryPackagePurpose": "CONTAINER",
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": false,
                "checksums": checksums(item),
                "externalRefs": [{
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": item.purl,
                }],
            })
        });
        Ok(std::iter::once(image).chain(base).chain(items).collect())
    }

    fn spdx_files(&self, about: &Spdx<'_>) -> Result<Vec<Value>, Error> {
        let files = self.files.iter().map(|(path, digest)| {
            Ok(json!({
                "SPDXID": file_id(path),
                // Relative to the root of the image (8.1).
                "fileName": format!(".{path}"),
                "checksums": [
                    checksum("SHA1", about.sha1_of(path)?.to_owned()),
                    checksum("SHA256", digest.hex()),
                ],
            }))
        });
        files.collect()
    }

    /// SHA-1 over the SHA-1 of all files, sorted (7.9).
    fn verification_code(&self, about: &Spdx<'_>) -> Result<String, Error> {
        let digests = self.files.keys().map(|path| about.sha1_of(path));
        let mut digests = digests.collect::<Result<Vec<_>, _>>()?;
        digests.sort_unstable();
        Ok(sha1(digests.concat().as_bytes()))
    }

    fn relationships(&self, about: &Spdx<'_>) -> Vec<Value> {
        let application = about.application.map(package_id);
        let application = application.as_deref();
        let described = [Some(IMAGE), application].into_iter().flatten();
        let mut all: Vec<Value> = described
            .map(|to| relation(DOCUMENT, "DESCRIBES", to))
            .collect();
        let files = self.files.keys().map(|path| file_id(path));
        all.extend(files.map(|file| relation(IMAGE, "CONTAINS", &file)));
        all.extend(application.map(|application| relation(IMAGE, "CONTAINS", application)));
        for item in self.packages().chain(self.of_type(WHEEL)) {
            let package = package_id(&item.purl);
            if let Some(paths) = self.contained.get(&item.purl) {
                all.push(relation(IMAGE, "CONTAINS", &package));
                let files = paths.iter().map(|path| file_id(path));
                all.extend(files.map(|file| relation(&package, "CONTAINS", &file)));
            }
        }
        for (path, linked) in &self.links {
            let linked = linked.iter().map(|purl| package_id(purl));
            all.extend(linked.map(|package| relation(&file_id(path), "STATIC_LINK", &package)));
        }
        if let Some((item, files)) = &self.base {
            let base = package_id(&item.purl);
            all.push(relation(IMAGE, "DESCENDANT_OF", &base));
            let files = files.iter().map(|path| file_id(path));
            all.extend(files.map(|file| relation(&base, "CONTAINS", &file)));
        }
        for (user, used) in &self.dependencies {
            let used = used.iter().map(|purl| package_id(purl));
            all.extend(used.map(|used| relation(&package_id(user), "DEPENDS_ON", &used)));
        }
        all
    }
}

impl Spdx<'_> {
    fn sha1_of(&self, path: &str) -> Result<&str, Error> {
        let found = self.sha1.get(path).map(String::as_str);
        found.ok_or_else(|| unexpected("a SHA-1", path))
    }
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

fn checksum(algorithm: &str, hex: String) -> Value {
    json!({"algorithm": algorithm, "checksumValue": hex})
}

/// None if the digest is not known: the field is optional (7.10), and may be empty.
fn checksums(item: &Item) -> Vec<Value> {
    let digest = item.digest.iter();
    digest
        .map(|digest| checksum("SHA256", digest.hex()))
        .collect()
}

/// Identifiers may have letters, digits, periods and hyphens only (7.2, 8.2).
fn package_id(purl: &str) -> String {
    format!("SPDXRef-Package-{}", Digest::of(purl.as_bytes()).hex())
}

fn file_id(path: &str) -> String {
    format!("SPDXRef-File-{}", Digest::of(path.as_bytes()).hex())
}

/// The SHA-1 of bytes as hex. SPDX uses it to name files, not to protect them: SHA-256 stands beside it.
fn sha1(bytes: &[u8]) -> String {
    let mut hasher = Sha1::new();
    hasher.update(bytes);
    let digest = hasher.try_finalize();
    digest
        .hash()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn uuid(digest: &Digest) -> String {
    let hex = digest.hex();
    // The variant is 10 in binary.
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
