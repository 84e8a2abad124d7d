//! Roles: the predefined ones, and the custom ones of projects and organisations (IAM v1).

use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::protojson::{Enumeration, Ignored, Integer};
use crate::rest::call::Call;
use crate::rest::page::{Page, Sizes};
use crate::services::Context;
use crate::services::iam::{
    CustomRole, Iam, Predefined, RoleChange, RoleField, RoleName, RoleShown, Stage, permissions,
    predefined,
};
use crate::status::Status;

/// Roles per page (IAM v1, `roles.list`).
const PAGE: Sizes = Sizes {
    default: 300,
    most: 1000,
};
/// Permissions per page (IAM v1, `permissions.queryTestablePermissions`).
const PERMISSIONS: Sizes = Sizes {
    default: 100,
    most: 1000,
};
/// The numbers of the stages (`RoleLaunchStage`), of which `ALPHA` is the default.
const STAGES: [(i64, &str); 5] = [
    (1, "BETA"),
    (2, "GA"),
    (4, "DEPRECATED"),
    (5, "DISABLED"),
    (6, "EAP"),
];

/// `Role`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct WireRole {
    name: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    title: String,
    #[serde(deserialize_with = "null_is_default")]
    description: String,
    #[serde(alias = "included_permissions", deserialize_with = "null_is_default")]
    included_permissions: Vec<String>,
    stage: Enumeration,
    #[serde(deserialize_with = "null_is_default")]
    etag: String,
    deleted: Ignored<bool>,
}

/// `CreateRoleRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Create {
    #[serde(alias = "role_id", deserialize_with = "null_is_default")]
    role_id: String,
    #[serde(deserialize_with = "null_is_default")]
    role: WireRole,
}

/// `UndeleteRoleRequest`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Undelete {
    #[serde(deserialize_with = "null_is_default")]
    etag: String,
}

/// `QueryTestablePermissionsRequest`. Every resource has the same here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Query {
    #[serde(alias = "full_resource_name")]
    full_resource_name: Ignored<String>,
    #[serde(alias = "page_size")]
    page_size: Option<Integer>,
    #[serde(alias = "page_token", deserialize_with = "null_is_default")]
    page_token: String,
}

/// Predefined roles; `rest` follows `roles`.
pub(super) fn predefined_roles(call: &Call, rest: &[&str]) -> Result<Value, Status> {
    match (call.method.as_str(), rest, call.verb.as_str()) {
        ("GET", [], "") => {
            let all = predefined::ALL.iter();
            listed(
                call,
                all.map(|role| (role.name.to_owned(), shown(role)))
                    .collect(),
            )
        }
        ("GET", [_], "") => Predefined::named(&call.resource).map(shown).ok_or_else(|| {
            Status::not_found(format!("The role named {} was not found.", call.resource))
        }),
        _ => Err(call.unknown()),
    }
}

/// The permissions that a custom role can have.
pub(super) fn testable_permissions(call: &Call) -> Result<Value, Status> {
    let Query {
        page_size,
        page_token,
        ..
    } = call.message()?;
    let size = page_size.map_or(0, |size| size.0);
    let page = Page::new(size, &page_token, PERMISSIONS)?;
    let all = permissions::ALL.iter();
    let (found, next) = page.of(all.map(|name| ((*name).to_owned(), ())).collect());
    let found = found
        .keys()
        .map(|name| json!({"name": name, "stage": "GA"}));
    Ok(json!({"permissions": found.collect::<Vec<_>>(), "nextPageToken": next}))
}

/// Custom roles of an owner; `rest` follows `roles`.
pub(super) fn custom_roles(
    iam: &Iam,
    context: &Context,
    call: &Call,
    [collection, owner]: [&str; 2],
    rest: &[&str],
) -> Result<Value, Status> {
    let named = |id| RoleName {
        collection,
        owner,
        id,
    };
    match (call.method.as_str(), rest, call.verb.as_str()) {
        ("POST", [], "") => {
            let Create { role_id, role } = call.message()?;
            let made = iam.create_role(context, named(&role_id), role.read()?)?;
            Ok(custom(&made))
        }
        ("GET", [], "") => {
            let mut found = iam.custom_roles(context, named(""))?;
            if !call.is_true("showDeleted") {
                found.retain(|_, role| !role.is_deleted);
            }
            let found = found
                .iter()
                .map(|(name, role)| (name.clone(), custom(role)));
            listed(call, found.collect())
        }
        ("GET", [id], "") => Ok(custom(&iam.custom_role(context, named(id))?)),
        (_, [id], _) => {
            let (change, etag) = change(call)?;
            Ok(custom(&iam.change_role(
                context,
                named(id),
                change,
                &etag,
            )?))
        }
        _ => Err(call.unknown()),
    }
}

