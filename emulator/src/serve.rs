//! The services on loopback, each on a free port of its own.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::registry;
use crate::rest;
use crate::services::accounts::{Accounts, Files, Project, ProjectId};
use crate::services::{Clock, OpenError, Services};

/// Held locked in the state folder by the emulator whose state it is.
const LOCK: &str = "emulator.lock";

/// Services that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The services.
    #[error(transparent)]
    Services(#[from] OpenError),
    /// A port.
    #[error("listening on loopback: {0}")]
    Listen(#[source] io::Error),
    /// The process itself: threads, signals, output.
    #[error("starting services: {0}")]
    Start(#[source] io::Error),
    /// Another emulator has its state there.
    #[error("using {}: another emulator does already", path.display())]
    Taken {
        /// Which folder.
        path: PathBuf,
    },
    /// The state folder.
    #[error("using {}: {source}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl ServeError {
    /// What can be done about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Services(error) => error.hint(),
            Self::Listen(_) => "is there a free port on loopback?",
            Self::Start(_) => "is a limit on processes or files reached, or is the reader gone?",
            Self::Taken { .. } => "choose another folder, or end the other one",
            Self::Folder { .. } => "is the state folder writable, and is there space left?",
        }
    }
}

/// Where everything is; printed when all of it answers.
#[derive(Clone, Debug, Serialize)]
pub struct Endpoints {
    registry: String,
    attestation: String,
    sts: String,
    oauth2: String,
    iam: String,
    kms: String,
    pubsub: String,
    projects: BTreeMap<String, Owner>,
}

#[derive(Clone, Debug, Serialize)]
struct Owner {
    number: String,
    #[serde(flatten)]
    files: Files,
}

/// Services that answer until this is dropped.
pub struct Serving {
    /// Where they are.
    pub endpoints: Endpoints,
    _tasks: JoinSet<io::Result<()>>,
    _held: File,
}

/// Starts all services with these projects; blobs, manifests and owners' files lie below `folder`.
///
/// # Errors
/// No free port, or the folder cannot be written.
pub async fn serve(
    folder: &Path,
    projects: &[ProjectId],
    clock: Clock,
) -> Result<Serving, ServeError> {
    let failed = |source| ServeError::Folder {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let folder = &folder.canonicalize().map_err(failed)?;
    let held = hold(folder)?;
    // What they are called at stands in key files and in answers.
    let (oauth2, attestation) = (listen().await?, listen().await?);
    let token_uri = format!("{}/token", address(&oauth2)?);
    let services = Services::open(folder, projects, &token_uri, clock)?;
    let registry = registry::router(folder.join("registry"));
    let mut tasks = JoinSet::new();
    let endpoints = start_all(
        &Arc::new(services),
        registry,
        [oauth2, attestation],
        &mut tasks,
    )
    .await?;
    Ok(Serving {
        endpoints,
        _tasks: tasks,
        _held: held,
    })
}

async fn start_all(
    services: &Arc<Services>,
    registry: Router,
    [oauth2, attestation]: [TcpListener; 2],
    tasks: &mut JoinSet<io::Result<()>>,
) -> Result<Endpoints, ServeError> {
    let granting = rest::oauth::oauth2(&address(&oauth2)?, services.clone());
    let attesting = rest::attestation::router(&address(&attestation)?, services.clone());
    let registry = start(tasks, listen().await?, registry)?;
    Ok(Endpoints {
        registry: registry.replace("http://", ""),
        attestation: start(tasks, attestation, attesting)?,
        oauth2: start(tasks, oauth2, granting)?,
        sts: start(tasks, listen().await?, rest::oauth::sts(services.clone()))?,
        iam: start(tasks, listen().await?, rest::iam::router(services.clone()))?,
        kms: start(tasks, listen().await?, rest::kms::router(services.clone()))?,
        pubsub: start(
            tasks,
            listen().await?,
            rest::pubsub::router(services.clone()),
        )?,
        projects: owners(&services.accounts),
    })
}

fn owners(accounts: &Accounts) -> BTreeMap<String, Owner> {
    let owner = |project: &Project| Owner {
        number: project.number.clone(),
        files: project.files.clone(),
    };
    let projects = accounts.projects();
    projects
        .map(|(id, project)| (id.to_owned(), owner(project)))
        .collect()
}

/// Two would make each other's owners useless.
fn hold(folder: &Path) -> Result<File, ServeError> {
    let failed = |source| ServeError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut options = File::options();
    let lock = options.create(true).truncate(false).write(true);
    let held = lock.open(folder.join(LOCK)).map_err(failed)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(ServeError::Taken {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

async fn listen() -> Result<TcpListener, ServeError> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    TcpListener::bind(free).await.map_err(ServeError::Listen)
}

fn address(listener: &TcpListener) -> Result<String, ServeError> {
    Ok(format!(
        "http://{}",
        listener.local_addr().map_err(ServeError::Listen)?
    ))
}

fn start(
    tasks: &mut JoinSet<io::Result<()>>,
    listener: TcpListener,
    router: Router,
) -> Result<String, ServeError> {
    let address = address(&listener)?;
    tasks.spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
