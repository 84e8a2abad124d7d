//! Answers of Compute Engine.

use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::legacy_error::LegacyError;
use crate::services::compute::{Instance, Kind, Operation, Progress, Scope};

/// Links to resources.
pub(super) struct Links(String);

/// The latest image of a family of Confidential Space.
pub(super) fn image(links: &Links, project: &str, family: &str) -> Result<Value, LegacyError> {
    let path = format!("projects/{project}/global/images/family/{family}");
    crate::services::compute::check_image(&path)?;
    let name = format!("{family}-260701");
    Ok(json!({
        "kind": "compute#image",
        "name": name,
        "family": family,
        "status": "READY",
        "selfLink": links.link(&format!("projects/{project}/global/images/{name}")),
    }))
}

impl Links {
    pub(super) fn to(address: &str) -> Self {
        Self(format!("{address}/compute/v1"))
    }

    fn link(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }

    pub(super) fn project(&self, project: &str, number: &str) -> Value {
        json!({
            "kind": "compute#project",
            "id": number,
            "name": project,
            "commonInstanceMetadata": {"kind": "compute#metadata"},
            "defaultServiceAccount": format!("{number}-compute@developer.gserviceaccount.com"),
            "selfLink": self.link(&format!("projects/{project}")),
        })
    }

    pub(super) fn zones(&self, project: &str) -> Value {
        let zones = crate::services::compute::zones();
        let zones = zones
            .map(|zone| self.named("compute#zone", &format!("projects/{project}/zones/{zone}")));
        json!({"kind": "compute#zoneList", "items": zones.collect::<Vec<_>>()})
    }

    /// A zone or region.
    pub(super) fn place(&self, scope: &Scope) -> Value {
        let kind = match scope.place.starts_with("zones/") {
            true => "compute#zone",
            false => "compute#region",
        };
        self.named(kind, &scope.to_string())
    }

    fn named(&self, kind: &str, path: &str) -> Value {
        let name = path.rsplit('/').next().unwrap_or_default();
        json!({"kind": kind, "name": name, "status": "UP", "selfLink": self.link(path)})
    }

    pub(super) fn instance(&self, (path, instance): &(String, Instance)) -> Value {
        let (zone, _) = path.split_once("/instances/").unwrap_or((path, ""));
        let mut found = instance.body.clone();
        found["kind"] = json!("compute#instance");
        found["id"] = json!(instance.id);
        found["creationTimestamp"] = json!(rfc3339(instance.created));
        found["lastStartTimestamp"] = json!(rfc3339(instance.started));
        if instance.stopped > 0 {
            found["lastStopTimestamp"] = json!(rfc3339(instance.stopped));
        }
        found["status"] = json!(instance.state.name());
        found["zone"] = json!(self.link(zone));
        found["selfLink"] = json!(self.link(path));
        found["metadata"]["kind"] = json!("compute#metadata");
        found["metadata"]["fingerprint"] = json!(instance.fingerprint());
        let interface = &mut found["networkInterfaces"][0];
        interface["name"] = json!("nic0");
        // All machines have the network of the emulator's host.
        interface["networkIP"] = json!("127.0.0.1");
        found
    }

    pub(super) fn instances(&self, scope: &Scope, all: &[(String, Instance)]) -> Value {
        let items: Vec<_> = all.iter().map(|one| self.instance(one)).collect();
        let link = self.link(&format!("{scope}/instances"));
        json!({"kind": "compute#instanceList", "items": items, "selfLink": link})
    }

    /// Instances by zone.
    pub(super) fn aggregated(&self, all: &[(String, Instance)]) -> Value {
        let mut items = json!({});
        for one in all {
            let zone = one.0.split('/').skip(2).take(2);
            let zone: Vec<_> = zone.collect();
            let here = &mut items[zone.join("/")]["instances"];
            match here.as_array_mut() {
                Some(here) => here.push(self.instance(one)),
                None => *here = json!([self.instance(one)]),
            }
        }
        json!({"kind": "compute#instanceAggregatedList", "items": items})
    }

    pub(super) fn serial(&self, (path, position, bytes): &(String, u64, Vec<u8>)) -> Value {
        let next = position + bytes.len() as u64;
        json!({
            "kind": "compute#serialPortOutput",
            "selfLink": self.link(&format!("{path}/serialPort")),
            "contents": String::from_utf8_lossy(bytes),
            "start": position.to_string(),
            "next": next.to_string(),
        })
    }

    pub(super) fn network(&self, kind: Kind, path: &str, found: &Value) -> Value {
        let mut found = found.clone();
        let singular = kind.collection().trim_end_matches('s');
        found["kind"] = json!(format!("compute#{singular}"));
        found["selfLink"] = json!(self.link(path));
        let parts: Vec<_> = path.split('/').collect();
        if let ["projects", project, "regions", region, ..] = parts[..] {
            found["region"] = json!(self.link(&format!("projects/{project}/regions/{region}")));
        }
        found
    }

    pub(super) fn networks(&self, scope: &Scope, kind: Kind, all: &[(String, Value)]) -> Value {
        let items: Vec<_> = all
            .iter()
            .map(|(path, found)| self.network(kind, path, found))
            .collect();
        let collection = kind.collection();
        let link = self.link(&format!("{scope}/{collection}"));
        let singular = collection.trim_end_matches('s');
        json!({"kind": format!("compute#{singular}List"), "items": items, "selfLink": link})
    }

    pub(super) fn operation(&self, operation: &Operation) -> Value {
        let Operation {
            name,
            id,
            kind,
            scope,
            target,
            inserted,
            progress,
        } = operation;
        let time = rfc3339(*inserted);
        let (status, percent, end) = match progress {
            Progress::Awaits(_) => ("RUNNING", 0, None),
            Progress::Done(end) => ("DONE", 100, Some(rfc3339(*end))),
        };
        let mut written = json!({
            "kind": "compute#operation",
            "id": id,
            "name": name,
            "operationType": kind,
            "targetLink": self.link(target),
            "status": status,
            "progress": percent,
            "insertTime": time,
            "startTime": time,
            "selfLink": self.link(&format!("{scope}/operations/{name}")),
        });
        if let Some(end) = end {
            written["endTime"] = json!(end);
        }
        if let Some((place, _)) = scope.place.split_once('/') {
            let singular = place.trim_end_matches('s');
            written[singular] = json!(self.link(&scope.to_string()));
        }
        written
    }
}