fn change(call: &Call) -> Result<(RoleChange, String), Status> {
    match (call.method.as_str(), call.verb.as_str()) {
        ("PATCH", "") => {
            let role: WireRole = call.message()?;
            let etag = role.etag.clone();
            Ok((
                RoleChange::Update(role.fields(call.parameter("updateMask"))?),
                etag,
            ))
        }
        ("DELETE", "") => Ok((RoleChange::Delete, call.parameter("etag").to_owned())),
        ("POST", "undelete") => {
            let Undelete { etag } = call.message()?;
            Ok((RoleChange::Undelete, etag))
        }
        _ => Err(call.unknown()),
    }
}

impl WireRole {
    fn read(self) -> Result<CustomRole, Status> {
        Ok(CustomRole {
            stage: self.stage()?,
            title: self.title,
            description: self.description,
            permissions: self.included_permissions,
        })
    }

    fn stage(&self) -> Result<Stage, Status> {
        match self.stage.name(&STAGES) {
            "" | "ALPHA" => Ok(Stage::Alpha),
            "BETA" => Ok(Stage::Beta),
            "GA" => Ok(Stage::Ga),
            "DEPRECATED" => Ok(Stage::Deprecated),
            "DISABLED" => Ok(Stage::Disabled),
            "EAP" => Ok(Stage::Eap),
            other => Err(Status::invalid(format!("Invalid role stage: {other}."))),
        }
    }

    /// The fields of the mask, whose names are separated by commas; all that are set if it is empty.
    fn fields(self, mask: &str) -> Result<Vec<RoleField>, Status> {
        let is_set = [
            ("title", !self.title.is_empty()),
            ("description", !self.description.is_empty()),
            ("includedPermissions", !self.included_permissions.is_empty()),
            ("stage", self.stage != Enumeration::default()),
        ];
        let set = is_set.iter().filter(|(_, is_set)| *is_set);
        let named: Vec<_> = match mask {
            "" => set.map(|(field, _)| *field).collect(),
            mask => mask.split(',').map(str::trim).collect(),
        };
        let one = |field: &str| match field {
            "title" => Ok(Some(RoleField::Title(self.title.clone()))),
            "description" => Ok(Some(RoleField::Description(self.description.clone()))),
            "includedPermissions" | "included_permissions" => Ok(Some(RoleField::Permissions(
                self.included_permissions.clone(),
            ))),
            "stage" => Ok(Some(RoleField::Stage(self.stage()?))),
            "etag" | "name" => Ok(None),
            other => Err(Status::invalid(format!("Invalid update mask: {other}."))),
        };
        named
            .into_iter()
            .filter_map(|field| one(field).transpose())
            .collect()
    }
}

/// A page of roles by name; without their permissions, unless the call asks for them.
fn listed(call: &Call, mut all: BTreeMap<String, Value>) -> Result<Value, Status> {
    if call.parameter("view") != "FULL" {
        for role in all.values_mut().filter_map(Value::as_object_mut) {
            role.remove("includedPermissions");
        }
    }
    let (found, next) = Page::read(call, PAGE)?.of(all);
    Ok(json!({"roles": found.into_values().collect::<Vec<_>>(), "nextPageToken": next}))
}

fn shown(role: &Predefined) -> Value {
    json!({
        "name": role.name,
        "title": role.title,
        "includedPermissions": role.permissions().collect::<Vec<_>>(),
        "stage": "GA",
        "etag": "AA==",
    })
}

fn custom(shown: &RoleShown) -> Value {
    let role = &shown.role;
    let mut written = json!({
        "name": shown.name,
        "title": role.title,
        "stage": role.stage,
        "etag": shown.etag,
    });
    if !role.description.is_empty() {
        written["description"] = json!(role.description);
    }
    if !role.permissions.is_empty() {
        written["includedPermissions"] = json!(role.permissions);
    }
    if shown.is_deleted {
        written["deleted"] = true.into();
    }
    written
}
