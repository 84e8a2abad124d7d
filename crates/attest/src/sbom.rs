//! The software bill of materials of an image, as CycloneDX 1.5. It has no serial number and no time, so
//! the same contents always give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use ::sbom::{Document, cyclonedx};
use content::{Digest, json, limits};
use cyclonedx_bom::models::bom::Bom;
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::prelude::Purl;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Error;
use crate::Statement;
use crate::predicate::{Predicate, Purpose};

mod item;
mod read;
mod spdx;

pub use self::spdx::Spdx;
pub use item::{
    CRATE, DebianPackage, Item, MODULE, PACKAGE, STANDARD_LIBRARY, WHEEL, crate_purl,
    git_crate_purl, image_purl, module_purl, own_crate_purl, own_module_purl, package_purl,
    wheel_purl,
};

/// The types of predicates that are bills of materials: CycloneDX and SPDX.
pub const TYPES: [&str; 2] = [Sbom::PREDICATE.uri, SPDX];
/// The type of SPDX documents (cosign, `spdx` and `spdxjson`).
pub(crate) const SPDX: &str = "https://spdx.dev/Document";

/// The kind of component that the base image is, by CycloneDX's name.
const CONTAINER: &str = "container";

/// The bill of materials in a statement: in JSON, or as cosign has SPDX in the tag-value form, in a string.
///
/// # Errors
/// The type of predicate is not one of [`TYPES`], or the predicate is not such a document, by the published schema.
pub fn document(statement: &Statement<Value>) -> Result<Document, Error> {
    let predicate = statement.predicate.clone();
    match (statement.predicate_type.as_str(), predicate) {
        (SPDX, Value::String(text)) => Ok(::sbom::spdx::parse_tag_value(text.as_bytes())?),
        (SPDX, predicate) => Ok(::sbom::spdx::from_value(predicate)?),
        (kind, predicate) if kind == Sbom::PREDICATE.uri => Ok(cyclonedx::from_value(predicate)?),
        (other, _) => Err(Error::Value {
            what: "type of bill of materials",
            expected: TYPES.join(" or "),
            found: other.chars().take(200).collect(),
        }),
    }
}

fn cyclonedx_document(bytes: &[u8]) -> Result<Document, Error> {
    let value = json::parse(bytes, limits::STATEMENT).map_err(document_error)?;
    Ok(cyclonedx::from_value(value)?)
}

/// The components of an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sbom {
    files: BTreeMap<String, Digest>,
    packages: BTreeMap<String, Item>,
    /// The base image, and which of the files its layers bring.
    base: Option<(Item, BTreeSet<String>)>,
    /// The files that packages bring, by package URL.
    contained: BTreeMap<String, BTreeSet<String>>,
    /// The package URL of the package that a file is listed in, by path.
    owners: BTreeMap<String, String>,
    /// The package URLs of what a crate depends on, by its own.
    dependencies: BTreeMap<String, BTreeSet<String>>,
    /// The package URLs of what is linked into a file, by its absolute path.
    links: BTreeMap<String, BTreeSet<String>>,
}

impl Sbom {
    /// The type of predicate.
    pub const PREDICATE: Predicate = Predicate {
        name: "sbom",
        cosign_name: "cyclonedx",
        uri: "https://cyclonedx.org/bom",
        media_type: "application/vnd.cyclonedx+json",
        file: "sbom.cdx.json",
        summary: "CycloneDX bill of materials: what the image contains",
        purpose: Purpose::Description,
        volatile: &[],
        parse: |bytes| cyclonedx_document(bytes).map(drop),
    };

    /// An empty bill of materials.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, by its absolute path in the image.
    pub fn add_file(&mut self, path: &str, digest: Digest) {
        self.files.insert(path.to_owned(), digest);
    }

    /// Sets the base image, by its repository and the digest of its manifest, and adds the files of its layers.
    pub fn set_base(
        &mut self,
        repository: &str,
        digest: Digest,
        files: impl Iterator<Item = (String, Digest)>,
    ) {
        let item = Item {
            purl: image_purl(repository, &digest),
            name: repository.to_owned(),
            version: digest.to_string(),
            digest: Some(digest),
        };
        let files: Vec<_> = files.collect();
        let paths = files.iter().map(|(path, _)| path.clone()).collect();
        self.files.extend(files);
        self.base = Some((item, paths));
    }

