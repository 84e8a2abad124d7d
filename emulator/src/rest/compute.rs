//! Compute Engine v1.

mod answer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use content::limits;
use serde_json::Value;
use tokio::time::Instant;

use self::answer::Links;
use super::call::Call;
use crate::legacy_error::LegacyError;
use crate::services::accounts::Service;
use crate::services::compute::error;
use crate::services::compute::{Compute, Kind, Operation, Progress, Scope};
use crate::services::{Context, Services};

/// How long a call waits for an operation (Compute Engine v1, `operations.wait`).
const WAIT: Duration = Duration::from_secs(120);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The services, and their address in links.
type Shared = Arc<(Arc<Services>, Links)>;
type Outcome = Result<Value, LegacyError>;

/// The routes of Compute Engine. `address` is that of this service.
pub fn router(address: &str, services: Arc<Services>) -> Router {
    let limit = usize::try_from(limits::HTTP_BODY).unwrap_or(usize::MAX);
    Router::new()
        .route("/compute/v1/{*path}", any(handle))
        .fallback(async || LegacyError::no_method())
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Arc::new((services, Links::to(address))))
}

async fn handle(
    State(shared): State<Shared>,
    method: Method,
    Path(path): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, LegacyError> {
    let (services, links) = &*shared;
    let call = Call::read(method.as_str(), ("v1", &path), query, &headers, &body);
    let context = services.context(call.bearer.as_deref(), Service::Compute)?;
    let asked = Asked {
        compute: &services.compute,
        context: &context,
        links,
        call: &call,
    };
    let answer = match path.strip_suffix("/wait") {
        Some(path) if method == Method::POST => asked.wait(path).await?,
        _ => asked.answer(&path)?,
    };
    Ok(Json(answer).into_response())
}

/// A call by a known caller.
struct Asked<'a> {
    compute: &'a Arc<Compute>,
    context: &'a Context,
    links: &'a Links,
    call: &'a Call,
}

