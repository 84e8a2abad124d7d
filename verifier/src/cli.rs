//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use attest::ImageName;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use console::arguments::{Deferred, Registry};
use console::progress::{How, Shown};
use google::outputs::{self, Output, ProviderOutput};
use oci::{ImageRef, Repository};
use signature::Algorithm;
use signer::KmsEndpoint;
use verifier::commit::Commit;
use verifier::place::Named;

pub mod check;
pub mod files;
pub mod found;
pub mod grants;
pub mod tools;
pub mod trusted_root;

/// Rebuilds an image, checks its signatures and attestations, and grants it the use of a key if all checks pass.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 pass, 1 fail (a verdict), 2 error, so that there is no verdict."
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check an image against a policy; publishes nothing and grants nothing
    Verify(Deferred<VerifyAlone>),
    /// Verify an image; on a pass, sign the verdict and the image
    Countersign(Deferred<Box<Countersign>>),
    /// Verify an image and the countersignatures that the policy requires; on a pass, print or apply the binding
    Authorize(Deferred<Box<Authorize>>),
    /// Print the pool and the provider that a grant needs: who is admitted, and under which condition
    Provider(Deferred<Provider>),
    /// Verify an image as `authorize` does; on a pass, bind it and then take the role from all other images
    Rotate(Deferred<Box<grants::Rotate>>),
    /// Remove the binding of an image's digest from a key, and measure when the key refuses
    Revoke(Deferred<Revoke>),
    /// Compare a key, its policy, the pool and its providers with a grant and with verdicts; changes nothing
    Audit(Deferred<grants::AuditKey>),
    /// Build an image again from source, and compare it with the published one
    Rebuild(Deferred<Rebuild>),
    /// Check one file offline
    Check(check::Check),
    /// Fetch the newest trusted root of a Sigstore instance from its TUF repository
    TrustedRoot(Deferred<trusted_root::TrustedRoot>),
}

impl Command {
    /// How progress is shown. Other commands have none.
    pub fn progress(&self) -> How {
        let tools = match self {
            Self::Verify(arguments) => &arguments.verify.tools,
            Self::Countersign(arguments) => &arguments.verify.tools,
            Self::Authorize(arguments) => &arguments.verify.tools,
            Self::Rotate(arguments) => &arguments.verify.tools,
            Self::Rebuild(arguments) => &arguments.tools,
            _ => return How::Quiet,
        };
        tools.shown.progress
    }
}

