//! The program: arguments, environment and printing. Everything else is in the library.

mod cli;

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use client::error::Error;
use client::message::{Header, Name};
use client::plaintext;
use client::publish::{Order, Outcome, Services, publish};
use client::report;
use client::seal::Sealer;
use client::send::Sender;
use console::hint::Hinted;
use console::signals::Signals;
use console::{Status, arguments, at, print};
use content::limits;
use grant::inspect::Inspection;
use grant::{Grant, Verdicts};

use cli::{Cli, Command, Endpoints, Publish};

fn main() -> ExitCode {
    start().unwrap_or_else(|error| explain(&error)).into()
}

fn explain(error: &Error) -> Status {
    let message = error.to_string();
    match error.quotes_a_file() {
        true => print::error_lines("client", &message, error.hint()),
        false => print::error("client", &message, error.hint()),
    }
    Status::Unknown
}

fn start() -> Result<Status, Error> {
    console::proxy::exempt_loopback(std::env::vars_os(), std::env::args_os())
        .map_err(Hinted::starting)?;
    let cli: Cli = arguments::parse(std::env::args_os());
    let runtime = console::runtime::start().map_err(Hinted::starting)?;
    let answer = runtime.block_on(run(cli));
    // A read that waits for a terminal ends with the process.
    runtime.shutdown_background();
    answer
}

/// Runs the command until it ends or a signal comes.
async fn run(cli: Cli) -> Result<Status, Error> {
    // Several providers may be linked, so one must be chosen. This fails only if one was chosen before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen().map_err(Hinted::starting)?;
    let Command::Publish(arguments) = cli.command;
    tokio::select! {
        answer = send(&arguments) => answer,
        _ = signals.next() => Err(Error::Interrupted),
    }
}

async fn send(arguments: &Publish) -> Result<Status, Error> {
    let grant = apart(&arguments.grant, read_grant).await?;
    let verdicts = match &arguments.verdicts {
        Some(folder) => Some(apart(folder, read_verdicts).await?),
        None => None,
    };
    let data = apart(&arguments.file, plaintext::read).await?;
    let header = header(arguments, &grant)?;
    let services = connect(&arguments.endpoints).await?;
    let order = Order {
        inspection: Inspection {
            grant: &grant,
            verdicts: verdicts.as_ref(),
            now: SystemTime::now().into(),
        },
        scope: arguments.endpoints.access.scope(),
        header: &header,
        topic: &arguments.topic,
        data: &data,
    };
    let outcome = publish(&services, &order).await?;
    show(arguments, &header, &outcome)?;
    Ok(outcome.status())
}

fn header(arguments: &Publish, grant: &Grant) -> Result<Header, Error> {
    let random = || Name::random().map_err(|error| Hinted::doing("choosing a name", error));
    let message = arguments.message.clone().map_or_else(random, Ok)?;
    Ok(Header {
        collaborator: arguments.collaborator.clone(),
        message,
        image_digest: arguments.digest.0,
        key: grant.key().clone(),
    })
}

async fn connect(endpoints: &Endpoints) -> Result<Services, Error> {
    let credentials = gcp::credentials().await?;
    let access = &endpoints.access;
    let (kms, pubsub) = (
        access.kms_endpoint.as_ref(),
        endpoints.pubsub_endpoint.as_ref(),
    );
    Ok(Services {
        cloud: access.connect(credentials.clone()).await?,
        sealer: Sealer::open(kms, credentials.clone()).await?,
        sender: Sender::open(pubsub, credentials)?,
    })
}

fn show(arguments: &Publish, header: &Header, outcome: &Outcome) -> Result<(), Error> {
    let (topic, message) = (&arguments.topic, &header.message);
    for note in report::notes(header, outcome) {
        print::note(&note);
    }
    print::note(&match &outcome.published {
        Some(id) => format!("published to {topic} as {id}"),
        None => report::refusal(header, outcome),
    });
    let printed = match (arguments.json, &outcome.published) {
        (true, _) => print::json(&format!("{:#}", report::json(header, topic, outcome))),
        (false, Some(_)) => print::line(&message.to_string()),
        (false, None) => Ok(()),
    };
    Ok(printed.map_err(Hinted::printing)?)
}

/// Reads a file on a separate thread, because it may be a pipe that blocks.
async fn apart<T: Send + 'static>(
    path: &Path,
    read: fn(&Path) -> Result<T, Error>,
) -> Result<T, Error> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || read(&path)).await;
    done.unwrap_or_else(|error| Err(Hinted::doing("reading a file", error).into()))
}

fn read_grant(path: &Path) -> Result<Grant, Error> {
    Grant::parse(&at::read(path, limits::DOCUMENT)?).map_err(|source| Error::Grant {
        path: path.to_owned(),
        source,
    })
}

fn read_verdicts(folder: &Path) -> Result<Verdicts, Error> {
    Ok(verdicts::read(folder)?)
}
