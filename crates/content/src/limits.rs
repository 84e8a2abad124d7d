//! Limits on untrusted input that several parsers share. A limit of one parser is defined in its module.
//! Limits of type `u64` are in bytes and are checked before parsing; limits of type `usize` are counts.

/// An image manifest; registries refuse larger ones (OCI distribution specification, pushing manifests).
pub const MANIFEST: u64 = 4 << 20;
/// An image configuration.
pub const CONFIG: u64 = 4 << 20;
/// One layer, both compressed and unpacked.
pub const LAYER: u64 = 4 << 30;
/// Files and directories in one layer, and in all layers of one image.
pub const ENTRIES: usize = 1_000_000;
/// All layers of one image, compressed.
pub const LAYERS_TOTAL: u64 = 8 << 30;
/// The files of all layers of one image, unpacked.
pub const UNPACKED_TOTAL: u64 = 16 << 30;
/// The paths and link targets in all layers of one image, and the crates that its programs list.
pub const NAMES_TOTAL: u64 = 256 << 20;
/// A Sigstore bundle.
pub const BUNDLE: u64 = 32 << 20;
/// A signed statement: the envelope around a software bill of materials is the largest.
pub const STATEMENT: u64 = 32 << 20;
/// All signatures and statements of one image: twice the largest statement in both layouts. A blob that
/// is named twice for different uses counts twice.
pub const PIECES_TOTAL: u64 = 128 << 20;
/// A simple-signing payload.
pub const PAYLOAD: u64 = 64 << 10;
/// A public or private key, or a certificate, in PEM.
pub const KEY: u64 = 64 << 10;
/// An attestation token, or the answer of a registry's token service.
pub const TOKEN: u64 = 256 << 10;
/// A body of a Google API, errors included.
pub const HTTP_BODY: u64 = 16 << 20;
/// A policy, a grant, a lock or another document that a user writes.
pub const DOCUMENT: u64 = 8 << 20;
/// A log of the events that a launcher measures before it starts a container.
pub const EVENT_LOG: u64 = 4 << 20;
/// Layers in one manifest, and so signatures under one legacy tag.
pub const LAYERS: usize = 1000;
/// Referrers of one image.
pub const REFERRERS: usize = 256;
/// The manifests of all referrers of one image, and, separately, the list that names them.
pub const REFERRERS_TOTAL: u64 = 16 << 20;
/// Signatures of one image; Confidential Space reads no more (launcher, signature discovery).
pub const SIGNATURES: usize = 300;
/// Signatures and statements of one image, under two tags and in referrers.
pub const PIECES: usize = 2 * SIGNATURES + REFERRERS;
/// Log entries of one bundle, and timestamps of one bundle; sigstore-go has the same limit.
pub const EVIDENCE: usize = 32;
/// Subjects of one statement.
pub const SUBJECTS: usize = 1024;
/// Members of one object in a JSON document. The parser keeps their names to find duplicates.
pub const JSON_MEMBERS: usize = 50_000;
/// Values in a JSON document that is kept in memory as such before it is parsed.
pub const JSON_VALUES: usize = 100_000;
/// Nested arrays and objects in a JSON document.
pub const JSON_DEPTH: usize = 64;
