//! JSON as Go's `encoding/json` reads it into a struct: names are matched without case, the last of several
//! members counts, `null` changes nothing, and unknown members of any type are ignored.
//! Docker's configuration and the answers of its helpers are the user's own and are written for readers in
//! Go, so they are read as those do. Documents from elsewhere are parsed by [`content::json`].

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use content::json;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A struct of Go.
pub(crate) trait Fields: Default {
    /// Reads the value of the member `name`, whose case is folded. A member that was not read is ignored.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
    ) -> Result<Read, A::Error>;
}

/// Whether a member's value was read.
pub(crate) enum Read {
    Yes,
    No,
}

/// Where a document could not be read. Does not repeat the document, which contains secrets.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Misread {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Reads the first JSON value of a document; Go's decoder does not look at what follows.
pub(crate) fn parse<T: Fields>(bytes: &[u8]) -> Result<T, Misread> {
    // Go replaces invalid UTF-8.
    let text = String::from_utf8_lossy(bytes);
    let mut document = serde_json::Deserializer::from_str(&text);
    let read = Folded::deserialize(&mut document);
    read.map(|Folded(value)| value).map_err(|error| Misread {
        line: error.line(),
        column: error.column(),
    })
}

/// Reads a string into a field.
pub(crate) fn text<'de, A: MapAccess<'de>>(
    field: &mut String,
    members: &mut A,
) -> Result<Read, A::Error> {
    if let Some(text) = members.next_value::<Option<String>>()? {
        *field = text;
    }
    Ok(Read::Yes)
}

/// Reads an object into a map. Go adds its members to those of an earlier object, and `null` is an empty map.
pub(crate) fn map<'de, T, U, A>(
    field: &mut BTreeMap<String, T>,
    members: &mut A,
) -> Result<Read, A::Error>
where
    T: Default + From<U>,
    U: Deserialize<'de>,
    A: MapAccess<'de>,
{
    match members.next_value::<Option<BTreeMap<String, Option<U>>>>()? {
        Some(more) => field.extend(more.into_iter().map(|(name, value)| {
            let value = value.map(T::from).unwrap_or_default();
            (name, value)
        })),
        None => field.clear(),
    }
    Ok(Read::Yes)
}

/// A value that is read as Go reads it.
pub(crate) struct Folded<T>(pub(crate) T);

impl<'de, T: Fields> Deserialize<'de> for Folded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Object(PhantomData)).map(Self)
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let mut value = T::default();
        while let Some(name) = members.next_key::<String>()? {
            if let Read::No = value.read(&json::fold(&name), &mut members)? {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(value)
    }
}
