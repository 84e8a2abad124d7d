//! Cloud Logging v2.

use std::sync::Arc;

use axum::Router;
use content::json::null_is_default;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::routes::versions;
use crate::protojson::{Ignored, Integer, Object};
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::logging::{Effect, List, Order, Page};
use crate::status::Status;

/// Entries per page: without a size in the call, and the most (Cloud Logging v2, `entries.list`).
const PAGE: usize = 50;
const MOST: usize = 1000;

/// `ListLogEntriesRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ListRequest {
    #[serde(alias = "resource_names", deserialize_with = "null_is_default")]
    resource_names: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    filter: String,
    #[serde(alias = "order_by", deserialize_with = "null_is_default")]
    order_by: String,
    #[serde(alias = "page_size")]
    page_size: Option<Integer>,
    #[serde(alias = "page_token", deserialize_with = "null_is_default")]
    page_token: String,
}

/// `WriteLogEntriesRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct WriteRequest {
    #[serde(alias = "log_name", deserialize_with = "null_is_default")]
    log_name: String,
    resource: Option<Object>,
    labels: Option<Object>,
    #[serde(deserialize_with = "null_is_default")]
    entries: Vec<Map<String, Value>>,
    #[serde(alias = "partial_success")]
    partial_success: Ignored<bool>,
    #[serde(alias = "dry_run", deserialize_with = "null_is_default")]
    dry_run: bool,
}

/// The routes of Cloud Logging v2.
pub fn router(services: Arc<Services>) -> Router {
    versions(&["v2"], services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = services.context(call.bearer.as_deref(), Service::Logging)?;
    match (call.method.as_str(), call.resource.as_str()) {
        ("POST", "entries:list") => {
            let Page { entries, next } = services.logging.list(&context, &list(call)?)?;
            Ok(json!({"entries": entries, "nextPageToken": next}))
        }
        ("POST", "entries:write") => {
            let request: WriteRequest = call.message()?;
            let entries = request.entries.iter().map(|entry| request.filled(entry));
            let entries = entries.collect::<Result<_, _>>()?;
            let effect = match request.dry_run {
                true => Effect::DryRun,
                false => Effect::Write,
            };
            services.logging.write(&context, entries, effect)?;
            Ok(json!({}))
        }
        _ => Err(call.unknown()),
    }
}

fn list(call: &Call) -> Result<List, Status> {
    let request: ListRequest = call.message()?;
    if request.resource_names.is_empty() {
        return Err(Status::invalid("resource_names must not be empty."));
    }
    let size = request.page_size.map_or(0, |size| size.0);
    let size =
        usize::try_from(size).map_err(|_| Status::invalid("page_size must not be negative."))?;
    Ok(List {
        projects: request.resource_names,
        filter: request.filter,
        order: match request.order_by.as_str() {
            "" | "timestamp" | "timestamp asc" => Order::Ascending,
            "timestamp desc" => Order::Descending,
            other => return Err(Status::invalid(format!("Invalid order_by: {other}"))),
        },
        most: if size == 0 { PAGE } else { size.min(MOST) },
        page_token: request.page_token,
    })
}

impl WriteRequest {
    /// An entry with what the request says about all.
    fn filled(&self, entry: &Map<String, Value>) -> Result<Value, Status> {
        let mut entry = entry.clone();
        if !self.log_name.is_empty() {
            entry
                .entry("logName")
                .or_insert_with(|| json!(self.log_name));
        }
        for (field, value) in [("resource", &self.resource), ("labels", &self.labels)] {
            if let Some(value) = value {
                entry.entry(field).or_insert_with(|| json!(value));
            }
        }
        let payloads = ["jsonPayload", "textPayload", "protoPayload"];
        match payloads.iter().any(|payload| entry.contains_key(*payload)) {
            true => Ok(Value::Object(entry)),
            false => Err(Status::invalid("A log entry has no payload.")),
        }
    }
}
