//! Refuses names of one object that differ only in case.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::JsonError;
use super::fold::fold;

/// Whether a member with this name holds, in every document, a map with names that a user chooses. Go
/// distinguishes case in maps.
pub(super) fn is_free(name: &str) -> bool {
    ["annotations", "labels"].contains(&fold(name).as_str())
}

/// Checks that no object in a value has two names that are equal when their case is folded, for
/// readers that use a document as a [`Value`].
///
/// # Errors
/// An object has two such names.
pub fn distinct_names(value: &Value) -> Result<(), JsonError> {
    PassedOver::new(false)
        .deserialize(value)
        .map_err(JsonError::Parse)
}

/// The names of one object, which must differ in more than case.
pub(super) struct Names {
    known: &'static [&'static str],
    seen: HashSet<String>,
}

impl Names {
    /// The names of an object with these fields, which may also have others.
    pub(super) fn known(known: &'static [&'static str]) -> Self {
        let seen = HashSet::new();
        Self { known, seen }
    }

    pub(super) fn add<E: de::Error>(&mut self, name: &str) -> Result<(), E> {
        let folded = fold(name);
        if !self.known.contains(&name) {
            let mut known = self.known.iter();
            if let Some(known) = known.find(|known| fold(known) == folded) {
                return Err(E::custom(format_args!(
                    "name {name:?} differs from {known:?} only in case"
                )));
            }
        }
        if self.seen.contains(&folded) {
            return Err(E::custom(format_args!(
                "name {name:?} appears twice in one object, in upper and lower case"
            )));
        }
        self.seen.insert(folded);
        Ok(())
    }
}

/// Checks a value that no field holds.
pub(super) struct PassedOver {
    is_free: bool,
}

impl PassedOver {
    /// Whether an object is a map with free names.
    pub(super) fn new(is_free: bool) -> Self {
        Self { is_free }
    }
}

impl<'de> DeserializeSeed<'de> for PassedOver {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PassedOver {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self::new(false))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::known(&[]);
        while let Some(name) = members.next_key::<String>()? {
            if !self.is_free {
                names.add(&name)?;
            }
            members.next_value_seed(Self::new(is_free(&name)))?;
        }
        Ok(())
    }
}
