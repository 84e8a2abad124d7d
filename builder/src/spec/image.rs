//! `[image]`, the only image of the file, and `[[image]]`, one of several with names.

use std::collections::BTreeSet;
use std::fmt;

use attest::ImageName;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::entry::Entry;
use super::{Parts, StartSpec};

/// An image, with all that it contains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageSpec {
    /// Its name, if it is a `[[image]]`.
    pub name: Option<ImageName>,
    /// How a container of the image starts.
    pub start: StartSpec,
    /// What it contains.
    pub parts: Parts,
}

/// `[image]`, or all `[[image]]`.
pub(super) enum Images {
    One(Box<Entry>),
    Several(Vec<Entry>),
}

impl Images {
    /// The images, each with the parts that all share.
    ///
    /// # Errors
    /// There is no image, one has no name or that of another, or its parts contradict those that all share.
    pub(super) fn with(self, shared: &Parts) -> Result<Vec<ImageSpec>, String> {
        match self {
            Self::One(entry) => Ok(vec![entry.alone(shared)?]),
            Self::Several(entries) if entries.is_empty() => {
                Err("image: expected at least one [[image]]".to_owned())
            }
            Self::Several(entries) => {
                let mut names = BTreeSet::new();
                let named = entries.into_iter().map(|entry| entry.named(shared));
                let images = named.collect::<Result<Vec<_>, _>>()?;
                match images.iter().find(|image| !names.insert(&image.name)) {
                    Some(ImageSpec { name, .. }) => Err(format!(
                        "two [[image]] have the name {:?}",
                        name.as_ref().map_or("", ImageName::as_str)
                    )),
                    None => Ok(images),
                }
            }
        }
    }
}

impl Entry {
    fn alone(self, shared: &Parts) -> Result<ImageSpec, String> {
        match (&self.name, &self.own) {
            (None, None) => Ok(ImageSpec {
                name: None,
                start: self.start,
                parts: shared.clone(),
            }),
            (Some(_), _) => Err("[image]: an image with a name is written as [[image]]".to_owned()),
            (None, Some(_)) => Err(
                "[image]: its files, runtime, users and wheels are written at the top of the file: [[file]], [runtime], [[user]], [[wheels]]"
                    .to_owned(),
            ),
        }
    }

    fn named(self, shared: &Parts) -> Result<ImageSpec, String> {
        let name = self.name.ok_or("[[image]]: missing field `name`")?;
        let parts = shared.and(self.own.unwrap_or_default());
        Ok(ImageSpec {
            parts: parts.map_err(|fault| format!("image {:?}: {fault}", name.as_str()))?,
            name: Some(name),
            start: self.start,
        })
    }
}

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Images;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table [image], or tables [[image]] with names")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Images, A::Error> {
        let entry = Entry::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Images::One(Box::new(entry)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Images, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = sequence.next_element()? {
            entries.push(entry);
        }
        Ok(Images::Several(entries))
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::Spec;

    const SHARED: &str = "[build]\nkind = 'command'\n[runtime]\npackages = ['dash']\n[[file]]\npath = '/both'\ncontent = ''\n";
    const TWO: &str = "[[image]]\nname = 'server'\nentrypoint = ['/s']\nuser = 'app'\n[image.runtime]\npackages = ['sed']\n\
                       exclude = ['x']\n[[image.users]]\nname = 'app'\nuid = 1\n[[image.file]]\npath = '/s'\ncontent = 's'\n\
                       [[image]]\nname = 'tool'\nentrypoint = ['/t']\n";

    fn read(text: &str) -> Result<Spec, String> {
        Spec::parse(&format!("{SHARED}{text}")).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_image_has_what_all_share_and_its_own() {
        let spec = read(TWO).unwrap();
        let shown = |index: usize| {
            let image = &spec.images[index];
            let parts = &image.parts;
            let files: Vec<_> = parts.files.iter().map(|file| file.path.as_str()).collect();
            (
                image.name.as_ref().unwrap().as_str(),
                parts.runtime.packages.join(" "),
                parts.users.len(),
                files.join(" "),
            )
        };
        assert_eq!(
            shown(0),
            ("server", "dash sed".to_owned(), 1, "/both /s".to_owned())
        );
        assert_eq!(shown(1), ("tool", "dash".to_owned(), 0, "/both".to_owned()));
    }

    #[test]
    fn an_image_is_the_same_in_a_file_of_its_own() {
        let alone = "[image]\nentrypoint = ['/t']\n";
        let mut expected = read(alone).unwrap().images.remove(0);
        expected.name = "tool".parse().ok();
        assert_eq!(read(TWO).unwrap().images[1], expected);
    }

    #[test]
    fn names_are_needed_and_differ() {
        let none = Spec::parse(&format!("image = []\n{SHARED}")).unwrap_err();
        assert_eq!(none.message(), "image: expected at least one [[image]]");
        let wheels = "[[wheels]]\nrequirements = 'r'\npath = '/app'\n";
        for (text, fault) in [
            (
                "[[image]]\nentrypoint = []\n",
                "[[image]]: missing field `name`",
            ),
            ("[[image]]\nname = 'a'\n", "missing field `entrypoint`"),
            (
                "[[image]]\nname = 'a'\nentrypoint = []\n[[image]]\nname = 'a'\nentrypoint = []\n",
                "two [[image]] have the name \"a\"",
            ),
            (
                "[[image]]\nname = '../a'\nentrypoint = []\n",
                "invalid name of an image: expected lower-case letters",
            ),
            (
                "[[image]]\nname = 'images.json'\nentrypoint = []\n",
                "invalid name of an image: a build writes its list of images as images.json",
            ),
            (
                "[[image]]\nname = 'a'\nentrypoint = []\n[[image.user]]\nname = 'app'\nuid = 1\n",
                "user: expected the user that the program runs as; [[image.users]] lists the users of the image",
            ),
            (
                "[[image]]\nname = 'a'\nentrypoint = []\nother = 1\n",
                "unknown field `other`",
            ),
            (
                "[image]\nname = 'a'\nentrypoint = []\n",
                "[image]: an image with a name is written as [[image]]",
            ),
            (
                "[image]\nentrypoint = []\n[[image.file]]\npath = '/x'\ncontent = ''\n",
                "[image]: its files, runtime, users and wheels are written at the top of the file: ",
            ),
            (
                &format!(
                    "{wheels}[[image]]\nname = 'a'\nentrypoint = []\n[[image.wheels]]\nrequirements = 's'\npath = '/app'\n"
                ),
                "image \"a\": wheels: two are at \"/app\"",
            ),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
