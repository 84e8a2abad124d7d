//! Arguments of the commands that publish an image, and show what is published.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use attest::PredicateType;
use builder::publish::payload;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, ValueEnum};
use console::arguments::Registry;
use console::progress::Shown;
use oci::{ImageRef, Reference, Repository};
use signature::{Algorithm, Annotation};
use signer::Instance;

use super::key::Access;

/// Arguments of `push`.
#[derive(Args, Debug)]
pub struct Push {
    /// The OCI layout to push
    pub layout: PathBuf,
    /// Where to push, as REPOSITORY:TAG or REPOSITORY@DIGEST
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// Options about the key.
#[derive(Args, Debug)]
pub struct Key {
    /// The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…
    // A `KeyRef`, which the command parses: clap would print an invalid one, which may hold a PIN.
    #[arg(long, required_unless_present = "identity_token")]
    pub key: Option<String>,
    /// How the key is reached.
    #[command(flatten)]
    pub access: Access,
    /// The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long, conflicts_with = "identity_token")]
    pub algorithm: Option<Algorithm>,
}

/// Options to sign without a key of one's own.
#[derive(Args, Debug)]
pub struct Keyless {
    /// In place of --key: sign with a new key that a Sigstore instance certifies for the holder of this identity token of
    /// OpenID Connect, and logs. Only the bundle is written, which cosign reads and Confidential Space does not
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    #[arg(requires_all = ["signing_config", "trusted_root"])]
    pub identity_token: Option<PathBuf>,
    /// The addresses of the Sigstore instance: a signing_config.json of version 0.2, with logs of Rekor 2
    #[arg(long, value_name = "FILE", requires = "identity_token")]
    pub signing_config: Option<PathBuf>,
    /// The keys and certificates of the instance: a trusted_root.json. A signature that does not verify with it is not
    /// published
    #[arg(long, value_name = "FILE", requires = "identity_token")]
    pub trusted_root: Option<PathBuf>,
}

impl Keyless {
    /// The files, if all are given.
    pub fn instance(&self) -> Option<Instance<'_>> {
        Some(Instance {
            token: self.identity_token.as_deref()?,
            config: self.signing_config.as_deref()?,
            root: self.trusted_root.as_deref()?,
        })
    }
}

/// Arguments of `sign`.
#[derive(Args, Debug)]
pub struct Sign {
    /// The image, as REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// Annotations.
    #[command(flatten)]
    pub annotations: Annotated,
    /// The key.
    #[command(flatten)]
    pub key: Key,
    /// Or an identity.
    #[command(flatten)]
    pub keyless: Keyless,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// Arguments of `publish`.
#[derive(Args, Debug)]
pub struct Publish {
    /// The OCI layout that `builder build` wrote
    pub layout: PathBuf,
    /// Where to push, as REPOSITORY:TAG or REPOSITORY@DIGEST
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…
    #[arg(long)]
    pub key: String,
    /// How the key is reached.
    #[command(flatten)]
    pub access: Access,
    /// The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
    /// Annotations.
    #[command(flatten)]
    pub annotations: Annotated,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// What a signature says beside the image.
#[derive(Args, Debug)]
pub struct Annotated {
    /// Sign this annotation too; repeatable
    #[arg(
        short,
        long = "annotation",
        visible_alias = "annotations",
        value_name = "KEY=VALUE"
    )]
    pub annotations: Vec<Annotation>,
}

/// A public key whose private key is elsewhere.
#[derive(Args, Debug)]
pub struct Public {
    /// The public key, in PEM
    #[arg(long, value_name = "PUBLIC")]
    pub key: PathBuf,
    /// The algorithm that the key signs with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
}