impl Asked<'_> {
    fn answer(&self, path: &str) -> Outcome {
        let parts: Vec<_> = path.split('/').collect();
        let ["projects", project, rest @ ..] = &parts[..] else {
            return Err(LegacyError::no_method());
        };
        if let ("GET", ["global", "images", "family", family]) = (self.method(), rest) {
            return answer::image(self.links, project, family);
        }
        let project = self.compute.project(project)?;
        match rest {
            [] if self.method() == "GET" => self.project(&project),
            ["aggregated", "instances"] if self.method() == "GET" => {
                let scope = Scope::read(&project, "global")?;
                let found = self.compute.instances(self.context, &scope)?;
                Ok(self.links.aggregated(&found))
            }
            ["zones"] if self.method() == "GET" => self.zones(&project),
            ["global", rest @ ..] => self.within(&Scope::read(&project, "global")?, rest),
            [place @ ("zones" | "regions"), name, rest @ ..] => {
                let scope = Scope::read(&project, &format!("{place}/{name}"))?;
                self.within(&scope, rest)
            }
            _ => Err(LegacyError::no_method()),
        }
    }

    fn method(&self) -> &str {
        self.call.method.as_str()
    }

    fn project(&self, project: &str) -> Outcome {
        let scope = Scope::read(project, "global")?;
        let permission = "compute.projects.get";
        self.compute.demand(self.context, permission, &scope)?;
        let number = self.compute.project_number(project)?;
        Ok(self.links.project(project, &number))
    }

    fn zones(&self, project: &str) -> Outcome {
        let scope = Scope::read(project, "global")?;
        let permission = "compute.zones.list";
        self.compute.demand(self.context, permission, &scope)?;
        Ok(self.links.zones(project))
    }

    fn within(&self, scope: &Scope, rest: &[&str]) -> Outcome {
        match (self.method(), rest) {
            ("GET", []) => {
                let permission = match scope.place.starts_with("zones/") {
                    true => "compute.zones.get",
                    false => "compute.regions.get",
                };
                self.compute.demand(self.context, permission, scope)?;
                Ok(self.links.place(scope))
            }
            ("GET", ["operations", name]) => {
                let found = self.compute.operation(self.context, scope, name)?;
                Ok(self.operation(&found))
            }
            (_, ["instances", rest @ ..]) if scope.place.starts_with("zones/") => {
                self.instances(scope, rest)
            }
            (_, [collection, rest @ ..]) => match Kind::of(collection) {
                Some(kind) => self.networks(scope, kind, rest),
                None => Err(LegacyError::no_method()),
            },
            _ => Err(LegacyError::no_method()),
        }
    }

    fn instances(&self, scope: &Scope, rest: &[&str]) -> Outcome {
        let (compute, context) = (self.compute, self.context);
        let begun = match (self.method(), rest) {
            ("GET", []) => {
                let found = compute.instances(context, scope)?;
                return Ok(self.links.instances(scope, &found));
            }
            ("GET", [name]) => {
                let found = compute.instance(context, scope, name)?;
                return Ok(self.links.instance(&found));
            }
            ("GET", [name, "serialPort"]) => return self.serial(scope, name),
            ("POST", []) => compute.insert(context, scope, self.body()?)?,
            ("DELETE", [name]) => compute.delete(context, scope, name)?,
            ("POST", [name, "start"]) => compute.start(context, scope, name)?,
            ("POST", [name, "stop"]) => compute.stop(context, scope, name)?,
            ("POST", [name, "reset"]) => compute.reset(context, scope, name)?,
            ("POST", [name, "setMetadata"]) => {
                compute.set_metadata(context, scope, name, &self.body()?)?
            }
            _ => return Err(LegacyError::no_method()),
        };
        Ok(self.operation(&begun))
    }

    fn serial(&self, scope: &Scope, name: &str) -> Outcome {
        match self.call.parameter("port") {
            "" | "1" => {}
            port => {
                return Err(error::invalid("port", port, "The emulator has port 1."));
            }
        }
        let start = match self.call.parameter("start") {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| error::invalid("start", text, "Must be a number."))?,
        };
        let found = self.compute.serial(self.context, scope, name, start)?;
        Ok(self.links.serial(&found))
    }

    fn networks(&self, scope: &Scope, kind: Kind, rest: &[&str]) -> Outcome {
        let (compute, context) = (self.compute, self.context);
        let begun = match (self.method(), rest) {
            ("GET", []) => {
                let found = compute.networks(context, scope, kind)?;
                return Ok(self.links.networks(scope, kind, &found));
            }
            ("GET", [name]) => {
                let found = compute.network(context, scope, (kind, name))?;
                let path = format!("{scope}/{}/{name}", kind.collection());
                return Ok(self.links.network(kind, &path, &found));
            }
            ("POST", []) => compute.insert_network(context, scope, kind, self.body()?)?,
            ("PATCH", [name]) => {
                compute.patch_network(context, scope, (kind, name), &self.body()?)?
            }
            ("DELETE", [name]) => compute.delete_network(context, scope, (kind, name))?,
            _ => return Err(LegacyError::no_method()),
        };
        Ok(self.operation(&begun))
    }

    fn operation(&self, operation: &Operation) -> Value {
        self.links.operation(operation)
    }

    /// Waits until an operation is done, or for some time.
    async fn wait(&self, path: &str) -> Outcome {
        let end = Instant::now() + WAIT;
        loop {
            let parts: Vec<_> = path.split('/').collect();
            let found = match &parts[..] {
                ["projects", project, place @ .., "operations", name] => {
                    let project = self.compute.project(project)?;
                    let scope = Scope::read(&project, &place.join("/"))?;
                    self.compute.operation(self.context, &scope, name)?
                }
                _ => return Err(LegacyError::no_method()),
            };
            if matches!(found.progress, Progress::Done(_)) || Instant::now() >= end {
                return Ok(self.operation(&found));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn body(&self) -> Outcome {
        let parsed = content::json::parse(&self.call.body, limits::HTTP_BODY);
        parsed.map_err(|error| LegacyError::bad_request(format!("Parse Error: {error}")))
    }
}
