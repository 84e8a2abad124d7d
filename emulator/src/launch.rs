//! The launcher of Confidential Space: pulls an image, holds the operator to the image's
//! launch policy, measures what it is about to do, and runs the container with a token socket
//! (google/go-tpm-tools, `launcher`).

mod agent;
mod attest;
mod command;
pub mod contain;
mod container;
mod discover;
mod error;
mod files;
mod measure;
mod packing;
mod policy;
mod pull;
mod relay;
mod socket;
mod token_file;
mod user;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use confidential::event_log;
use confidential::launch_policy::Request;
use oci::{Reference, Repository};
use remote::{Registry, Transport};
use signals::Signals;
use tokio::task::JoinSet;

use agent::Agent;
pub use attest::AttestError;
use attest::Service;
pub use attest::{Hardware, Machine};
pub use command::LaunchArgs;
use contain::Spec;
use container::Container;
use discover::Discovery;
pub use discover::DiscoveryError;
pub use error::Error;
use files::Files;
use policy::Process;
pub use policy::Refusal;
pub use pull::PullError;
use pull::Pulled;
use token_file::TokenFile;

/// How the operator is told.
pub type Report = Arc<dyn Fn(&Notice) + Send + Sync>;

/// What the operator wants to be launched, and where.
pub struct Options {
    /// The image.
    pub image: Reference,
    /// How registries are reached.
    pub transport: Transport,
    /// The address of the attestation service, `http://127.0.0.1:8081`.
    pub attestation: reqwest::Url,
    /// The machine.
    pub machine: Machine,
    /// Where signatures of the image are looked for.
    pub signed_image_repos: Vec<Repository>,
    /// What the operator asks for: another command, variables, the output.
    pub request: Request,
    /// The folder that holds the token socket on the operator's side; a temporary one if absent.
    pub share: Option<PathBuf>,
    /// How the operator is told what the launcher only logs.
    pub report: Report,
}

/// How a launch ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The workload ran and ended with this exit status.
    Exited(u8),
    /// The launcher does not start this.
    Refused(Refusal),
    /// The launcher was told to stop, by this signal's number.
    Stopped(u8),
}

/// Something that the launcher logs and then goes on.
#[derive(Debug)]
pub enum Notice {
    /// No signatures could be had from a repository.
    Signatures {
        /// The repository.
        repository: Repository,
        /// Why.
        error: DiscoveryError,
    },
    /// A signature does not hold, in the attestation service's words.
    Partial(String),
    /// The default token could not be renewed.
    TokenFile(Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signatures { repository, error } => {
                write!(f, "fetching signatures from {repository}: {error}")
            }
            Self::Partial(text) => write!(f, "getting token: partial error: {text}"),
            Self::TokenFile(error) => write!(f, "renewing default token: {error}"),
        }
    }
}

/// Launches an image and waits until it ends or the process is told to stop (SIGINT, SIGTERM,
/// SIGHUP). Must be called by the runtime itself, not by a task of it: the container lives no longer
/// than the thread that starts it.
///
/// # Errors
/// The image, the attestation service or the container cannot be had.
pub async fn run(options: Options) -> Result<Outcome, Error> {
    let mut signals = Signals::listen().map_err(Error::Signals)?;
    let files = Files::make(options.share.as_deref())?;
    let outcome = tokio::select! {
        outcome = launch(&options, &files) => outcome,
        number = signals.next() => Ok(Outcome::Stopped(number)),
    };
    files.remove().await;
    outcome
}

async fn launch(options: &Options, files: &Files) -> Result<Outcome, Error> {
    let registry = Registry::connect(&options.image.repository, &options.transport)?;
    let image = pull::pull(&registry, &options.image).await?;
    if let Err(refusal) = policy::check(&image.config, &options.request) {
        return Ok(Outcome::Refused(refusal));
    }
    policy::check_platform(&image.config)?;
    files.unpack(&registry, &image).await?;
    let process = policy::process(&image.config, &options.request, &options.machine.name)?;
    let agent = agent(options, &image, &process);
    // They go when nobody works in the background any more.
    let _contents = files.contents();
    let mut background = JoinSet::new();
    background.spawn(socket::serve(files.share(), agent.clone())?);
    let token_file = TokenFile::new(agent, files.share());
    let pause = token_file.write().await?;
    background.spawn(token_file.keep_fresh(pause));
    let output = options.request.log_redirect;
    let spec = spec(files, &image, process, &options.machine);
    let container = Container::start(&spec, output).await?;
    Ok(Outcome::Exited(container.wait().await?))
}

fn agent(options: &Options, image: &Pulled, process: &Process) -> Arc<Agent> {
    let events = measure::events(&options.image, image, process, &options.request);
    let event_log = event_log::encode(&events, options.machine.hardware.register());
    let service = Service::new(
        options.attestation.as_str(),
        options.machine.clone(),
        event_log,
    );
    let discovery = Discovery {
        repositories: options.signed_image_repos.clone(),
        transport: options.transport.clone(),
        image: image.image_digest,
    };
    Agent::new(service, discovery, options.report.clone())
}

fn spec(files: &Files, image: &Pulled, process: Process, machine: &Machine) -> Spec {
    let variable = |v: &event_log::Variable| (v.name().to_owned(), v.value().to_owned());
    Spec {
        root: files.root(),
        share: files.share().to_owned(),
        args: process.args,
        env: process.env.iter().map(variable).collect(),
        user: image.config.config.user.clone(),
        working_dir: image.config.config.working_dir.clone(),
        host_name: machine.name.clone(),
    }
}
