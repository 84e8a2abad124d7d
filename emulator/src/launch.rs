//! The launcher of Confidential Space: pulls an image, enforces the launch policy of the image, measures
//! the launch, and runs the container with a token socket (google/go-tpm-tools, `launcher`).

mod account;
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
mod spec;
mod stop;
mod token_file;
mod user;

use std::path::Path;
use std::sync::Arc;

use confidential::event_log;
use confidential::launch_policy::Asked;
use tokio::task::JoinSet;

pub use account::{Account, Caller};
use agent::Agent;
pub use attest::AttestError;
use attest::Service;
pub use attest::{Hardware, Machine};
pub use command::{LaunchArgs, loopback};
use contain::Spec;
use container::Container;
use discover::Discovery;
pub use discover::DiscoveryError;
pub use error::Error;
use files::{Contents, Files};
pub use metadata::{
    ADDRESS as METADATA, Attribute, Attributes, Facts, Metadata, listen as listen_for_metadata,
};
pub use notice::{Notice, Report};
pub use options::{Options, Outcome};
use policy::Process;
pub use policy::Refusal;
use pull::Pulled;
pub use relay::{Output, Stream};
pub use reqwest::Url as Address;
pub use spec::{LaunchSpec, LogRedirect, SpecError};
pub use stop::{GRACE, Stop, Stops};
use token_file::TokenFile;

/// Launches an image and waits until the workload exits or is stopped. Must be called from the thread that drives the
/// runtime, not from a task: the container is killed when the thread that started it ends.
///
/// # Errors
/// The image cannot be pulled, there is no attestation token, or the container cannot be started.
pub async fn run(options: Options, stops: &mut Stops) -> Result<Outcome, Error> {
    let files = Files::make(options.share.as_deref())?;
    let outcome = launch(&options, &files, stops).await;
    files.remove().await;
    outcome
}

async fn launch(options: &Options, files: &Files, stops: &mut Stops) -> Result<Outcome, Error> {
    let prepared = tokio::select! {
        prepared = prepare(options, files) => prepared?,
        asked = stops.next() => return Ok(asked.outcome()),
    };
    let ready = match prepared {
        Prepared::Ready(ready) => ready,
        Prepared::Refused(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let output = (options.request.log_redirect == Asked::Yes).then_some(&options.output);
    // From here on, a request to stop finds a workload that can be asked to end.
    let mut container = Container::start(&ready.spec, output).await?;
    (options.report)(&Notice::Started);
    stop::wait(&mut container, options, stops).await
}

enum Prepared {
    Ready(Box<Ready>),
    Refused(Refusal),
}

/// All that a container needs: its description, and the tasks behind its token socket.
struct Ready {
    spec: Spec,
    _background: JoinSet<()>,
    /// The background tasks write to these files, and end before them.
    _contents: Contents,
}

async fn prepare(options: &Options, files: &Files) -> Result<Prepared, Error> {
    let registry = options
        .caller
        .connect(&options.image.repository, &options.transport)?;
    let image = pull::pull(&registry, &options.image).await?;
    if let Err(refusal) = policy::check(&image.config, &options.request) {
        return Ok(Prepared::Refused(refusal));
    }
    policy::check_platform(&image.config)?;
    files.unpack(&registry, &image).await?;
    if lacks_users(&image.config.config.user, &files.root()) {
        (options.report)(&Notice::OnlyRoot);
    }
    let process = policy::process(&image.config, &options.request, &options.machine.name)?;
    let agent = agent(options, &image, &process);
    let contents = files.contents();
    let mut background = JoinSet::new();
    background.spawn(socket::serve(files.share(), agent.clone())?);
    if let Some(metadata) = &options.metadata {
        background.spawn(metadata::serve(metadata)?);
    }
    let token_file = TokenFile::new(agent, files.share());
    let pause = token_file.write().await?;
    background.spawn(token_file.keep_fresh(pause));
    Ok(Prepared::Ready(Box::new(Ready {
        spec: spec(files, &image, process, &options.machine),
        _background: background,
        _contents: contents,
    })))
}

/// Whether the image runs as root, in a container that has no other user: without privileges, the launcher has only its own.
fn lacks_users(user: &str, root: &Path) -> bool {
    let is_root = user::User::find(user, root).is_ok_and(|user| user.uid == 0);
    is_root && !rustix::process::geteuid().is_root()
}

fn agent(options: &Options, image: &Pulled, process: &Process) -> Arc<Agent> {
    let events = measure::events(options, image, process);
    let event_log = event_log::encode(&events, options.machine.hardware.register());
    let service = Service::new(
        options.attestation.as_str(),
        options.machine.clone(),
        event_log,
        options.caller.clone(),
    );
    let discovery = Discovery {
        repositories: options.signed_image_repos.clone(),
        transport: options.transport.clone(),
        caller: options.caller.clone(),
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
