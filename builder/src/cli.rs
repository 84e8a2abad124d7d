//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use attest::ImageName;
use builder::inputs::CapsuleName;
use builder::lock::signature::Fingerprint;
use clap::{Args, Parser, Subcommand};
use console::arguments::Registry;
use console::progress::{How as Display, Shown};
use oci::{ImageRef, Reference};

pub mod deploy;
pub mod key;
pub mod publish;

use deploy::Deploy;
use key::{Identify, Keygen};
use publish::{Attach, AttachSbom, Attest, Payload, Publish, Push, Sign, Tree};

/// Builds a container image from source so that each machine makes the same bytes, and publishes it.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[command(after_help = "\
Exit status:
  0  done
  1  the source is refused: it does not compile, uses a crate that is not from the public registry,
     locks a crate or wheel that its index does not have or a package that the archive has not signed,
     contains links that lead out or cargo configuration, or leaves a process behind that could change
     the program; or a signature to attach, or one with a certificate, does not verify or is for
     another image; or the labels of an image do not allow what `deploy` is asked for
  2  error: an invalid argument, an input that is missing or differs, no namespaces, I/O")]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write Image.toml, terms.json, policies and cloudbuild.yaml for a program of yours
    ///
    /// What can be found out is found out: from Cargo.toml, go.mod, or the files of a program in Python or a script. What cannot
    /// is listed on standard error. Files that exist are left as they are. Then `builder lock` and `builder build` give a digest.
    Init(Init),
    /// Resolve the inputs that Image.toml names, and write Image.lock: each by path, size and digest
    Lock(Lock),
    /// Build the image of the last commit, or each of several, without network access; prints its digest
    Build(Build),
    /// Build the image, print both of its digests, and write no layout
    Digest(Digest),
    /// Put every input that Image.lock names into one OCI artifact, for builds without network; prints its digest
    ///
    /// Inputs that the store does not have are fetched. `build --capsule`, and the verifier's commands with --capsule, use it. The
    /// same lock always gives the same bytes.
    Capsule(Capsule),
    /// Push, sign and attest an image in one command; prints its reference by digest
    ///
    /// It does what `push`, `sign`, and `attest` with provenance.json and sbom.cdx.json of the layout do. What is published
    /// already is left as it is: repeat the command if it was interrupted.
    Publish(Publish),
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
    /// Publish a bill of materials under the tag sha256-….sbom, as `cosign attach sbom` does; prints its name
    ///
    /// Neither it nor a signature on it names the image: use `attest` where the reader can read attestations. An earlier
    /// document under the tag is replaced. `sign` signs it by the printed name, as `cosign sign --attachment sbom` does.
    AttachSbom(AttachSbom),
    /// Show what is attached to an image in a registry: signatures, attestations, SBOMs, and which reader sees which
    ///
    /// Signatures are verified only with the keys that --key names and those that payloads name themselves. Nothing is
    /// judged: that is what `verifier verify` does.
    Tree(Tree),
    /// Print what an operator runs to launch an image in Confidential Space: commands of gcloud, or a Terraform configuration
    ///
    /// The instance runs the image by digest, without an external address, as a service account with the roles that it needs.
    /// The image is read from the registry: what its labels do not allow is refused.
    Deploy(Deploy),
    /// Make a key pair: PREFIX.key and PREFIX.pub; prints their paths and the key ID
    Keygen(Keygen),
    /// Print the key ID of a key: the SHA-256 of its SubjectPublicKeyInfo, in hex, by which terms, policies and tokens name it
    Key(Identify),
    /// Maintain the store of inputs
    #[command(subcommand)]
    Store(Store),
}

impl Command {
    /// How progress is shown. Other commands have none.
    pub fn progress(&self) -> Display {
        let shown = match self {
            Self::Lock(arguments) => &arguments.shown,
            Self::Build(arguments) => &arguments.how.shown,
            Self::Digest(arguments) => &arguments.how.shown,
            Self::Capsule(arguments) => &arguments.shown,
            Self::Publish(arguments) => &arguments.shown,
            Self::Push(arguments) => &arguments.shown,
            _ => return Display::Quiet,
        };
        shown.progress
    }
}

