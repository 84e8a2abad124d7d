//! The services on loopback, each on a free port of its own.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Form;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path as UrlPath, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use content::limits;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::attestation::Attestation;
use crate::oauth::Refusal;
use crate::registry;
use crate::rest::{Call, Clock, Cloud};
use crate::services::accounts::{AccountError, Accounts, Files, ProjectId};
use crate::status::Status;

/// Held locked in the state folder by the emulator whose state it is.
const LOCK: &str = "emulator.lock";

/// Services that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The projects.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The attestation service.
    #[error("making the attestation service's key: the cryptographic library failed")]
    Attestation,
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
            Self::Accounts(error) => error.hint(),
            Self::Attestation => "is the system's random source available?",
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

type Answer = fn(&Cloud, &Call) -> Result<Value, Status>;

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
    // Key files say where tokens are asked for.
    let oauth2 = listen().await?;
    let token_uri = format!("{}/token", address(&oauth2)?);
    let mut accounts = Accounts::default();
    for project in projects {
        accounts.add_project(project, &folder.join("projects"), &token_uri)?;
    }
    let mut tasks = JoinSet::new();
    let endpoints = start_all(folder, accounts, clock, oauth2, &mut tasks).await?;
    Ok(Serving {
        endpoints,
        _tasks: tasks,
        _held: held,
    })
}

async fn start_all(
    folder: &Path,
    accounts: Accounts,
    clock: Clock,
    oauth2: TcpListener,
    tasks: &mut JoinSet<io::Result<()>>,
) -> Result<Endpoints, ServeError> {
    let projects = owners(&accounts);
    let attestation = Attestation::new().map_err(|_| ServeError::Attestation)?;
    let cloud = &Arc::new(Cloud::new(accounts, attestation, clock));
    // What it is called at stands in its answers.
    let listener = listen().await?;
    let attested = attestation_routes(&address(&listener)?, cloud.clone());
    let granting = oauth2_routes(&address(&oauth2)?, cloud.clone());
    let registry = registry::router(folder.join("registry"));
    let registry = start(tasks, listen().await?, registry)?;
    Ok(Endpoints {
        attestation: start(tasks, listener, attested)?,
        registry: registry.replace("http://", ""),
        oauth2: start(tasks, oauth2, granting)?,
        sts: start(tasks, listen().await?, sts_routes(cloud.clone()))?,
        iam: start(tasks, listen().await?, routes(cloud.clone(), Cloud::iam))?,
        kms: start(tasks, listen().await?, routes(cloud.clone(), Cloud::kms))?,
        pubsub: start(tasks, listen().await?, routes(cloud.clone(), Cloud::pubsub))?,
        projects,
    })
}

fn owners(accounts: &Accounts) -> BTreeMap<String, Owner> {
    let owner = |project: &crate::services::accounts::Project| Owner {
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

fn routes(cloud: Arc<Cloud>, answer: Answer) -> Router {
    let limit = usize::try_from(limits::HTTP_BODY).unwrap_or(usize::MAX);
    Router::new()
        .route("/v1/{*path}", any(handle))
        .fallback(async || Status::not_found("Not Found"))
        .layer(DefaultBodyLimit::max(limit))
        .with_state((cloud, answer))
}

async fn handle(
    State((cloud, answer)): State<(Arc<Cloud>, Answer)>,
    method: Method,
    UrlPath(path): UrlPath<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call::read(method.as_str(), &path, query, &headers, &body);
    match call.and_then(|call| answer(&cloud, &call)) {
        Ok(value) => Json(value).into_response(),
        Err(status) => status.into_response(),
    }
}

fn attestation_routes(address: &str, cloud: Arc<Cloud>) -> Router {
    let discovery = Attestation::discovery(address);
    let keys = cloud.clone();
    routes(cloud, Cloud::attestation)
        .route(
            "/.well-known/openid-configuration",
            get(async move || Json(discovery.clone())),
        )
        .route("/jwks", get(async move || Json(keys.key_set())))
}

fn sts_routes(cloud: Arc<Cloud>) -> Router {
    Router::new()
        .route("/v1/token", post(exchange))
        .with_state(cloud)
}

fn oauth2_routes(address: &str, cloud: Arc<Cloud>) -> Router {
    let token_uri = format!("{address}/token");
    let grant = async move |State(cloud): State<Arc<Cloud>>, request: Request| {
        let fields = fields(request).await;
        answer(cloud.grant(&fields, &token_uri))
    };
    Router::new().route("/token", post(grant)).with_state(cloud)
}

/// Takes forms, as client libraries send them, and JSON, as the interface's reference has it.
async fn exchange(State(cloud): State<Arc<Cloud>>, request: Request) -> Response {
    let fields = fields(request).await;
    answer(cloud.exchange(&fields))
}

async fn fields(request: Request) -> BTreeMap<String, String> {
    let kind = request.headers().get("content-type");
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let fields: Option<BTreeMap<String, String>> = match is_json {
        true => {
            let body = Bytes::from_request(request, &()).await.ok();
            body.and_then(|body| content::json::parse(&body, limits::HTTP_BODY).ok())
        }
        false => {
            let form = Form::from_request(request, &()).await;
            form.ok().map(|Form(fields)| fields)
        }
    };
    fields.unwrap_or_default()
}

fn answer(answer: Result<Value, Refusal>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(refusal) => (StatusCode::BAD_REQUEST, Json(refusal.to_json())).into_response(),
    }
}
