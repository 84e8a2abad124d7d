//! The variables of expressions that Google Cloud evaluates.

use std::sync::Arc;

use crate::{Object, Type, Variable};

/// The largest length of the name of a custom attribute, in characters (IAM v1).
const ATTRIBUTE: usize = 100;
/// The largest number of custom attributes of a provider (IAM v1).
pub const ATTRIBUTES_LIMIT: usize = 50;
/// The largest length of a mapping expression, in characters (IAM v1).
pub const MAPPING_LIMIT: usize = 2048;
/// The largest length of `google.subject`, in bytes (IAM v1).
pub const SUBJECT_LIMIT: usize = 127;
/// The largest total length of all values that the claims of a token are mapped to, in bytes (IAM v1).
pub const MAPPED_LIMIT: usize = 8 << 10;

/// The variables of the attribute mapping of an identity provider: the claims of the token (IAM v1,
/// `WorkloadIdentityPoolProvider.attributeMapping`).
pub fn attribute_mapping() -> Vec<Variable> {
    let claims = Type::map(Type::String, Type::Dyn);
    vec![Variable::new("assertion", claims)]
}

/// The variables of the attribute condition of an identity provider: the claims of the token, and what they are
/// mapped to (IAM v1, `WorkloadIdentityPoolProvider.attributeCondition`).
pub fn attribute_condition() -> Vec<Variable> {
    let google = vec![
        ("subject", Type::String),
        ("groups", Type::list(Type::String)),
    ];
    let mut variables = attribute_mapping();
    variables.push(Variable::new("google", Type::object("google", google)));
    let attribute = Type::map(Type::String, Type::String);
    variables.push(Variable::new("attribute", attribute));
    variables
}

/// The type that the value of a mapping to `target` must have: `google.groups` is a list of strings, `google.subject`
/// and custom attributes are strings. `None` if `target` is not a valid target.
pub fn mapped(target: &str) -> Option<Type> {
    match target {
        "google.groups" => Some(Type::list(Type::String)),
        "google.subject" => Some(Type::String),
        _ => {
            let name = target.strip_prefix("attribute.")?;
            is_attribute(name).then_some(Type::String)
        }
    }
}

/// Whether a custom attribute can have this name.
pub fn is_attribute(name: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=ATTRIBUTE).contains(&name.len()) && name.bytes().all(is_known)
}

/// The variables of the condition of a role binding (IAM, "Attribute reference for IAM Conditions").
pub fn iam_condition() -> Vec<Variable> {
    let auth = Type::object(
        "request.auth",
        vec![("access_levels", Type::list(Type::String))],
    );
    let request = Type::object(
        "request",
        vec![
            ("time", Type::Timestamp),
            ("path", Type::String),
            ("host", Type::String),
            ("auth", auth),
        ],
    );
    let destination = Type::object(
        "destination",
        vec![("ip", Type::String), ("port", Type::Int)],
    );
    vec![
        Variable::new("request", request),
        Variable::new("resource", resource()),
        Variable::new("api", api()),
        Variable::new("destination", destination),
    ]
}

fn resource() -> Type {
    let of = |arguments: usize| vec![Type::String; arguments];
    Type::Object(Arc::new(Object {
        name: "resource",
        fields: vec![
            ("name", Type::String),
            ("service", Type::String),
            ("type", Type::String),
        ],
        methods: vec![
            ("hasTagKey", of(1), Type::Bool),
            ("hasTagKeyId", of(1), Type::Bool),
            ("matchTag", of(2), Type::Bool),
            ("matchTagId", of(2), Type::Bool),
        ],
    }))
}

fn api() -> Type {
    let texts = || Type::list(Type::String);
    let list = Type::Object(Arc::new(Object {
        name: "attribute",
        fields: Vec::new(),
        methods: vec![("hasOnly", vec![texts()], Type::Bool)],
    }));
    let get = "getAttribute";
    Type::Object(Arc::new(Object {
        name: "api",
        fields: Vec::new(),
        methods: vec![
            (get, vec![Type::String, texts()], list),
            (get, vec![Type::String, Type::String], Type::String),
        ],
    }))
}
