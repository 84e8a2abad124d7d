//! The entries of an image, each with the part of `Image.toml` that it comes from.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::rc::Rc;

use console::hint::Hinted;
use oci::layer::{Attributed, Attributes, EntryPath, Kind};

use crate::untrusted::shown;

/// The part of `Image.toml` that an entry comes from, as error messages have it.
pub(super) type From = Rc<str>;

/// Entries by path.
#[derive(Debug, Default)]
pub(super) struct Collection(BTreeMap<EntryPath, (Attributed, From)>);

impl Collection {
    /// Adds an entry. A directory may be added several times; attributes of one of them count.
    ///
    /// # Errors
    /// There is another entry with the path.
    pub(super) fn add(&mut self, entry: Attributed, from: &From) -> Result<(), Hinted> {
        match self.0.entry(entry.entry.path.clone()) {
            Place::Vacant(place) => {
                place.insert((entry, Rc::clone(from)));
                Ok(())
            }
            Place::Occupied(mut place) => {
                let (found, other) = place.get();
                match merged(found, &entry) {
                    Some(attributes) => place.get_mut().0.attributes = attributes,
                    None => return Err(twice(&entry.entry.path, other, from)),
                }
                Ok(())
            }
        }
    }

    /// Whether there is an entry with this path.
    pub(super) fn contains(&self, path: &EntryPath) -> bool {
        self.0.contains_key(path)
    }

    /// Whether there is an entry below a directory.
    pub(super) fn has_below(&self, directory: &str) -> bool {
        let prefix = format!("{directory}/");
        self.0.keys().any(|path| path.as_str().starts_with(&prefix))
    }

    /// The entries, sorted by path.
    ///
    /// # Errors
    /// An entry is below one that is not a directory, or two paths differ only in case.
    pub(super) fn finish(self) -> Result<Vec<Attributed>, Hinted> {
        for (path, (_, from)) in &self.0 {
            let mut next = path.parent();
            while let Some(parent) = next {
                if let Some((above, other)) = self.0.get(&parent)
                    && above.entry.kind != Kind::Directory
                {
                    return Err(below(path, from, above, other));
                }
                next = parent.parent();
            }
        }
        self.check_case()?;
        Ok(self.0.into_values().map(|(entry, _)| entry).collect())
    }

    /// Refuses what no format of images has, and says which entries make it.
    fn check_case(&self) -> Result<(), Hinted> {
        let mut seen: BTreeMap<String, (String, &From)> = BTreeMap::new();
        for (path, (_, from)) in &self.0 {
            let mut next = Some(path.clone());
            while let Some(path) = next {
                let text = path.as_str().to_owned();
                match seen.entry(text.to_lowercase()) {
                    Place::Occupied(place) if place.get().0 == text => break,
                    Place::Occupied(place) => {
                        let (other, by) = place.get();
                        return Err(alike(&text, from, other, by));
                    }
                    Place::Vacant(place) => place.insert((text, from)),
                };
                next = path.parent();
            }
        }
        Ok(())
    }
}

fn alike(path: &str, from: &From, other: &str, by: &From) -> Hinted {
    let (path, other) = (shown(path), shown(other));
    Hinted::new(format_args!(
        "adding /{path}: {from} makes it, and {by} makes /{other}, which differs from it only in case"
    ))
    .hinting("an image cannot have both: change a path, or leave out a package by `exclude` in [runtime] of Image.toml")
}

/// The attributes of a directory that is made twice; `None` if the entries are not the same directory.
fn merged(one: &Attributed, other: &Attributed) -> Option<Attributes> {
    if one.entry.kind != Kind::Directory || other.entry.kind != Kind::Directory {
        return None;
    }
    let none = Attributes::default();
    match (one.attributes, other.attributes) {
        (same, attributes) if attributes == none || attributes == same => Some(same),
        (default, attributes) if default == none => Some(attributes),
        _ => None,
    }
}

fn twice(path: &EntryPath, one: &From, other: &From) -> Hinted {
    let path = shown(path.as_str());
    Hinted::new(format_args!(
        "adding /{path}: both {one} and {other} make it"
    ))
    .hinting("remove one of these entries of Image.toml, or change its path")
}

fn below(path: &EntryPath, from: &From, above: &Attributed, other: &From) -> Hinted {
    let (path, parent) = (shown(path.as_str()), shown(above.entry.path.as_str()));
    let (what, hint) = match &above.entry.kind {
        Kind::Symlink { .. } => (
            "a link",
            "name the path that the link leads to: for example /usr/lib instead of /lib",
        ),
        Kind::File { .. } | Kind::Directory => ("a file", "change the path of one of the entries"),
    };
    Hinted::new(format_args!(
        "adding /{path}: {from} makes it, and {other} makes /{parent} {what}"
    ))
    .hinting(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::layer::{Entry, Mode};

    fn entry(path: &str, kind: Kind) -> Attributed {
        let path = path.parse().unwrap();
        Attributed::from(Entry { path, kind })
    }

    fn link(path: &str) -> Attributed {
        let target = "x".to_owned();
        entry(path, Kind::Symlink { target })
    }

    /// The collection of entries from `a`, `b` and so on.
    fn collected(entries: &[Attributed]) -> Result<Vec<Attributed>, String> {
        let mut collection = Collection::default();
        for (entry, from) in entries.iter().zip(["a", "b", "c"]) {
            let added = collection.add(entry.clone(), &from.into());
            added.map_err(|error| error.to_string())?;
        }
        collection.finish().map_err(|error| error.to_string())
    }

    #[test]
    fn both_entries_of_a_path_are_named() {
        let twice = collected(&[link("l"), link("l")]);
        assert_eq!(twice.unwrap_err(), "adding /l: both a and b make it");
        let other = collected(&[link("l"), entry("l", Kind::Directory)]);
        assert_eq!(other.unwrap_err(), "adding /l: both a and b make it");
        let below = collected(&[link("lib"), link("lib/x/y")]);
        assert_eq!(
            below.unwrap_err(),
            "adding /lib/x/y: b makes it, and a makes /lib a link"
        );
    }

    #[test]
    fn paths_that_differ_only_in_case_are_both_named() {
        let both = collected(&[link("perl/Pod/x"), link("perl/pod")]).unwrap_err();
        assert_eq!(
            both,
            "adding /perl/pod: b makes it, and a makes /perl/Pod, which differs from it only in case"
        );
        assert!(collected(&[link("a/b"), link("a/c"), link("A1")]).is_ok());
    }

    #[test]
    fn a_directory_may_be_made_twice() {
        let plain = entry("d", Kind::Directory);
        let mut closed = plain.clone();
        closed.attributes.mode = Some(Mode::new(0o700).unwrap());
        let mut open = plain.clone();
        open.attributes.mode = Some(Mode::new(0o777).unwrap());
        for entries in [
            [plain.clone(), closed.clone(), closed.clone()],
            [closed.clone(), plain.clone(), plain.clone()],
        ] {
            assert_eq!(collected(&entries), Ok(vec![closed.clone()]));
        }
        let twice = collected(&[closed, open]);
        assert_eq!(twice.unwrap_err(), "adding /d: both a and b make it");
    }
}