/// Arguments of `payload`.
#[derive(Args, Debug)]
pub struct Payload {
    /// The image, as REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// Where the signature is to be published. Sign for both, as `sign` does
    #[arg(long, value_enum, default_value = "legacy")]
    pub layout: Layout,
    /// Annotations.
    #[command(flatten)]
    pub annotations: Annotated,
    /// Print what is signed to attest a predicate of this type, in both layouts
    #[arg(long = "type", value_name = "TYPE", value_parser = PredicateTypes, requires = "predicate")]
    #[arg(conflicts_with_all = ["layout", "annotations"])]
    pub kind: Option<PredicateType>,
    /// The file with the predicate
    #[arg(long, value_name = "FILE", requires = "kind")]
    pub predicate: Option<PathBuf>,
    /// The key.
    #[command(flatten)]
    pub key: Public,
}

/// A layout of signatures.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Layout {
    /// The tag sha256-….sig, which Confidential Space and cosign read: the payload itself
    Legacy,
    /// A bundle among the referrers, which cosign 3 reads: a statement in its DSSE encoding
    Bundle,
}

impl From<Layout> for payload::Layout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Legacy => Self::Legacy,
            Layout::Bundle => Self::Bundle,
        }
    }
}

/// Arguments of `attach`.
#[derive(Args, Debug)]
pub struct Attach {
    /// The image, as REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// Publish in this repository, HOST/REPO, in place of the image's
    #[arg(long, value_name = "REPOSITORY")]
    pub to: Option<Repository>,
    /// The file with the bytes that were signed
    #[arg(
        long,
        value_name = "FILE",
        requires = "signature",
        required_unless_present = "envelope"
    )]
    pub payload: Option<PathBuf>,
    /// The file with the signature: its bytes, their base64, or the bundle that cosign sign-blob wrote
    #[arg(long, value_name = "FILE", requires = "payload")]
    pub signature: Option<PathBuf>,
    /// The file with a DSSE envelope, or a bundle with one, in place of payload and signature
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payload", "signature"])]
    pub envelope: Option<PathBuf>,
    /// The key.
    #[command(flatten)]
    pub key: Public,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// Arguments of `attach-sbom`.
#[derive(Args, Debug)]
pub struct AttachSbom {
    /// The image, as REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// The file with the bill of materials, in CycloneDX or SPDX
    #[arg(long, value_name = "FILE")]
    pub sbom: PathBuf,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// Arguments of `attest`.
#[derive(Args, Debug)]
pub struct Attest {
    /// The image, as REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// The type of the predicate: one of cosign's names, or any URI
    #[arg(long = "type", value_name = "TYPE", value_parser = PredicateTypes)]
    pub kind: PredicateType,
    /// The file with the predicate: a JSON object, except for the types custom and spdx
    #[arg(long, value_name = "FILE")]
    pub predicate: PathBuf,
    /// The key.
    #[command(flatten)]
    pub key: Key,
    /// Or an identity.
    #[command(flatten)]
    pub keyless: Keyless,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// Types of predicates. Names are offered, and URIs are accepted as well.
#[derive(Clone)]
struct PredicateTypes;

impl TypedValueParser for PredicateTypes {
    type Value = PredicateType;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<PredicateType, clap::Error> {
        let parse: fn(&str) -> Result<PredicateType, _> = str::parse;
        parse.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = PredicateType::names().map(|(name, help)| PossibleValue::new(name).help(help));
        Some(Box::new(values))
    }
}

/// Arguments of `tree`.
#[derive(Args, Debug)]
pub struct Tree {
    /// The image, as REPOSITORY@DIGEST, or REPOSITORY:TAG, which is resolved once
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// Show also what this repository, HOST/REPO, has about the image; repeatable
    #[arg(long = "evidence", value_name = "REPOSITORY")]
    pub evidence: Vec<Repository>,
    /// Call this public key by a name, and look for its signatures; repeatable
    #[arg(long = "key", value_name = "NAME=PUBLIC")]
    pub keys: Vec<NamedKey>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// A public key with a name.
#[derive(Clone, Debug)]
pub struct NamedKey {
    /// The name.
    pub name: String,
    /// The file with the key.
    pub path: PathBuf,
}

impl FromStr for NamedKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(Self {
                name: name.to_owned(),
                path: path.into(),
            }),
            _ => Err("expected NAME=PUBLIC, with the file of a public key"),
        }
    }
}
