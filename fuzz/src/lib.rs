//! Fuzz targets: a function for each parser of untrusted bytes, which returns whether the parser accepts them. A target
//! panics if its parser does, or if a value is different after it was written and parsed again.
//!
//! `fuzz/tests/smoke.rs` runs all of them on stable Rust, and `fuzz/libfuzzer` with a fuzzer.

mod advisories;
mod builder;
mod check;
mod confidential;
mod content;
mod expression;
mod google;
mod keyless;
mod oci;
mod signature;
mod statements;
mod verifier;

/// A parser and a property of it.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name, which is also that of its folder of seeds in `fuzz/corpus`.
    pub name: &'static str,
    /// Parses the bytes, checks the property, and returns whether the parser accepts them.
    pub run: fn(&[u8]) -> bool,
}

macro_rules! targets {
    ($($name:ident: $run:path,)*) => {
        /// All targets, by name.
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $run },)*
        ];
    };
}

targets! {
    advisory: advisories::advisory,
    apt_sources: builder::apt_sources,
    archive: oci::archive,
    bill: statements::bill,
    cargo_lock: builder::cargo_lock,
    certificate: keyless::certificate,
    claims: confidential::claims,
    config: oci::config,
    deb: builder::deb,
    discovery: confidential::discovery,
    envelope: signature::envelope,
    event_log: confidential::event_log,
    expression: expression::expression,
    google_name: google::google_name,
    grant: verifier::grant,
    identity_token: keyless::identity_token,
    image_lock: builder::image_lock,
    image_toml: builder::image_toml,
    index: oci::index,
    json: content::json,
    jwks: confidential::jwks,
    key_reference: signature::key_reference,
    labels: confidential::labels,
    layer: oci::layer,
    layout: oci::layout,
    linked: statements::linked,
    log_entry: keyless::log_entry,
    logged_bundle: keyless::logged_bundle,
    manifest: oci::manifest,
    package_url: advisories::package_url,
    packages: builder::packages,
    payload: signature::payload,
    pem: signature::pem,
    pki_token: verifier::pki_token,
    policy: verifier::policy,
    project: builder::project,
    provenance: statements::provenance,
    rebuild_record: verifier::rebuild_record,
    reference: oci::reference,
    release: builder::release,
    requirements: builder::requirements,
    sbom: statements::sbom,
    signing_config: keyless::signing_config,
    sigstore_bundle: signature::sigstore_bundle,
    statement: statements::statement,
    timestamp: keyless::timestamp,
    token: confidential::token,
    trusted_root: keyless::trusted_root,
    variable: confidential::variable,
    vex: advisories::vex,
    vsa: statements::vsa,
    wheel: builder::wheel,
}

/// Runs the target of this name.
///
/// # Panics
/// There is no such target, or the target panics.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("no target {name}"));
    (target.run)(bytes);
}
