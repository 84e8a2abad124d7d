//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use client::message::Name;
use content::Digest;
use gcp::{Access, Endpoint};
use google::pubsub::Topic;
use oci::ImageRef;

/// Sends a collaborator's data to a workload, encrypted for one approved image.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
#[command(after_help = STATUS)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const STATUS: &str = "Exit status: 0 published, 1 refused (the key is open to more or to less than what was approved), 2 error, or a policy or role that could not be \
     read.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that the key is open to approved images alone, encrypt a file with it, and publish the message
    Publish(Publish),
}

/// Arguments of `publish`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 published, 1 refused (the key is open to more or to less than what was approved), 2 error, or a policy or role that \
                  could not be read.\n\n\
                  The policies of key, key ring, project, folders and organisation, the pool and all its providers are read and compared with the grant, \
                  as `verifier audit` does."
)]
pub struct Publish {
    /// The file that describes the grant: key, role, pool and [provider]
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// The approved image: its digest, or REPOSITORY@DIGEST
    #[arg(long, value_name = "REF|sha256:…")]
    pub digest: Approved,
    /// A folder of verdicts, as `verifier audit` takes it: all images that they approve may have the key, such as the one that a rotation keeps
    /// for a time. Without it, no other image than that of --digest may
    #[arg(long, value_name = "DIR")]
    pub verdicts: Option<PathBuf>,
    /// The topic that the workload's subscription is attached to
    #[arg(long, value_name = "projects/P/topics/T")]
    pub topic: Topic,
    /// The name of the sender in the terms of the workload
    #[arg(long, value_name = "NAME")]
    pub collaborator: Name,
    /// The name of the message, which the workload counts once [default: random]
    #[arg(long, value_name = "NAME")]
    pub message: Option<Name>,
    /// The data, of 64 KiB at most; - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// How to reach Google Cloud.
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// Report as JSON on standard output; otherwise the name of the message is printed
    #[arg(long)]
    pub json: bool,
}

/// How to reach Google Cloud.
#[derive(Args, Debug)]
pub struct Endpoints {
    /// How to reach the services that know who may use the key.
    #[command(flatten)]
    pub access: Access,
    /// The endpoint of Pub/Sub [default: Google's public endpoint]
    #[arg(long, value_name = "URL")]
    pub pubsub_endpoint: Option<Endpoint>,
}

/// The approved image.
#[derive(Clone, Copy, Debug)]
pub struct Approved(pub Digest);

impl FromStr for Approved {
    type Err = String;

    /// Parses a digest, or a reference by digest: a tag can be moved to another image.
    fn from_str(text: &str) -> Result<Self, String> {
        let digest = text.parse().ok();
        let digest = digest.or_else(|| Some(text.parse::<ImageRef>().ok()?.digest));
        digest.map(Self).ok_or_else(|| {
            "expected sha256:… or REPOSITORY@sha256:…, because a tag can be moved to another image".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;

    /// `just golden` rewrites the pages and scripts in `docs`.
    #[test]
    fn manual_is_current() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        testkit::manual(&docs, &Cli::command());
    }

    #[test]
    fn an_image_is_approved_by_digest_only() {
        let digest = Digest::of(b"image");
        for text in [digest.to_string(), format!("registry.example/app@{digest}")] {
            assert_eq!(text.parse::<Approved>().unwrap().0, digest);
        }
        let upper = digest.to_string().to_uppercase();
        for text in [
            "",
            "registry.example/app:v1",
            "sha256:",
            &digest.hex(),
            &upper,
        ] {
            assert!(text.parse::<Approved>().is_err(), "{text}");
        }
    }
}
