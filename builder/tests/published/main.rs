//! What is published about an image: by this program, and by openssl and cosign.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod offline;
mod sbom;
mod tree;
mod world;
