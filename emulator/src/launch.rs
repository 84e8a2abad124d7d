//! The launcher of Confidential Space: pulls an image, enforces the launch policy of the image, measures
//! the launch, and runs the container with a token socket (google/go-tpm-tools, `launcher`).

mod agent;
mod attest;
mod command;
pub mod contain;
mod container;
mod discover;
mod error;
mod files;
mod measure;
mod metadata;
mod notice;
mod options;
mod packing;
mod policy;
mod pull;
mod relay;
mod socket;
mod token_file;
mod user;

use std::path::Path;
use std::sync::Arc;

use confidential::event_log;
use console::signals::Signals;
use remote::Registry;
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
pub use notice::{Notice, Report};
pub use options::{Metadata, Options, Outcome};
use policy::Process;
pub use policy::Refusal;
use pull::Pulled;
use token_file::TokenFile;

/// Launches an image and waits until the workload exits or the process is interrupted (SIGINT, SIGTERM,
/// SIGHUP). Must be called from the thread that drives the runtime, not from a task: the container is
/// killed when the thread that started it ends.
///
/// # Errors
/// The image cannot be pulled, there is no attestation token, or the container cannot be started.
pub async fn run(options: Options) -> Result<Outcome, Error> {
    let mut signals = Signals::listen().map_err(Error::signals)?;
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
    // Dropped after the background tasks, which write to these files.
    let _contents = files.contents();
    let mut background = JoinSet::new();
    background.spawn(socket::serve(files.share(), agent.clone())?);
    if let Some(metadata) = &options.metadata {
        let attributes = metadata.attributes.clone();
        background.spawn(metadata::serve(metadata.address, attributes).await?);
    }
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
        process: isolate::process::Process {
            command: process.args,
            environment: process.env.iter().map(variable).collect(),
            // Absolute, even if the image has a relative path.
            directory: Path::new("/").join(&image.config.config.working_dir),
        },
        user: image.config.config.user.clone(),
        host_name: machine.name.clone(),
    }
}
