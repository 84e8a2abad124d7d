//! The command line.

use std::ffi::OsStr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use attest::PredicateType;
use builder::lock::signature::Fingerprint;
use builder::publish::payload;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use console::arguments::Registry;
use oci::{ImageRef, Reference};
use signature::{Algorithm, Annotation, KeyType};
use signer::KmsEndpoint;

/// Builds a container image from source so that everyone gets the same bytes, and publishes it.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[command(after_help = "\
Exit status:
  0  done
  1  the source is refused: it does not compile, uses a crate that is not from the public registry,
     locks a crate that the registry does not have or a package that the archive has not signed,
     contains symbolic links or cargo configuration, or leaves a process behind that could change
     the program; or a signature to attach does not verify or is for another image
  2  error: an invalid argument, an input that is missing or differs, no namespaces, I/O")]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Resolve the inputs that Image.toml names, and write Image.lock: each by path, size and digest
    Lock(Lock),
    /// Build the image of the last commit without network access; prints its digest
    Build(Build),
    /// Build the image, print both of its digests, and write no layout
    Digest(Digest),
    /// Push a layout to a registry; prints the image's reference by digest
    Push(Push),
    /// Sign an image in a registry, in the layouts that Confidential Space and cosign read
    Sign(Sign),
    /// Attach a signed statement to an image in a registry, in both layouts
    Attest(Attest),
    /// Print the bytes to sign, for a key that signs elsewhere: with openssl, an HSM or cosign sign-blob
    ///
    /// Exactly these bytes are printed, without a line feed at the end. Nothing is sent to the registry.
    Payload(Payload),
    /// Publish a signature over what `payload` printed, or an envelope, that was made elsewhere
    ///
    /// The signature must verify with the public key, and must be for this image. It is published where `sign` and
    /// `attest` publish theirs.
    Attach(Attach),
    /// Make a key pair: PREFIX.key and PREFIX.pub
    Keygen(Keygen),
    /// Maintain the store of inputs
    #[command(subcommand)]
    Store(Store),
}

/// The commands of `store`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Remove inputs until the store is small enough
    ///
    /// Unpacked build roots and crates are removed first: they are unpacked again when they are needed. Archives of
    /// crates and packages follow: they are fetched again, if the registry and the package archive still have them.
    /// In each group, the least recently used are removed first. No other file of the directory is removed, and
    /// nothing is removed while another process uses the store.
    Prune(Prune),
}

/// Arguments of `store prune`.
#[derive(Args, Debug)]
pub struct Prune {
    /// The store [default: countersign in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Largest size of the store after pruning
    #[arg(long, value_name = "GIB", default_value = "0")]
    pub keep: u32,
}

/// Options about inputs.
#[derive(Args, Debug)]
pub struct Inputs {
    /// The store of inputs [default: countersign in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Largest size of the store: it is pruned as by `store prune`
    #[arg(long, value_name = "GIB", default_value = "32")]
    pub store_limit: u32,
    /// The package archive [default: the one in the host's apt sources]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_ARCHIVE")]
    pub archive: Option<String>,
    /// The archive's keyring, in a format that gpgv reads [default: the one in the host's apt sources]
    #[arg(long, value_name = "FILE")]
    pub keyring: Option<PathBuf>,
    /// Trust package indexes signed by this key or subkey, in addition to Debian's keys; repeatable
    #[arg(
        long = "archive-key",
        value_name = "FINGERPRINT",
        env = "COUNTERSIGN_ARCHIVE_KEY",
        value_delimiter = ','
    )]
    pub archive_keys: Vec<Fingerprint>,
}

/// Arguments of `lock`.
#[derive(Args, Debug)]
pub struct Lock {
    /// The directory of Image.toml
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Where inputs come from.
    #[command(flatten)]
    pub inputs: Inputs,
}

/// How to build.
#[derive(Args, Debug)]
pub struct How {
    /// The directory of Image.toml and Image.lock
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Where inputs come from.
    #[command(flatten)]
    pub inputs: Inputs,
    /// The locked package index: the folder `evidence` of a layout, or a folder with the files that are published
    /// with the image [default: the archive's index, if it is still the locked one]
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// The builder's name in provenance
    #[arg(
        long,
        value_name = "URI",
        default_value = "https://countersign.dev/builder"
    )]
    pub builder_id: String,
    /// The source's name in provenance [default: the repository's path]
    #[arg(long, value_name = "URI")]
    pub source_uri: Option<String>,
    /// Number of compilers that run in parallel; it does not affect the image [default: number of processors]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Time limit for compiling
    #[arg(long, value_name = "MINUTES", default_value = "60")]
    pub time_limit: NonZeroU32,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Limits on compilers and build scripts, together. A build that reaches one ends with status 2.
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// Largest amount of memory that a build may use, not counting files
    #[arg(long, value_name = "MIB", default_value = "16384")]
    pub limit_memory: NonZeroU32,
    /// Largest total size of the files that a build writes; they are kept in memory
    #[arg(long, value_name = "MIB", default_value = "8192")]
    pub limit_files: NonZeroU32,
    /// Largest number of processes and threads of a build at the same time
    #[arg(long, value_name = "N", default_value = "2048")]
    pub limit_processes: NonZeroU32,
    /// Largest amount that cargo may write to standard output, and to standard error; output of build scripts
    /// counts as files
    #[arg(long, value_name = "MIB", default_value = "16")]
    pub limit_output: NonZeroU32,
}

/// Arguments of `build`.
#[derive(Args, Debug)]
pub struct Build {
    /// How to build.
    #[command(flatten)]
    pub how: How,
    /// The OCI layout to write; an earlier one is replaced
    #[arg(short, long = "output", value_name = "LAYOUT")]
    pub output: PathBuf,
}

/// Arguments of `digest`.
#[derive(Args, Debug)]
pub struct Digest {
    /// How to build.
    #[command(flatten)]
    pub how: How,
}

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
}

/// Options about the key.
#[derive(Args, Debug)]
pub struct Key {
    /// The private key: a PEM file, which cosign may have encrypted, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…
    // A `KeyRef`, which the command parses: clap would print an invalid one, which may hold a PIN.
    #[arg(long)]
    pub key: String,
    /// The endpoint of Cloud KMS [default: Google's public endpoint]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_KMS_ENDPOINT")]
    pub kms_endpoint: Option<KmsEndpoint>,
    /// The module for keys of PKCS #11 [default: module-path of the key]
    #[arg(long, value_name = "PATH", env = "COSIGN_PKCS11_MODULE_PATH")]
    pub pkcs11_module: Option<PathBuf>,
    /// The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
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
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
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

/// Arguments of `keygen`.
#[derive(Args, Debug)]
pub struct Keygen {
    /// The path of the two files, without their extensions
    pub prefix: PathBuf,
    /// The type of the key: ecdsa-p256, ecdsa-p384, ecdsa-p521, rsa-2048, rsa-3072, rsa-4096 or ed25519
    #[arg(long, value_name = "TYPE", default_value_t = KeyType::P256)]
    pub algorithm: KeyType,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::Cli;

    /// `just golden` rewrites the pages and scripts in `docs`.
    #[test]
    fn manual_is_current() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        testkit::manual(&docs, &Cli::command());
    }
}
