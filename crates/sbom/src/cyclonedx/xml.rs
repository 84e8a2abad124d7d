use serde_json::Value;
use uppsala::{Document as Xml, NodeId, Parser};

use super::bom::{Bom, Dependency, Hash, Item, Metadata};
use super::xsd;
use crate::{Document, Error, Format, SIZE, XML_DEPTH};

const FORMAT: Format = Format::CycloneDxXml;
/// The namespace of documents, before the version.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";
/// The most tags of a document. An element needs fifty times the memory of the shortest tag.
const TAGS: usize = 4_000_000;
/// The most attributes of an element. The parser compares each with all before it.
const ATTRIBUTES: usize = 1000;

/// Parses a document in XML, encoded as UTF-8.
///
/// # Errors
/// Larger than [`SIZE`], with more than 4,000,000 tags or an element with more than 1000 attributes, not well-formed, with a
/// document type (which could define entities), of another version, refused by the published schema, with two components of
/// one `bom-ref`, or with more than [`COMPONENTS`](crate::COMPONENTS) components.
pub fn parse_xml(bytes: &[u8]) -> Result<Document, Error> {
    if bytes.len() as u64 > SIZE {
        let reason = format!("{} bytes are more than the limit of {SIZE}", bytes.len());
        return Err(Error::text(FORMAT, reason));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Error::text(FORMAT, error))?;
    check_limits(text)?;
    let parser = Parser::new()
        .with_forbid_dtd(true)
        .with_max_depth(XML_DEPTH);
    let xml = parser
        .parse(text)
        .map_err(|error| Error::text(FORMAT, error))?
        .into_static();
    let (root, version) = root(&xml)?;
    xsd::check(&xml, &version, || parser.parse(text).ok())?;
    let reader = Reader {
        namespace: format!("{NAMESPACE}{version}"),
        xml,
    };
    reader.version_ranges()?;
    reader.bom(root, version).document(FORMAT)
}

/// Checks the limits that the parser does not have. No value of an attribute has a `<`, so that each begins a tag, a comment
/// or the like.
fn check_limits(text: &str) -> Result<(), Error> {
    let tags = || text.split('<').skip(1);
    if tags().count() > TAGS {
        let reason = format!("the document has more than {TAGS} tags");
        return Err(Error::text(FORMAT, reason));
    }
    let mut elements = tags().filter(|tag| !tag.starts_with('!'));
    match elements.any(|tag| attributes(tag) > ATTRIBUTES) {
        true => {
            let reason = format!("an element has more than {ATTRIBUTES} attributes");
            Err(Error::text(FORMAT, reason))
        }
        false => Ok(()),
    }
}

/// The number of values in quotes before the `>` that ends a tag.
fn attributes(tag: &str) -> usize {
    let mut count = 0;
    let mut rest = tag;
    while let Some(at) = rest.find(['>', '"', '\'']) {
        let (mark, after) = rest[at..].split_at(1);
        let Some((_, after)) = after.split_once(mark).filter(|_| mark != ">") else {
            break;
        };
        count += 1;
        rest = after;
    }
    count
}

/// The element of the document and the version that its namespace names.
fn root(xml: &Xml<'_>) -> Result<(NodeId, String), Error> {
    let found = xml.document_element().and_then(|root| {
        let name = &xml.element(root)?.name;
        let namespace = name.namespace_uri.as_deref().unwrap_or_default();
        Some((root, name.local_name.to_string(), namespace.to_owned()))
    });
    match found {
        Some((root, name, namespace)) if name == "bom" => match namespace.strip_prefix(NAMESPACE) {
            Some(version) => Ok((root, version.to_owned())),
            None => Err(Error::value(
                FORMAT,
                format!("namespace {NAMESPACE}…"),
                &namespace,
            )),
        },
        _ => Err(Error::Format),
    }
}

/// Reads the elements of a document that the schema has checked. Elements and attributes in other namespaces
/// are extensions.
struct Reader<'a> {
    xml: Xml<'a>,
    namespace: String,
}

