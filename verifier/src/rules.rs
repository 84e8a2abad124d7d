//! One room for each rule. A rule takes evidence and policy and says what it found; it neither
//! stops at the first failure nor knows what the others found.

pub mod integrity;
pub mod provenance;
pub mod rebuild;
pub mod repository;
pub mod sbom;
pub mod signatures;
mod statements;