/// How to build.
#[derive(Args, Debug)]
pub struct Tools {
    /// Build this commit instead of the one that provenance names
    #[arg(long, value_name = "COMMIT", requires = "source")]
    pub commit: Option<Commit>,
    /// The builder's store of inputs
    #[arg(long, value_name = "DIR", requires = "source")]
    pub store: Option<PathBuf>,
    /// Let the builder take all inputs from this capsule, which `builder capsule` made, and use no network: a file, or
    /// REPOSITORY@DIGEST. Crates and modules are not compared with their registry then, which the report notes
    #[arg(long, value_name = "FILE|REF", requires = "source")]
    pub capsule: Option<String>,
    /// The package archive that the builder fetches from
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_ARCHIVE")]
    pub archive: Option<String>,
    /// Let the builder trust package indexes signed by this key or subkey, in addition to Debian's keys; repeatable
    #[arg(
        long = "archive-key",
        value_name = "FINGERPRINT",
        env = "COUNTERSIGN_ARCHIVE_KEY",
        value_delimiter = ','
    )]
    pub archive_keys: Vec<String>,
    /// Number of compilers that the builder runs in parallel; it does not affect the image [default: number of
    /// processors]
    #[arg(long, value_name = "N", requires = "source")]
    pub jobs: Option<NonZeroUsize>,
    /// Time limit for compiling [default: 60]
    #[arg(long, value_name = "MINUTES", requires = "source")]
    pub time_limit: Option<NonZeroU32>,
    /// Limits on the source and on its build.
    #[command(flatten)]
    pub limits: Limits,
    /// The builder program [default: `builder` in the directory of this program]
    #[arg(long, value_name = "PATH", requires = "source")]
    pub builder: Option<PathBuf>,
    /// How progress is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// Limits on the source, and on what compilers and build scripts may use of the machine.
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// Largest amount of data that git may fetch, compressed
    #[arg(long, requires = "source", value_name = "MIB", default_value = "8192")]
    pub limit_repository: NonZeroU32,
    /// Largest total size of the files of the commit
    #[arg(long, requires = "source", value_name = "MIB", default_value = "4096")]
    pub limit_source: NonZeroU32,
    /// Largest amount of memory that a build may use, not counting files [default: the builder's]
    #[arg(long, requires = "source", value_name = "MIB")]
    pub limit_memory: Option<NonZeroU32>,
    /// Largest total size of the files that a build writes; they are kept in memory [default: the builder's]
    #[arg(long, requires = "source", value_name = "MIB")]
    pub limit_files: Option<NonZeroU32>,
    /// Largest number of processes and threads of a build at the same time [default: the builder's]
    #[arg(long, requires = "source", value_name = "N")]
    pub limit_processes: Option<NonZeroU32>,
    /// Largest amount that cargo may write to standard output, and to standard error [default: the builder's]
    #[arg(long, requires = "source", value_name = "MIB")]
    pub limit_output: Option<NonZeroU32>,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The image: REPOSITORY@DIGEST; REPOSITORY:TAG, which is resolved once; oci:DIR for an OCI layout, also of `cosign
    /// save`; oci-archive:FILE; or docker-archive:FILE, in which there are no signatures. If a layout or archive has several
    /// images, :NAME or @DIGEST follows. Signatures and attestations are read from the same place
    #[arg(value_name = "REF")]
    pub image: Named,
    /// The release policy
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// Rebuild from this directory or URL
    #[arg(long, value_name = "DIR|URL", conflicts_with = "rebuilt")]
    pub source: Option<String>,
    /// Compare with the layout of an earlier `verifier rebuild`
    #[arg(long, value_name = "LAYOUT")]
    pub rebuilt: Option<PathBuf>,
    /// How to build.
    #[command(flatten)]
    pub tools: Tools,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `verify` alone.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 pass, 1 fail (a verdict), 2 error, so that there is no verdict. With --signatures-only, 0 means signed: \
                  nothing else was checked."
)]
pub struct VerifyAlone {
    /// Those that `countersign` and `authorize` have too.
    #[command(flatten)]
    pub verify: Verify,
    /// Check only that the principals that the policy requires have signed the image and its attestations. Config and layers
    /// are not fetched, nothing is rebuilt, and what provenance and SBOM say is not compared. This is not a verdict
    #[arg(long, conflicts_with_all = ["source", "rebuilt"])]
    pub signatures_only: bool,
}

/// Parses the name of a format in which a binding is printed.
fn format() -> impl TypedValueParser<Value = &'static Output> {
    let name = |output: &Output| PossibleValue::new(output.name).help(output.about);
    PossibleValuesParser::new(outputs::ALL.iter().map(name))
        .try_map(|name| outputs::named(&name).ok_or("unknown format"))
}

/// How to reach Cloud KMS.
#[derive(Args, Debug)]
pub struct Kms {
    /// The endpoint of Cloud KMS [default: Google's public endpoint]
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_KMS_ENDPOINT")]
    pub kms_endpoint: Option<KmsEndpoint>,
}

