//! `[build]`: the program.

use serde::Deserialize;

/// The program, by kind of build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "CargoSpec")]
pub enum BuildSpec {
    /// Cargo.
    Cargo(CargoSpec),
}

impl From<CargoSpec> for BuildSpec {
    fn from(cargo: CargoSpec) -> Self {
        Self::Cargo(cargo)
    }
}

/// A program that cargo compiles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CargoSpec {
    /// The name of the package, and of its binary.
    pub package: String,
    /// The target, by rustc's name.
    pub target: String,
    /// The C library that is linked statically.
    #[serde(rename = "static")]
    pub linked: Library,
}

/// A C library that can be linked statically.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// The GNU C library of Debian.
    Glibc,
}