    /// The base image.
    pub fn base(&self) -> Option<&Item> {
        self.base.as_ref().map(|(item, _)| item)
    }

    /// Adds files, by their absolute paths in the image, that a Debian or Python package brings. A file that several packages bring
    /// is listed in the first one, because a component is listed once.
    pub fn add_contained(&mut self, purl: &str, paths: impl Iterator<Item = String>) {
        let of_package = self.contained.entry(purl.to_owned()).or_default();
        for path in paths {
            let owner = self.owners.entry(path.clone());
            if owner.or_insert_with(|| purl.to_owned()) == purl {
                of_package.insert(path);
            }
        }
    }

    /// The paths of the files that came as they are: those that the layers of the base image bring, and those of packages.
    pub fn delivered(&self) -> impl Iterator<Item = &str> {
        let of_base = self.base.iter().map(|(_, files)| files);
        let files = of_base.chain(self.contained.values()).flatten();
        files.map(String::as_str)
    }

    /// Adds a crate, by the digest of its archive.
    pub fn add_crate(&mut self, name: &str, version: &str, digest: Digest) {
        self.add(crate_purl(name, version), name, version, digest);
    }

    /// Adds a crate in `folder` of the source, by the digest of the source.
    pub fn add_own_crate(&mut self, name: &str, version: &str, folder: &str, digest: Digest) {
        self.add(own_crate_purl(name, version, folder), name, version, digest);
    }

    /// Adds a crate of the git repository at `url`, by the digest of the files of the commit.
    pub fn add_git_crate(
        &mut self,
        name: &str,
        version: &str,
        url: &str,
        commit: &str,
        digest: Digest,
    ) {
        let purl = git_crate_purl(name, version, url, commit);
        self.add(purl, name, version, digest);
    }

    /// Adds a Debian package, by the digest of its archive.
    pub fn add_package(&mut self, package: &DebianPackage<'_>, digest: Digest) {
        let purl = package_purl(package);
        self.add(purl, package.name, package.version, digest);
    }

    /// Adds a module of Go, by the digest of its archive.
    pub fn add_module(&mut self, name: &str, version: &str, digest: Digest) {
        self.add(module_purl(name, version), name, version, digest);
    }

    /// Adds a module of Go in `folder` of the source, by the digest of the source. Its version is the commit.
    pub fn add_own_module(&mut self, name: &str, version: &str, folder: &str, digest: Digest) {
        let purl = own_module_purl(name, version, folder);
        self.add(purl, name, version, digest);
    }

    /// Adds a Python package, by the digest of its archive.
    pub fn add_wheel(&mut self, name: &str, version: &str, digest: Digest) {
        self.add(wheel_purl(name, version), name, version, digest);
    }

    /// Adds that one crate depends on another, both by their package URLs.
    pub fn add_dependency(&mut self, user: &str, used: &str) {
        let of_user = self.dependencies.entry(user.to_owned()).or_default();
        of_user.insert(used.to_owned());
    }

    /// Adds that a package is linked into a file, by its absolute path in the image.
    pub fn add_link(&mut self, path: &str, purl: &str) {
        let of_file = self.links.entry(path.to_owned()).or_default();
        of_file.insert(purl.to_owned());
    }

    /// The package URLs of what is linked into a file, by its absolute path in the image.
    pub fn linked_into(&self, path: &str) -> impl Iterator<Item = &str> {
        self.links
            .get(path)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Adds Go's standard library, by the digest of what has it; `None` if that is not known.
    pub fn add_standard_library(&mut self, version: &str, digest: Option<Digest>) {
        let purl = module_purl(STANDARD_LIBRARY, version);
        self.insert(purl, STANDARD_LIBRARY, version, digest);
    }

    fn add(&mut self, purl: String, name: &str, version: &str, digest: Digest) {
        self.insert(purl, name, version, Some(digest));
    }

    fn insert(&mut self, purl: String, name: &str, version: &str, digest: Option<Digest>) {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.packages.insert(
            purl.clone(),
            Item {
                purl,
                name,
                version,
                digest,
            },
        );
    }

    /// The files, by absolute path.
    pub fn files(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.files
            .iter()
            .map(|(path, digest)| (path.as_str(), *digest))
    }

    /// All packages: crates and others.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.packages.values()
    }

