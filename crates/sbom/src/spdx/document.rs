//! The members of a document that make up the model or that rules check.

use serde::Deserialize;

use crate::model::package_url;
use crate::{Component, Document, Format, Kind, Relation, RelationKind};

/// A document whose schema has been checked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spdx {
    #[serde(rename = "SPDXID")]
    pub id: String,
    pub data_license: String,
    #[serde(default)]
    pub document_namespace: String,
    pub creation_info: CreationInfo,
    #[serde(default)]
    pub external_document_refs: Vec<ExternalDocument>,
    #[serde(default)]
    pub has_extracted_licensing_infos: Vec<ExtractedLicense>,
    #[serde(default)]
    pub document_describes: Vec<String>,
    #[serde(default)]
    pub packages: Vec<Package>,
    #[serde(default)]
    pub files: Vec<File>,
    #[serde(default)]
    pub snippets: Vec<Snippet>,
    #[serde(default)]
    pub relationships: Vec<Relationship>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreationInfo {
    pub created: String,
    #[serde(default)]
    pub creators: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalDocument {
    pub external_document_id: String,
    pub checksum: Checksum,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtractedLicense {
    pub license_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package {
    #[serde(rename = "SPDXID")]
    pub id: String,
    pub name: String,
    pub version_info: Option<String>,
    pub primary_package_purpose: Option<String>,
    pub built_date: Option<String>,
    pub release_date: Option<String>,
    pub valid_until_date: Option<String>,
    pub supplier: Option<String>,
    pub originator: Option<String>,
    #[serde(default)]
    pub checksums: Vec<Checksum>,
    #[serde(default)]
    pub external_refs: Vec<ExternalRef>,
    #[serde(default)]
    pub has_files: Vec<String>,
    #[serde(flatten)]
    pub licenses: Licenses,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    #[serde(rename = "SPDXID")]
    pub id: String,
    pub file_name: String,
    #[serde(default)]
    pub checksums: Vec<Checksum>,
    #[serde(flatten)]
    pub licenses: Licenses,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snippet {
    #[serde(rename = "SPDXID")]
    pub id: String,
    pub snippet_from_file: String,
    #[serde(flatten)]
    pub licenses: Licenses,
}

/// The licences of a package, file or snippet.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Licenses {
    pub license_declared: Option<String>,
    pub license_concluded: Option<String>,
    #[serde(default)]
    pub license_info_from_files: Vec<String>,
    #[serde(default)]
    pub license_info_in_files: Vec<String>,
    #[serde(default)]
    pub license_info_in_snippets: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum {
    pub algorithm: String,
    pub checksum_value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalRef {
    pub reference_type: String,
    pub reference_locator: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    pub spdx_element_id: String,
    pub relationship_type: String,
    pub related_spdx_element: String,
}

impl Licenses {
    /// All expressions.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        let lists = [
            &self.license_info_from_files,
            &self.license_info_in_files,
            &self.license_info_in_snippets,
        ];
        let stated = self.license_declared.iter().chain(&self.license_concluded);
        stated.chain(lists.into_iter().flatten())
    }
}

/// Whether the value stands for no value (SPDX 2.3, section 7.13: `NONE` and `NOASSERTION`).
pub(super) fn is_unknown(text: &str) -> bool {
    matches!(text, "NONE" | "NOASSERTION")
}

impl Spdx {
    /// The document in the model.
    pub(super) fn document(mut self, format: Format, version: &str) -> Document {
        let relations = self.relations();
        let packages = self.packages.into_iter().map(Package::component);
        let files = self.files.into_iter().map(File::component);
        Document {
            link: None,
            format,
            version: version.to_owned(),
            subject: None,
            components: packages.chain(files).collect(),
            relations,
        }
    }

    fn relations(&mut self) -> Vec<Relation> {
        let relation = |from: &str, kind, to| Relation {
            from: from.to_owned(),
            kind,
            to,
        };
        let described = std::mem::take(&mut self.document_describes).into_iter();
        let described = described.map(|to| relation(&self.id, RelationKind::Describes, to));
        let mut relations: Vec<_> = described.collect();
        for package in &mut self.packages {
            let files = std::mem::take(&mut package.has_files).into_iter();
            relations.extend(files.map(|to| relation(&package.id, RelationKind::Contains, to)));
        }
        let stated = std::mem::take(&mut self.relationships).into_iter();
        relations.extend(stated.map(Relationship::relation));
        relations
    }
}

impl Relationship {
    fn relation(self) -> Relation {
        let (from, to) = (self.spdx_element_id, self.related_spdx_element);
        let (from, kind, to) = match self.relationship_type.as_str() {
            "DEPENDS_ON" => (from, RelationKind::DependsOn, to),
            "DEPENDENCY_OF" => (to, RelationKind::DependsOn, from),
            "CONTAINS" => (from, RelationKind::Contains, to),
            "CONTAINED_BY" => (to, RelationKind::Contains, from),
            "DESCRIBES" => (from, RelationKind::Describes, to),
            "DESCRIBED_BY" => (to, RelationKind::Describes, from),
            _ => (from, RelationKind::Other(self.relationship_type), to),
        };
        Relation { from, kind, to }
    }
}

impl Package {
    fn component(self) -> Component {
        let references = self.external_refs.into_iter();
        let purls = references.filter(|reference| reference.reference_type == "purl");
        let kind = match self.primary_package_purpose.as_deref() {
            None | Some("LIBRARY") => Kind::Library,
            Some(purpose) => Kind::Other(purpose.to_ascii_lowercase().replace('_', "-")),
        };
        Component {
            reference: Some(self.id),
            kind,
            name: self.name,
            version: self.version_info.filter(|version| !version.is_empty()),
            purls: purls
                .map(|reference| package_url(reference.reference_locator))
                .collect(),
            digests: digests(self.checksums),
            parent: None,
        }
    }
}

impl File {
    fn component(self) -> Component {
        Component {
            reference: Some(self.id),
            kind: Kind::File,
            name: self.file_name,
            digests: digests(self.checksums),
            ..Component::default()
        }
    }
}

fn digests(checksums: Vec<Checksum>) -> Vec<(String, String)> {
    let named = checksums.into_iter().map(|checksum| {
        let name = match checksum.algorithm.strip_prefix("SHA") {
            // SHA3-256 has this name in CycloneDX, too.
            Some(length) if !length.contains('-') => format!("SHA-{length}"),
            _ => checksum.algorithm,
        };
        (name, checksum.checksum_value)
    });
    named.collect()
}