/// Arguments of `countersign`.
#[derive(Args, Debug)]
pub struct Countersign {
    /// The arguments of `verify`, which runs first.
    #[command(flatten)]
    pub verify: Verify,
    /// The private key that signs verdict and image: a PEM file, which cosign may have encrypted,
    /// gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…
    // A `KeyRef`, which the command parses: clap would print an invalid one, which may hold a PIN.
    #[arg(long)]
    pub key: String,
    /// The module for keys of PKCS #11 [default: module-path of the key]
    #[arg(long, value_name = "PATH", env = "COSIGN_PKCS11_MODULE_PATH")]
    pub pkcs11_module: Option<PathBuf>,
    /// The algorithm to sign with, for example rsa-pss-sha256 [default: that of the key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
    /// The verifier's URI in the signed verdict [default: verifier.id in the policy]
    #[arg(long, value_name = "URI")]
    pub verifier_id: Option<String>,
    /// Publish signature and verdict in this repository, HOST/REPO, in place of the image's
    #[arg(long, value_name = "REPOSITORY", conflicts_with = "output")]
    pub to: Option<Repository>,
    /// Publish nothing, and write signature and verdict into this new folder, for `builder attach`. Without this option, that
    /// happens in a folder countersignature-DIGEST if the registry does not permit to publish them
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// How to reach Cloud KMS.
    #[command(flatten)]
    pub kms: Kms,
}

/// Arguments of `authorize`.
#[derive(Args, Debug)]
pub struct Authorize {
    /// The arguments of `verify`, which runs first.
    #[command(flatten)]
    pub verify: Verify,
    /// The file that describes the grant: key, role and pool
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// The format in which the binding is printed
    #[arg(long, value_parser = format(), default_value = outputs::ALL[0].name)]
    pub format: &'static Output,
    /// Print what the binding would change in the IAM policy of the key, in place of the binding
    #[arg(long, conflicts_with = "apply")]
    pub plan: bool,
    /// Add the binding to the IAM policy of the key
    #[arg(long)]
    pub apply: bool,
    /// How to reach Cloud KMS.
    #[command(flatten)]
    pub kms: Kms,
}

/// Parses the name of a format in which a provider is printed.
fn provider_format() -> impl TypedValueParser<Value = &'static ProviderOutput> {
    let name = |output: &ProviderOutput| PossibleValue::new(output.name).help(output.about);
    PossibleValuesParser::new(outputs::PROVIDERS.iter().map(name))
        .try_map(|name| outputs::provider_named(&name).ok_or("unknown format"))
}

/// Arguments of `provider`.
#[derive(Args, Debug)]
pub struct Provider {
    /// The file that describes the grant, with a table [provider]
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// The format in which the provider is printed
    #[arg(long, value_parser = provider_format(), default_value = outputs::PROVIDERS[0].name)]
    pub format: &'static ProviderOutput,
}

/// Arguments of `revoke`.
#[derive(Args, Debug)]
pub struct Revoke {
    /// The image, as REPOSITORY@DIGEST; it is not read, and need not exist any more
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// The file that describes the grant: key, role and pool
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// Remove the binding from the IAM policy of the key; without this option, a gcloud command is printed
    #[arg(long)]
    pub apply: bool,
    /// Ask the key with the access token in this file, of a workload that runs the image, until it refuses: at most 15 minutes
    #[arg(long, value_name = "FILE", requires = "apply")]
    pub probe: Option<PathBuf>,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// How to reach Cloud KMS.
    #[command(flatten)]
    pub kms: Kms,
}

/// Arguments of `rebuild`.
#[derive(Args, Debug)]
pub struct Rebuild {
    /// The image, as for `verify`: in a registry, oci:DIR, oci-archive:FILE or docker-archive:FILE
    #[arg(value_name = "REF")]
    pub image: Named,
    /// Rebuild from this directory or URL
    #[arg(long, value_name = "DIR|URL")]
    pub source: String,
    /// The directory of the source that contains Image.toml
    #[arg(long, value_name = "DIR", default_value = "workload")]
    pub directory: String,
    /// The name of the image, if Image.toml describes several [default: the one that provenance names]
    #[arg(long = "image", value_name = "NAME")]
    pub name: Option<ImageName>,
    /// The OCI layout to write; it must not exist
    #[arg(short, long, value_name = "LAYOUT")]
    pub output: PathBuf,
    /// How to build.
    #[command(flatten)]
    pub tools: Tools,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
    /// Report as JSON on standard output; otherwise the rebuilt image's digest is printed
    #[arg(long)]
    pub json: bool,
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
