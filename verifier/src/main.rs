//! The program: arguments, environment, clock and printing. Everything else is in the library.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use console::hint::Hinted;
use console::progress::Progress;
use console::signals::Signals;
use console::{Status, arguments, print};
use verifier::check::{Facts, Judgement};
use verifier::error::Error;
use verifier::{receipt, trusted_root};

mod cli;
mod commands;

use cli::found::Found;
use cli::tools::tools;
use cli::{Cli, Command};
use commands::granting::{authorize, provider, rotate};
use commands::judging::{sign, verify};
use commands::printing::{print_json, print_line, say};

/// Time limit for interrupted work to clean up; longer than that of the builder, for which it may wait.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    start().unwrap_or_else(|error| explain(&error)).into()
}

fn explain(error: &Error) -> Status {
    let message = error.to_string();
    match error.quotes_a_file() {
        true => print::error_lines("verifier", &message, error.hint()),
        false => print::error("verifier", &message, error.hint()),
    }
    Status::Unknown
}

fn start() -> Result<Status, Error> {
    let cli: Cli = arguments::parse(std::env::args_os());
    if let Command::Check(arguments) = &cli.command {
        return check(&arguments.what);
    }
    console::proxy::exempt_loopback(std::env::vars_os(), std::env::args_os())
        .map_err(Hinted::starting)?;
    let runtime = console::runtime::start().map_err(Hinted::starting)?;
    let answer = runtime.block_on(run(cli));
    // Work that did not end in time ends with the process.
    runtime.shutdown_background();
    answer
}

/// Runs the command in a separate task, so that signals are handled while it waits for a pipe or a terminal.
/// Aborting the task removes its temporary files and ends its processes.
async fn run(cli: Cli) -> Result<Status, Error> {
    // Several providers may be linked, so one must be chosen. This fails only if one was chosen before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen().map_err(Hinted::starting)?;
    let progress = Progress::start(cli.command.progress(), std::env::var_os)?;
    let mut work = tokio::spawn(dispatch(cli.command, progress.clone()));
    tokio::select! {
        answer = &mut work => {
            progress.end();
            return answer.unwrap_or_else(|error| Err(Hinted::doing("running the command", error).into()));
        }
        _ = signals.next() => {}
    }
    work.abort();
    let cleaned_up = tokio::time::timeout(PATIENCE, work).await;
    drop(cleaned_up);
    progress.end();
    Err(Error::Interrupted)
}

/// Judges one file. This needs neither a runtime nor the network.
fn check(arguments: &cli::check::What) -> Result<Status, Error> {
    let mut facts = arguments.json().then(Facts::new);
    let judgement = arguments.judge(SystemTime::now().into(), facts.as_mut())?;
    match (judgement.is_accepted(), facts) {
        (_, Some(facts)) => print_json(&judgement.to_json(facts))?,
        (true, None) => print_line(&judgement.line())?,
        (false, None) => print::note(&judgement.line()),
    }
    Ok(match judgement.is_accepted() {
        true => Status::Yes,
        false => Status::No,
    })
}

async fn dispatch(command: Command, progress: Progress) -> Result<Status, Error> {
    match command {
        Command::Verify(arguments) => verify(&arguments, &progress).await,
        Command::Countersign(arguments) => sign(&arguments, &progress).await,
        Command::Authorize(arguments) => authorize(&arguments, &progress).await,
        Command::Provider(arguments) => provider(&arguments).await,
        Command::Rotate(arguments) => rotate(&arguments, &progress).await,
        Command::Revoke(arguments) => say(&cli::grants::revoke(&arguments).await?, arguments.json),
        Command::Audit(arguments) => {
            let audited = cli::grants::audit(&arguments, SystemTime::now().into()).await?;
            say(&audited, arguments.json)
        }
        Command::Rebuild(arguments) => rebuild(&arguments, &progress).await,
        Command::Check(arguments) => check(&arguments.what),
        Command::TrustedRoot(arguments) => update_root(&arguments).await,
    }
}

async fn rebuild(arguments: &cli::Rebuild, progress: &Progress) -> Result<Status, Error> {
    let found = Found::open_alone(&arguments.image, &arguments.registry).await?;
    let request = receipt::Request {
        reference: &found.reference,
        place: found.place(),
        source: &arguments.source,
        commit: arguments.tools.commit.as_ref(),
        directory: &arguments.directory,
        image: arguments.name.as_ref(),
        tools: &tools(&arguments.tools)?,
        layout: &arguments.output,
        now: SystemTime::now().into(),
    };
    let receipt = receipt::receipt(&request, progress).await?;
    print::note(receipt.table().trim_end());
    match (receipt.rebuilt(), arguments.json) {
        (_, true) => print_json(&receipt.to_json())?,
        (Some(digest), false) => print_line(&digest.to_string())?,
        (None, false) => {}
    }
    match receipt.is_same() {
        true => Ok(Status::Yes),
        false => Ok(Status::No),
    }
}

async fn update_root(arguments: &cli::trusted_root::TrustedRoot) -> Result<Status, Error> {
    let mirror = trusted_root::mirror(&arguments.mirror, arguments.ca.as_deref()).await?;
    let request = trusted_root::Request {
        root: &arguments.root,
        checksum: arguments.root_checksum,
        store: &arguments.store,
        output: &arguments.output,
        signing_config: arguments.signing_config.as_deref(),
        now: SystemTime::now().into(),
    };
    let updated = trusted_root::update(mirror, &request).await?;
    let status = match &updated {
        Ok(_) => Status::Yes,
        Err(_) => Status::No,
    };
    match (updated, arguments.json) {
        (updated, true) => print_json(&trusted_root::to_json(&updated))?,
        (Ok(report), false) => {
            print::note(&report.line());
            print_line(&report.digest.to_string())?;
        }
        (Err(reason), false) => print::note(&Judgement::Refused(reason).line()),
    }
    Ok(status)
}
