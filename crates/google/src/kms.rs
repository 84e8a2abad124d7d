//! Names in Cloud KMS ("Cloud KMS resources"; v1, `keyRings.create`, `cryptoKeys.create`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Location;
use crate::name::{is_id, name, split};
use crate::project::positive;

/// The largest length of the ID of a key ring or key, in characters.
const ID: usize = 63;

/// A key ring, `projects/P/locations/L/keyRings/R`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyRing {
    location: Location,
    id: String,
}

/// A key, `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key {
    ring: KeyRing,
    id: String,
}

/// A version of a key, `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyVersion {
    key: Key,
    number: u64,
}

name!(KeyRing, "projects/P/locations/L/keyRings/R");
name!(Key, "projects/P/locations/L/keyRings/R/cryptoKeys/K");
name!(
    KeyVersion,
    "projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N"
);

fn id(text: &str) -> Option<String> {
    (is_id(text, "-_") && text.len() <= ID).then(|| text.to_owned())
}

impl KeyRing {
    /// The ring with this ID; `None` if the ID is invalid.
    pub fn new(location: Location, id: &str) -> Option<Self> {
        let id = self::id(id)?;
        Some(Self { location, id })
    }

    fn read(text: &str) -> Option<Self> {
        let (location, id) = split(text, "keyRings")?;
        Self::new(Location::read(location)?, id)
    }

    /// The location.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The ID within the location.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Key {
    /// The key with this ID; `None` if the ID is invalid.
    pub fn new(ring: KeyRing, id: &str) -> Option<Self> {
        let id = self::id(id)?;
        Some(Self { ring, id })
    }

    fn read(text: &str) -> Option<Self> {
        let (ring, id) = split(text, "cryptoKeys")?;
        Self::new(KeyRing::read(ring)?, id)
    }

    /// The key ring.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The ID within the key ring.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The first version of the key.
    pub fn first_version(&self) -> KeyVersion {
        KeyVersion {
            key: self.clone(),
            number: 1,
        }
    }
}

impl KeyVersion {
    fn read(text: &str) -> Option<Self> {
        let (key, number) = split(text, "cryptoKeyVersions")?;
        Some(Self {
            key: Key::read(key)?,
            number: positive(number)?,
        })
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The number of the version, which is positive.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for KeyRing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/keyRings/{}", self.location, self.id)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/cryptoKeys/{}", self.ring, self.id)
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/cryptoKeyVersions/{}", self.key, self.number)
    }
}
