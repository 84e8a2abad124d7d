//! `[build]`: the program.

use serde::Deserialize;

use super::cargo::CargoSpec;

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