    /// The crates.
    pub fn crates(&self) -> impl Iterator<Item = &Item> {
        self.of_type(CRATE)
    }

    /// The Debian packages.
    pub fn packages(&self) -> impl Iterator<Item = &Item> {
        self.of_type(PACKAGE)
    }

    /// The components whose package URL begins with `prefix`, such as [`MODULE`].
    pub fn of_type(&self, prefix: &str) -> impl Iterator<Item = &Item> {
        let items = self.packages.values();
        items.filter(move |item| item.purl.starts_with(prefix))
    }

    fn to_bom(&self) -> Result<Bom, Error> {
        let delivered: BTreeSet<&str> = self.delivered().collect();
        let own = self.files.iter();
        let own = own.filter(|(path, _)| !delivered.contains(path.as_str()));
        let files = own.map(|file| self.file_component(file));
        let base = self.base.as_ref().map(|(item, files)| {
            let mut component = component(Classification::Container, item)?;
            component.components = Some(self.file_components(files));
            Ok(component)
        });
        let packages = self.packages.values().map(|item| {
            let mut component = component(Classification::Library, item)?;
            let files = self.contained.get(&item.purl);
            component.components = files.map(|files| self.file_components(files));
            Ok(component)
        });
        let components = files
            .map(Ok)
            .chain(base)
            .chain(packages)
            .collect::<Result<_, Error>>()?;
        let dependencies = self.dependencies.iter().chain(&self.links);
        let dependencies = dependencies.map(|(user, used)| Dependency {
            dependency_ref: user.clone(),
            dependencies: used.iter().cloned().collect(),
        });
        let dependencies: Vec<_> = dependencies.collect();
        Ok(Bom {
            serial_number: None,
            components: Some(Components(components)),
            dependencies: (!dependencies.is_empty()).then_some(Dependencies(dependencies)),
            ..Bom::default()
        })
    }

    fn file_components(&self, paths: &BTreeSet<String>) -> Components {
        let files = paths
            .iter()
            .filter_map(|path| self.files.get_key_value(path));
        Components(files.map(|file| self.file_component(file)).collect())
    }

    fn file_component(&self, (path, digest): (&String, &Digest)) -> Component {
        // Only what is related to others needs a reference.
        let reference = self.links.contains_key(path).then(|| path.clone());
        let mut component = Component::new(Classification::File, path, "", reference);
        component.version = None;
        component.hashes = hashes(digest);
        component
    }

    fn to_value(&self) -> Result<Value, Error> {
        let mut bytes = Vec::new();
        self.to_bom()?.output_as_json_v1_5(&mut bytes)?;
        json::parse(&bytes, limits::STATEMENT).map_err(document_error)
    }

    /// The bill of materials as canonical JSON.
    ///
    /// # Errors
    /// The CycloneDX library cannot write it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(&self.to_value()?).map_err(document_error)
    }
}

impl Serialize for Sbom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value()
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sbom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn document_error(source: json::JsonError) -> Error {
    Error::Document {
        what: "CycloneDX",
        source,
    }
}

fn purl(text: &str) -> Result<Purl, Error> {
    Purl::from_str(text).map_err(|()| unexpected("a package URL", text))
}

fn component(kind: Classification, item: &Item) -> Result<Component, Error> {
    let reference = Some(item.purl.clone());
    let mut component = Component::new(kind, &item.name, &item.version, reference);
    component.purl = Some(purl(&item.purl)?);
    component.hashes = item.digest.as_ref().and_then(hashes);
    Ok(component)
}

fn hashes(digest: &Digest) -> Option<Hashes> {
    Some(Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(digest.hex()),
    }]))
}

fn unexpected(expected: &str, found: &str) -> Error {
    Error::Value {
        what: "component of CycloneDX",
        expected: expected.to_owned(),
        found: found.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests;