impl Reader<'_> {
    /// Only an external component has a range of versions. The schema for JSON has this rule of version 1.7, that for XML
    /// only its text.
    fn version_ranges(&self) -> Result<(), Error> {
        let ranges = self
            .xml
            .get_elements_by_tag_name_ns(&self.namespace, "versionRange");
        for range in ranges {
            let component = self.xml.parent(range);
            let is_external = component.and_then(|node| self.attribute(node, "isExternal"));
            if !matches!(is_external.as_deref().map(str::trim), Some("true" | "1")) {
                let expected = "a version of a component that is not external";
                return Err(Error::value(FORMAT, expected, "versionRange"));
            }
        }
        Ok(())
    }

    fn bom(&self, root: NodeId, version: String) -> Bom {
        let subject = self.child(root, "metadata");
        let subject = subject.and_then(|metadata| self.child(metadata, "component"));
        let mut dependencies = Vec::new();
        for node in self.within(root, "dependencies", "dependency") {
            self.add_dependency(node, &mut dependencies);
        }
        let edition = self.attribute(root, "version");
        let edition =
            edition.map(|text| text.trim().parse::<u64>().map_or(Value::Null, Value::from));
        Bom {
            version,
            serial_number: self.attribute(root, "serialNumber"),
            edition,
            metadata: Metadata {
                component: subject.map(|node| self.item(node)),
            },
            components: self.items(root),
            dependencies,
        }
    }

    fn items(&self, node: NodeId) -> Vec<Item> {
        let components = self.within(node, "components", "component").into_iter();
        components.map(|component| self.item(component)).collect()
    }

    fn item(&self, node: NodeId) -> Item {
        let hashes = self.within(node, "hashes", "hash").into_iter();
        Item {
            kind: self.attribute(node, "type").unwrap_or_default(),
            reference: self.attribute(node, "bom-ref"),
            name: self.text(node, "name").unwrap_or_default(),
            version: self.text(node, "version"),
            purl: self.text(node, "purl"),
            hashes: hashes.map(|hash| self.hash(hash)).collect(),
            components: self.items(node),
        }
    }

    fn hash(&self, node: NodeId) -> Hash {
        Hash {
            alg: self.attribute(node, "alg").unwrap_or_default(),
            content: self.content(node),
        }
    }

    /// Adds what an element depends on, and then what each element inside it depends on.
    fn add_dependency(&self, node: NodeId, all: &mut Vec<Dependency>) {
        let inner: Vec<NodeId> = self.children(node, "dependency").collect();
        let on = inner.iter().filter_map(|node| self.attribute(*node, "ref"));
        all.push(Dependency {
            reference: self.attribute(node, "ref").unwrap_or_default(),
            depends_on: on.collect(),
        });
        for node in inner {
            self.add_dependency(node, all);
        }
    }

    fn children<'b>(&'b self, node: NodeId, name: &'b str) -> impl Iterator<Item = NodeId> + 'b {
        self.xml.children_iter(node).filter(move |child| {
            let element = self.xml.element(*child);
            element.is_some_and(|element| element.matches_name_ns(&self.namespace, name))
        })
    }

    fn child(&self, node: NodeId, name: &str) -> Option<NodeId> {
        self.children(node, name).next()
    }

    /// The elements `name` in the element `list` of a node.
    fn within(&self, node: NodeId, list: &str, name: &str) -> Vec<NodeId> {
        let lists = self.children(node, list);
        lists.flat_map(|list| self.children(list, name)).collect()
    }

    /// An attribute without a namespace. One of the same name in a namespace is an extension.
    fn attribute(&self, node: NodeId, name: &str) -> Option<String> {
        let mut attributes = self.xml.element(node)?.attributes.iter();
        let found = attributes.find(|attribute| {
            attribute.name.namespace_uri.is_none() && attribute.name.local_name == name
        });
        found.map(|attribute| attribute.value.to_string())
    }

    fn text(&self, node: NodeId, name: &str) -> Option<String> {
        self.child(node, name).map(|child| self.content(child))
    }

    /// The text of an element, without white space around it (XML Schema, whitespace of tokens).
    fn content(&self, node: NodeId) -> String {
        self.xml.text_content_deep(node).trim().to_owned()
    }
}
