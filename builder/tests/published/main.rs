//! What is published about an image: by this program, and by openssl and cosign.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod deploy;
mod offline;
mod sbom;
mod tree;
mod whole;
mod world;
