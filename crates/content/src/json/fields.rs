//! Functions for `#[serde(deserialize_with)]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Parses `null` as the default value. Lists, maps and `Option`s do not need this function:
/// [`super::parse`] accepts `null` for them.
///
/// # Errors
/// The value is neither `null` nor a `T`.
pub fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Parses a value and refuses `null`, which would otherwise count as absent or empty.
///
/// # Errors
/// The value is `null` or not a `T`.
pub fn not_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)?.ok_or_else(|| de::Error::custom("unexpected null"))
}

/// Parses a sequence of at most `MOST` elements, and stops at the next one. A plain `Vec` can need ten
/// times the memory of its text before its length is known.
///
/// # Errors
/// There are more elements, or one is not a `T`.
pub fn at_most<'de, const MOST: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(AtMost::<MOST, T>(PhantomData))
}

struct AtMost<const MOST: usize, T>(PhantomData<T>);

impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for AtMost<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sequence of at most {MOST} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element()? {
            if kept.len() == MOST {
                return Err(de::Error::invalid_length(MOST + 1, &self));
            }
            kept.push(item);
        }
        Ok(kept)
    }
}
