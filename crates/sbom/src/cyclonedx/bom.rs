//! The members of a document that make up the model.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::model::package_url;
use crate::{COMPONENTS, Component, Document, Error, Format, Kind, Relation, RelationKind};

/// A document whose schema has been checked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Bom {
    #[serde(rename = "specVersion")]
    pub version: String,
    #[serde(rename = "serialNumber")]
    pub serial_number: Option<String>,
    /// The version of the document, a whole number.
    #[serde(rename = "version")]
    pub edition: Option<Value>,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default)]
    pub components: Vec<Item>,
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    pub component: Option<Item>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Item {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "bom-ref")]
    pub reference: Option<String>,
    pub name: String,
    pub version: Option<String>,
    pub purl: Option<String>,
    #[serde(default)]
    pub hashes: Vec<Hash>,
    #[serde(default)]
    pub components: Vec<Item>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Hash {
    pub alg: String,
    pub content: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Dependency {
    #[serde(rename = "ref")]
    pub reference: String,
    #[serde(default, rename = "dependsOn")]
    pub depends_on: Vec<String>,
}

impl Bom {
    /// The document in the model.
    pub(super) fn document(self, format: Format) -> Result<Document, Error> {
        let mut tree = Tree {
            format,
            references: BTreeSet::new(),
            components: Vec::new(),
        };
        let mut subject = None;
        if let Some(mut item) = self.metadata.component {
            let inside = std::mem::take(&mut item.components);
            subject = Some(tree.component(item, None)?);
            tree.add(inside, None)?;
        }
        tree.add(self.components, None)?;
        let link = link(self.serial_number.as_deref(), self.edition.as_ref());
        let relations = self.dependencies.into_iter().flat_map(relations).collect();
        Ok(Document {
            format,
            version: self.version,
            link,
            subject,
            components: tree.components,
            relations,
        })
    }
}

/// The BOM-Link of a document (CycloneDX, BOM-Link). A document without a version has version 1.
fn link(serial_number: Option<&str>, edition: Option<&Value>) -> Option<String> {
    let number = serial_number?.strip_prefix("urn:uuid:")?;
    let edition = edition.map_or(Some(1), Value::as_u64)?;
    Some(format!("urn:cdx:{number}/{edition}"))
}

fn relations(dependency: Dependency) -> impl Iterator<Item = Relation> {
    let from = dependency.reference;
    dependency.depends_on.into_iter().map(move |to| Relation {
        from: from.clone(),
        kind: RelationKind::DependsOn,
        to,
    })
}

/// The components of a document so far.
struct Tree {
    format: Format,
    references: BTreeSet<String>,
    components: Vec<Component>,
}

impl Tree {
    fn add(&mut self, items: Vec<Item>, parent: Option<usize>) -> Result<(), Error> {
        for mut item in items {
            if self.components.len() == COMPONENTS {
                let expected = format!("at most {COMPONENTS} components");
                return Err(Error::value(self.format, expected, "more"));
            }
            let inside = std::mem::take(&mut item.components);
            let component = self.component(item, parent)?;
            self.components.push(component);
            self.add(inside, Some(self.components.len() - 1))?;
        }
        Ok(())
    }

    /// The component, whose `bom-ref` no other one has (CycloneDX, `bom-ref`: "must be unique within the BOM").
    fn component(&mut self, item: Item, parent: Option<usize>) -> Result<Component, Error> {
        if let Some(reference) = &item.reference
            && !self.references.insert(reference.clone())
        {
            return Err(Error::value(self.format, "each bom-ref once", reference));
        }
        let digests = item.hashes.into_iter().map(|hash| (hash.alg, hash.content));
        let purl = item.purl.filter(|purl| !purl.is_empty());
        Ok(Component {
            reference: item.reference,
            kind: kind(item.kind),
            name: item.name,
            version: item.version.filter(|version| !version.is_empty()),
            purls: purl.map(package_url).into_iter().collect(),
            digests: digests.collect(),
            parent,
        })
    }
}

fn kind(name: String) -> Kind {
    match name.as_str() {
        "file" => Kind::File,
        "library" => Kind::Library,
        _ => Kind::Other(name),
    }
}
