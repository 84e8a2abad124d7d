//! Compares two images, down to fields of manifest and config and to files of layers.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::contents::{Contents, LayerContents, Listed};

/// Maximum number of differences that are kept. A rebuild of another source differs everywhere.
pub const DIFFERENCES: usize = 64;

/// A place where two images differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A field of the manifest, by JSON pointer.
    Manifest(String),
    /// A field of the config, by JSON pointer.
    Config(String),
    /// A layer as a whole.
    Layer(usize),
    /// A path in a layer.
    File {
        /// The position of the layer, from 0.
        layer: usize,
        /// The path, as the layer has it.
        path: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(pointer) => write!(out, "manifest {pointer}"),
            Self::Config(pointer) => write!(out, "config {pointer}"),
            Self::Layer(layer) => write!(out, "layer {layer}"),
            Self::File { layer, path } => write!(out, "layer {layer}, file {path}"),
        }
    }
}

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// The place.
    pub place: Place,
    /// The value in the rebuild, as text.
    pub rebuilt: String,
    /// The value in the published image, as text.
    pub published: String,
}

/// The result of a comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// The manifests are the same bytes, and so is everything that they name.
    Same,
    /// They differ. Differences of files come first.
    Different(Vec<Difference>),
}

/// Compares a published image with the rebuilt one.
pub fn compare(published: &Contents, rebuilt: &Contents) -> Comparison {
    if published.image.manifest_bytes() == rebuilt.image.manifest_bytes() {
        return Comparison::Same;
    }
    let mut differences = Differences::default();
    differences.layers(&published.layers, &rebuilt.layers);
    let configs = (
        &published.image.config_bytes(),
        &rebuilt.image.config_bytes(),
    );
    differences.documents(configs.0, configs.1, Place::Config);
    let manifests = (
        &published.image.manifest_bytes(),
        &rebuilt.image.manifest_bytes(),
    );
    differences.documents(manifests.0, manifests.1, Place::Manifest);
    Comparison::Different(differences.found)
}

#[derive(Default)]
struct Differences {
    found: Vec<Difference>,
}

impl Differences {
    fn push(&mut self, place: Place, published: impl fmt::Display, rebuilt: impl fmt::Display) {
        if self.found.len() < DIFFERENCES {
            self.found.push(Difference {
                place,
                published: published.to_string(),
                rebuilt: rebuilt.to_string(),
            });
        }
    }

    fn layers(&mut self, published: &[LayerContents], rebuilt: &[LayerContents]) {
        for index in 0..published.len().max(rebuilt.len()) {
            match (published.get(index), rebuilt.get(index)) {
                (Some(ours), Some(theirs)) => self.layer(index, ours, theirs),
                (ours, theirs) => {
                    let words = |layer: Option<&LayerContents>| {
                        layer.map_or("no such layer".to_owned(), |layer| layer.digest.to_string())
                    };
                    self.push(Place::Layer(index), words(ours), words(theirs));
                }
            }
        }
    }

    fn layer(&mut self, index: usize, published: &LayerContents, rebuilt: &LayerContents) {
        if published.digest == rebuilt.digest {
            return;
        }
        let before = self.found.len();
        let paths: std::collections::BTreeSet<&String> = published
            .entries
            .keys()
            .chain(rebuilt.entries.keys())
            .collect();
        for path in paths {
            let sides = (published.entries.get(path), rebuilt.entries.get(path));
            if sides.0 != sides.1 {
                let place = Place::File {
                    layer: index,
                    path: path.clone(),
                };
                self.push(place, words(sides.0), words(sides.1));
            }
        }
        if self.found.len() == before {
            let same = "with the same files, in another order, form or compression";
            let published = format!("{} {same}", published.digest);
            self.push(Place::Layer(index), published, rebuilt.digest);
        }
    }

    fn documents(&mut self, published: &[u8], rebuilt: &[u8], place: fn(String) -> Place) {
        if published == rebuilt {
            return;
        }
        let before = self.found.len();
        // Both were parsed before.
        let read =
            |bytes| content::json::parse(bytes, content::limits::MANIFEST).unwrap_or(Value::Null);
        self.values("", &read(published), &read(rebuilt), place);
        if self.found.len() == before {
            let digest = content::Digest::of;
            let published = format!("{} with the same fields in another form", digest(published));
            self.push(place("as a whole".to_owned()), published, digest(rebuilt));
        }
    }

    fn values(
        &mut self,
        pointer: &str,
        published: &Value,
        rebuilt: &Value,
        place: fn(String) -> Place,
    ) {
        match (published, rebuilt) {
            (Value::Object(ours), Value::Object(theirs)) => {
                let keys: std::collections::BTreeSet<&String> =
                    ours.keys().chain(theirs.keys()).collect();
                for key in keys {
                    let pointer = format!("{pointer}/{key}");
                    let absent = Value::Null;
                    let ours = ours.get(key).unwrap_or(&absent);
                    let theirs = theirs.get(key).unwrap_or(&absent);
                    self.values(&pointer, ours, theirs, place);
                }
            }
            (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
                for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                    self.values(&format!("{pointer}/{index}"), ours, theirs, place);
                }
            }
            _ if published == rebuilt => {}
            _ => self.push(place(pointer.to_owned()), published, rebuilt),
        }
    }
}

fn words(listed: Option<&Listed>) -> String {
    match listed {
        None => "nothing".to_owned(),
        Some(listed) => listed.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::tests::{contents, file};

    fn places(comparison: Comparison) -> Vec<String> {
        match comparison {
            Comparison::Same => Vec::new(),
            Comparison::Different(found) => found
                .iter()
                .map(|difference| difference.place.to_string())
                .collect(),
        }
    }

    #[test]
    fn the_same_bytes_are_the_same_image() {
        let image = contents(&[file("workload", b"one")], "/workload");
        assert_eq!(compare(&image, &image.clone()), Comparison::Same);
    }

    #[test]
    fn a_changed_file_is_named_with_both_digests() {
        let published = contents(&[file("workload", b"evil")], "/workload");
        let rebuilt = contents(&[file("workload", b"good")], "/workload");
        let Comparison::Different(found) = compare(&published, &rebuilt) else {
            panic!("different files compare as the same");
        };
        assert_eq!(found[0].place.to_string(), "layer 0, file workload");
        assert!(
            found[0]
                .published
                .contains(&content::Digest::of(b"evil").to_string())
        );
        assert!(
            found[0]
                .rebuilt
                .contains(&content::Digest::of(b"good").to_string())
        );
    }

    #[test]
    fn an_added_file_is_named_on_the_side_that_has_it() {
        let published = contents(&[file("a", b"1"), file("back/door", b"2")], "/a");
        let rebuilt = contents(&[file("a", b"1")], "/a");
        let Comparison::Different(found) = compare(&published, &rebuilt) else {
            panic!("an added file goes unseen");
        };
        let door = found
            .iter()
            .find(|difference| difference.place.to_string().ends_with("back/door"));
        assert_eq!(door.unwrap().rebuilt, "nothing");
    }

    #[test]
    fn a_changed_entrypoint_is_named_by_its_field() {
        let published = contents(&[file("a", b"1")], "/b");
        let rebuilt = contents(&[file("a", b"1")], "/a");
        let places = places(compare(&published, &rebuilt));
        assert!(
            places.contains(&"config /config/Entrypoint/0".to_owned()),
            "{places:?}"
        );
    }
}
