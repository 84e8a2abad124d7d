//! The shape of the command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use console::arguments::Registry;
use google::outputs::{self, Output};
use oci::{ImageRef, Reference};
use signer::{KeyRef, KmsEndpoint};
use verifier::commit::Commit;

/// Rebuilds an image, checks what others say about it, and opens a key to it only on a pass.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 yes, 1 no (a verdict), 2 could not tell.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch, rebuild, appraise: a verdict, and nothing written anywhere
    Verify(Verify),
    /// Verify; on a pass sign the verdict and the image, and print or apply the binding
    Authorize(Authorize),
    /// Take the binding for a digest away
    Revoke(Revoke),
    /// Build the image again from source and compare
    Rebuild(Rebuild),
}

/// How to build.
#[derive(Args, Debug)]
pub struct Tools {
    /// Build this commit instead of the one that provenance names
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<Commit>,
    /// The builder's store of inputs
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// The package archive that the builder fetches from
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_ARCHIVE")]
    pub archive: Option<String>,
    /// Let the builder trust a package index that this key or subkey has signed, besides Debian's; repeatable
    #[arg(
        long = "archive-key",
        value_name = "FINGERPRINT",
        env = "COUNTERSIGN_ARCHIVE_KEY",
        value_delimiter = ','
    )]
    pub archive_keys: Vec<String>,
    /// How many compilers the builder runs at once; the bytes do not depend on it [default: processors]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// When the builder gives up a compiler that does not end [default: 60]
    #[arg(long, value_name = "MINUTES")]
    pub time_limit: Option<NonZeroU32>,
    /// Limits on the source and on its build.
    #[command(flatten)]
    pub limits: Limits,
    /// The builder program [default: beside this one]
    #[arg(long, value_name = "PATH")]
    pub builder: Option<PathBuf>,
}

/// Limits on the source, and on what compilers and build scripts may use of the machine.
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// How much git may fetch of the source, compressed
    #[arg(long, value_name = "MIB", default_value = "8192")]
    pub limit_repository: NonZeroU32,
    /// How much the files of the commit may take
    #[arg(long, value_name = "MIB", default_value = "4096")]
    pub limit_source: NonZeroU32,
    /// How much memory a build may use, without its files [default: the builder's]
    #[arg(long, value_name = "MIB")]
    pub limit_memory: Option<NonZeroU32>,
    /// How much a build may keep in files, which are in memory as well [default: the builder's]
    #[arg(long, value_name = "MIB")]
    pub limit_files: Option<NonZeroU32>,
    /// How many processes and threads of a build there may be at the same time [default: the builder's]
    #[arg(long, value_name = "N")]
    pub limit_processes: Option<NonZeroU32>,
    /// How much a build may write to each of standard output and standard error [default: the builder's]
    #[arg(long, value_name = "MIB")]
    pub limit_output: Option<NonZeroU32>,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// REPOSITORY@DIGEST, or REPOSITORY:TAG, which is resolved once
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// The release policy
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// Rebuild from this directory or URL
    #[arg(long, value_name = "DIR|URL", conflicts_with = "rebuilt")]
    pub source: Option<String>,
    /// Compare with what an earlier `verifier rebuild` left
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

/// Parses the name of a format in which a binding is printed.
fn format() -> impl TypedValueParser<Value = &'static Output> {
    let name = |output: &Output| PossibleValue::new(output.name).help(output.about);
    PossibleValuesParser::new(outputs::ALL.iter().map(name))
        .try_map(|name| outputs::named(&name).ok_or("unknown format"))
}

/// How to reach Cloud KMS.
#[derive(Args, Debug)]
pub struct Kms {
    /// Cloud KMS is here instead of at its public address
    #[arg(long, value_name = "URL", env = "COUNTERSIGN_KMS_ENDPOINT")]
    pub kms_endpoint: Option<KmsEndpoint>,
}

/// Arguments of `authorize`.
#[derive(Args, Debug)]
pub struct Authorize {
    /// What is verified first.
    #[command(flatten)]
    pub verify: Verify,
    /// What is granted
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// Sign verdict and image with this: a PEM file or gcpkms://projects/…/cryptoKeyVersions/N
    #[arg(long)]
    pub key: KeyRef,
    /// How the binding is printed
    #[arg(long, value_parser = format(), default_value = outputs::ALL[0].name)]
    pub format: &'static Output,
    /// Write the binding into the key's policy
    #[arg(long)]
    pub apply: bool,
    /// Who verified, as a URI [default: the policy's verifier.id]
    #[arg(long, value_name = "URI")]
    pub verifier_id: Option<String>,
    /// How to reach Cloud KMS.
    #[command(flatten)]
    pub kms: Kms,
}

/// Arguments of `revoke`.
#[derive(Args, Debug)]
pub struct Revoke {
    /// REPOSITORY@DIGEST
    #[arg(value_name = "REF@DIGEST")]
    pub image: ImageRef,
    /// What was granted
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// Write to the key's policy; otherwise the command is printed
    #[arg(long)]
    pub apply: bool,
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
    /// REPOSITORY@DIGEST, or REPOSITORY:TAG, which is resolved once
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// Rebuild from this directory or URL
    #[arg(long, value_name = "DIR|URL")]
    pub source: String,
    /// The directory of the source that is built
    #[arg(long, value_name = "DIR", default_value = "workload")]
    pub directory: String,
    /// Write the rebuilt image here
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
