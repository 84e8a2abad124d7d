//! The members of a document that make up the model.

use std::collections::BTreeMap;

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
            references: BTreeMap::new(),
            subject: None,
            components: Vec::new(),
        };
        if let Some(mut item) = self.metadata.component {
            let inside = std::mem::take(&mut item.components);
            let subject = component(item, None);
            tree.refer(&subject, None)?;
            tree.subject = Some(subject);
            tree.add(inside, None)?;
        }
        tree.add(self.components, None)?;
        let link = link(self.serial_number.as_deref(), self.edition.as_ref());
        let relations = self.dependencies.into_iter().flat_map(relations).collect();
        Ok(Document {
            format,
            version: self.version,
            link,
            subject: tree.subject,
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
    /// Where the component with a `bom-ref` is; `None` is the subject.
    references: BTreeMap<String, Option<usize>>,
    subject: Option<Component>,
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
            let component = component(item, parent);
            self.refer(&component, Some(self.components.len()))?;
            self.components.push(component);
            self.add(inside, Some(self.components.len() - 1))?;
        }
        Ok(())
    }

    /// Notes the `bom-ref` of a component. No other one has it (CycloneDX, `bom-ref`: "must be unique within the BOM"), but
    /// programs list one component twice, such as the subject. That is accepted if both say the same.
    fn refer(&mut self, component: &Component, place: Option<usize>) -> Result<(), Error> {
        let Some(reference) = &component.reference else {
            return Ok(());
        };
        let Some(first) = self.references.get(reference) else {
            self.references.insert(reference.clone(), place);
            return Ok(());
        };
        let first = match first {
            Some(index) => self.components.get(*index),
            None => self.subject.as_ref(),
        };
        match first.is_some_and(|first| is_same(first, component)) {
            true => Ok(()),
            false => Err(Error::value(self.format, "each bom-ref once", reference)),
        }
    }
}

/// Whether two components of one `bom-ref` say the same, wherever they are.
fn is_same(one: &Component, other: &Component) -> bool {
    let named = one.kind == other.kind && one.name == other.name && one.version == other.version;
    named && one.purls == other.purls && one.digests == other.digests
}

fn component(item: Item, parent: Option<usize>) -> Component {
    let digests = item.hashes.into_iter().map(|hash| (hash.alg, hash.content));
    let purl = item.purl.filter(|purl| !purl.is_empty());
    Component {
        reference: item.reference,
        kind: kind(item.kind),
        name: item.name,
        version: item.version.filter(|version| !version.is_empty()),
        purls: purl.map(package_url).into_iter().collect(),
        digests: digests.collect(),
        parent,
    }
}

fn kind(name: String) -> Kind {
    match name.as_str() {
        "file" => Kind::File,
        "library" => Kind::Library,
        _ => Kind::Other(name),
    }
}