/// The commands of `store`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Show how large the store is, by kind of input
    Size(Size),
    /// Remove inputs until the store is small enough
    ///
    /// Unpacked build roots, crates and archives are removed first: they are unpacked again when they are needed. Those
    /// that were fetched follow: they are fetched again, if the registry and the package archive still have them.
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
    /// Largest size of the store after pruning [default: 0; without a limit if --keep-days or --unused is given]
    #[arg(long, value_name = "GIB")]
    pub keep: Option<u32>,
    /// Remove what was not used in the last N days
    #[arg(long, value_name = "N")]
    pub keep_days: Option<u32>,
    /// Remove what no Image.lock names of the projects that were locked or built with this store and are still there. A lock that
    /// cannot be read is an error, and nothing is removed
    #[arg(long)]
    pub unused: bool,
}

/// Arguments of `store size`.
#[derive(Args, Debug)]
pub struct Size {
    /// The store [default: countersign in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
    /// The proxies for Go modules, separated by `,` or `|` as for go [default: those of the user's go]
    #[arg(long, value_name = "LIST", env = "GOPROXY", hide_env_values = true)]
    pub module_proxy: Option<String>,
    /// The package index for Python packages, as for pip [default: that of the user's pip]
    #[arg(
        long,
        value_name = "URL",
        env = "PIP_INDEX_URL",
        hide_env_values = true
    )]
    pub wheel_index: Option<String>,
    /// Trust package indexes signed by this key or subkey, in addition to Debian's keys; repeatable
    #[arg(
        long = "archive-key",
        value_name = "FINGERPRINT",
        env = "COUNTERSIGN_ARCHIVE_KEY",
        value_delimiter = ','
    )]
    pub archive_keys: Vec<Fingerprint>,
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// The directory of the program
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Let this image of the workload's program start yours: it checks all signatures first
    #[arg(long, value_name = "REPOSITORY@DIGEST")]
    pub exec: Option<ImageRef>,
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
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// How to build.
#[derive(Args, Debug)]
pub struct How {
    /// The directory of Image.toml and Image.lock
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Build only this image, of several that Image.toml describes with [[image]] [default: all of them]
    #[arg(long, value_name = "NAME")]
    pub image: Option<ImageName>,
    /// Where inputs come from.
    #[command(flatten)]
    pub inputs: Inputs,
    /// The locked package index: the folder `evidence` of a layout, or a folder with the files that are published
    /// with the image [default: the archive's index, if it is still the locked one]
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// Take all inputs from this capsule, as `builder capsule` made it, and use no network: a file, or REPOSITORY@DIGEST, which is
    /// fetched from the registry. Crates and modules are not compared with their registry then, which the result says
    #[arg(long, value_name = "FILE|REF")]
    pub capsule: Option<CapsuleName>,
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
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
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

/// Arguments of `capsule`.
#[derive(Args, Debug)]
#[group(id = "places", args = ["output", "push", "attach"], required = true, multiple = true)]
pub struct Capsule {
    /// The directory of Image.toml and Image.lock
    #[arg(default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// The file to write; an earlier one is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Push the capsule, as REPOSITORY:TAG; prints its reference by digest
    #[arg(long, value_name = "REF", conflicts_with = "attach")]
    pub push: Option<Reference>,
    /// Push the capsule to the repository of this image, as its referrer; prints its reference by digest
    #[arg(long, value_name = "REF@DIGEST")]
    pub attach: Option<ImageRef>,
    /// Where inputs come from.
    #[command(flatten)]
    pub inputs: Inputs,
    /// The locked package index, as for `build`
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// Arguments of `build`.
#[derive(Args, Debug)]
pub struct Build {
    /// How to build.
    #[command(flatten)]
    pub how: How,
    /// The OCI layout to write, or a folder with a layout for each of several images; an earlier one is replaced
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
