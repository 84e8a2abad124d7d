//! `emulator`: Confidential Space and the parts of Google Cloud around it, on loopback.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use console::signals::Signals;
use console::{Status, text};
use emulator::error::StartError;
use emulator::launch::{self, LaunchArgs, Notice, Outcome, Stops, contain};
use emulator::rest::artifact_registry::{Readers, Users, Writers};
use emulator::serve::{self, Endpoints, LAST_BASE, Ports, Settings};
use emulator::services::accounts::{Parent, ProjectId};
use scratch::Scratch;

/// Confidential Space and the parts of Google Cloud around it, on loopback: for rehearsal, not for
/// secrets.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
#[command(
    after_help = "Exit status of launch: the workload's; 1 if the launcher refuses the image; 2 on an error."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve registry, attestation and Google Cloud's services, Compute Engine among them, on loopback until interrupted
    Serve(ServeArgs),
    /// Launch an image as Confidential Space launches it
    Launch(Box<LaunchArgs>),
    /// Run one stage of a container; used by the launcher only
    #[command(name = contain::COMMAND, hide = true)]
    Contain { stage: contain::Stage },
}

#[derive(clap::Args)]
struct ServeArgs {
    /// Folder that keeps all state between runs [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A project to set up; its owner's credentials are written below the state folder; can be repeated
    #[arg(long = "project", value_name = "ID")]
    projects: Vec<ProjectId>,
    /// What a project is in: an organisation, and folders from the outermost to the innermost, whose policies the project inherits; the
    /// owners of all projects in an organisation administer it; can be repeated
    #[arg(
        long = "parent",
        value_name = "PROJECT=organizations/NUMBER[/folders/NUMBER...]"
    )]
    parents: Vec<Parent>,
    /// Who may write to the registry: anyone, or those with roles/artifactregistry.writer on the repository or on the project that its path
    /// begins with, the project's owner among them; an access token is the password
    #[arg(long, value_enum, value_name = "anyone|owners", hide_possible_values = true, default_value_t = Writers::Anyone)]
    registry_writers: Writers,
    /// Who may read the registry: anyone, or those with roles/artifactregistry.reader on the repository or on the project that its path
    /// begins with, the project's owner among them; an access token is the password
    #[arg(long, value_enum, value_name = "anyone|granted", hide_possible_values = true, default_value_t = Readers::Anyone)]
    registry_readers: Readers,
    /// Port of the registry; those of the other services follow, in the order of their names in the output [default: free ports]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=LAST_BASE))]
    port_base: Option<u16>,
    /// Address of the metadata server of the machine that runs, on loopback; the terms of a rehearsal name it
    #[arg(long, value_name = "IP:PORT", default_value_t = launch::METADATA, value_parser = launch::loopback)]
    metadata_address: SocketAddr,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        // A container must be made while the process has one thread.
        Command::Contain { stage } => ExitCode::from(contain::run(stage)),
        Command::Launch(args) => {
            let spared = console::proxy::exempt_loopback(std::env::vars_os(), std::env::args_os());
            match spared {
                Ok(()) => launch(*args),
                Err(error) => fail(&error, "unset HTTP_PROXY and the other proxy variables"),
            }
        }
        Command::Serve(args) => serve(&args),
    }
}

fn serve(args: &ServeArgs) -> ExitCode {
    match serve_until_stopped(args) {
        Ok(()) => Status::Yes.into(),
        Err(error) => fail(&error, error.hint()),
    }
}

fn serve_until_stopped(args: &ServeArgs) -> Result<(), StartError> {
    let temporary = Scratch::new().map_err(StartError::start)?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    let runtime = console::runtime::start().map_err(StartError::start)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(StartError::start)?;
        let settings = Settings {
            folder,
            projects: &args.projects,
            parents: &args.parents,
            users: Users {
                readers: args.registry_readers,
                writers: args.registry_writers,
            },
            ports: args.port_base.map_or(Ports::Free, Ports::From),
            metadata: args.metadata_address,
        };
        let serving = serve::serve(settings, now).await?;
        print(&serving.endpoints).map_err(StartError::start)?;
        signals.next().await;
        serving.end().await;
        Ok(())
    })
}

fn print(endpoints: &Endpoints) -> io::Result<()> {
    console::print::line(&serde_json::to_string(endpoints)?)
}

/// The current time, in Unix seconds; 0 if the clock is before 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn launch(args: LaunchArgs) -> ExitCode {
    let report = |notice: &Notice| match notice {
        // The output of the workload shows that.
        Notice::Started => {}
        notice => console::print::note(&format!("emulator: {notice}")),
    };
    let runtime = match console::runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, console::runtime::HINT),
    };
    let launched = runtime.block_on(async {
        let mut stops = Stops::of_signals()?;
        let options = args.options(Arc::new(report)).await?;
        launch::run(options, &mut stops).await
    });
    match launched {
        Ok(Outcome::Exited(status)) => ExitCode::from(status),
        Ok(Outcome::Stopped(signal)) => Status::Signal(signal).into(),
        Ok(Outcome::Refused(refusal)) => {
            let refusal = text::line(&refusal.to_string());
            console::print::note(&format!("emulator: refused: {refusal}"));
            Status::No.into()
        }
        Err(error) => fail(&error, error.hint()),
    }
}

fn fail(error: &dyn std::error::Error, hint: &str) -> ExitCode {
    console::print::error("emulator", &error.to_string(), Some(hint));
    Status::Unknown.into()
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
