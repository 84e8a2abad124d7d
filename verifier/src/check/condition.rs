//! An attribute condition, by itself or in an identity provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use console::at;
use console::hint::Hinted;
use content::json::{self, null_is_default};
use content::limits;
use expression::google::{
    ATTRIBUTES_LIMIT, MAPPED_LIMIT, MAPPING_LIMIT, SUBJECT_LIMIT, attribute_condition,
    attribute_mapping, mapped,
};
use expression::{Error as Invalid, Program, Variables, compile_as, compile_condition};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Judgement};
use crate::Error;

const SUBJECT: &str = "google.subject";

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// The condition as text, or the provider as JSON.
    pub file: &'a Path,
    /// The claims of a token, as JSON.
    pub claims: Option<&'a PathBuf>,
    /// Attributes and the expressions that are mapped to them, in addition to those of the provider.
    pub mapping: &'a [(String, String)],
}

/// Checks whether Google compiles a condition and its mapping, and, if there are claims, whether the condition is true for
/// them. The fact is the `attributes` that the claims are mapped to.
///
/// # Errors
/// A file cannot be read, the claims are not JSON, or the condition names attributes and nothing is mapped to them.
pub fn condition(request: &Condition<'_>, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let bytes = at::read(request.file, limits::PAYLOAD)?;
    let compiled = Provider::parse(&bytes, request.mapping).and_then(|it| it.compile());
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(reason) => return Ok(Judgement::Refused(reason)),
    };
    let Some(path) = request.claims else {
        return Ok(Judgement::Accepted);
    };
    compiled.check_mapping()?;
    let claims = at::read(path, limits::TOKEN)?;
    let claims: Facts = json::parse(&claims, limits::TOKEN)
        .map_err(|error| Hinted::doing(format!("reading {}", at::shown(path)), error))?;
    let attributes = match compiled.map(&claims) {
        Ok(attributes) => attributes,
        Err(reason) => return Ok(Judgement::Refused(reason)),
    };
    let judgement = compiled.judge(&claims, &attributes);
    if let Some(facts) = facts {
        facts.insert("attributes".to_owned(), json!(attributes));
    }
    Ok(judgement)
}

/// The members of a provider that concern claims (IAM v1, `WorkloadIdentityPoolProvider`). All other members are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    #[serde(default, deserialize_with = "null_is_default")]
    attribute_condition: String,
    #[serde(default, deserialize_with = "null_is_default")]
    attribute_mapping: BTreeMap<String, String>,
}

impl Provider {
    /// Reads a condition, or a provider, which must map the subject as Google requires.
    fn parse(bytes: &[u8], mapping: &[(String, String)]) -> Result<Self, String> {
        let is_object = serde_json::from_slice::<Facts>(bytes).is_ok();
        let mut provider = match is_object {
            true => json::parse(bytes, limits::PAYLOAD).map_err(|error| error.to_string())?,
            false => Self {
                attribute_condition: std::str::from_utf8(bytes)
                    .map_err(|error| format!("reading condition: {error}"))?
                    .to_owned(),
                ..Self::default()
            },
        };
        provider.attribute_mapping.extend(mapping.iter().cloned());
        match is_object && !provider.attribute_mapping.contains_key(SUBJECT) {
            true => Err(format!("checking mapping: {SUBJECT} is not mapped")),
            false => Ok(provider),
        }
    }

    fn compile(&self) -> Result<Compiled, String> {
        let mapping = self.compile_mapping()?;
        let condition = self.attribute_condition.trim();
        let program = match condition {
            "" => return Err("checking condition: it is empty, and admits every token".to_owned()),
            "true" => {
                return Err("checking condition: Google refuses a literal true".to_owned());
            }
            _ => compile_condition(condition, &attribute_condition()),
        };
        Ok(Compiled {
            mapping,
            names_attribute: names_attribute(condition),
            condition: program.map_err(|error| error.to_string())?,
        })
    }

    fn compile_mapping(&self) -> Result<BTreeMap<String, Program>, String> {
        let targets = self.attribute_mapping.keys();
        let custom = targets.filter(|target| target.starts_with("attribute."));
        let custom = custom.count();
        if custom > ATTRIBUTES_LIMIT {
            return Err(format!(
                "checking mapping: expected at most {ATTRIBUTES_LIMIT} custom attributes, found {custom}"
            ));
        }
        let mapping = self.attribute_mapping.iter();
        let programs = mapping.map(|(target, expression)| {
            Ok((target.clone(), compile_expression(target, expression)?))
        });
        programs.collect()
    }
}

fn compile_expression(target: &str, expression: &str) -> Result<Program, String> {
    let kind = mapped(target);
    let kind = kind.ok_or_else(|| format!("checking mapping: no attribute {target:?}"))?;
    let length = expression.chars().count();
    if length > MAPPING_LIMIT {
        return Err(format!(
            "mapping {target}: expected at most {MAPPING_LIMIT} characters, found {length}"
        ));
    }
    compile_as(expression, &attribute_mapping(), &kind)
        .map_err(|error| format!("mapping {target}: {error}"))
}

/// Whether a condition that compiles names `google` or `attribute`.
fn names_attribute(condition: &str) -> bool {
    let without = compile_condition(condition, &attribute_mapping());
    matches!(without, Err(Invalid::Undeclared(_)))
}

struct Compiled {
    mapping: BTreeMap<String, Program>,
    condition: Program,
    names_attribute: bool,
}

impl Compiled {
    fn check_mapping(&self) -> Result<(), Error> {
        if self.names_attribute && self.mapping.is_empty() {
            let message = "evaluating condition: it names attributes, and no claim is mapped";
            let hint = "pass --mapping, such as --mapping google.subject=assertion.sub";
            return Err(Hinted::new(message).hinting(hint).into());
        }
        Ok(())
    }

    /// The attributes of a token.
    fn map(&self, claims: &Facts) -> Result<BTreeMap<String, Value>, String> {
        let mapping = self.mapping.iter();
        let mapping = mapping.map(|(target, program)| {
            let value = attribute(target, program, claims);
            let value = value.map_err(|error| format!("mapping {target}: {error}"))?;
            Ok((target.clone(), value))
        });
        let attributes: BTreeMap<_, _> = mapping.collect::<Result<_, String>>()?;
        check_sizes(&attributes)?;
        Ok(attributes)
    }

    fn judge(&self, claims: &Facts, attributes: &BTreeMap<String, Value>) -> Judgement {
        let variables = variables(claims, attributes);
        match variables.and_then(|variables| self.condition.holds(variables)) {
            Ok(true) => Judgement::Accepted,
            Ok(false) => Judgement::Refused("the condition is false for these claims".to_owned()),
            Err(error) => Judgement::Refused(error.to_string()),
        }
    }
}

fn check_sizes(attributes: &BTreeMap<String, Value>) -> Result<(), String> {
    match attributes.get(SUBJECT).map(length) {
        Some(length) if length == 0 || length > SUBJECT_LIMIT => {
            return Err(format!(
                "mapping {SUBJECT}: expected 1 to {SUBJECT_LIMIT} bytes, found {length}"
            ));
        }
        _ => {}
    }
    let total: usize = attributes.values().map(length).sum();
    match total > MAPPED_LIMIT {
        true => Err(format!(
            "checking attributes: expected at most {MAPPED_LIMIT} bytes, found {total}"
        )),
        false => Ok(()),
    }
}

/// The length of a text or a list of texts, in bytes.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(texts) => texts.iter().map(length).sum(),
        _ => 0,
    }
}

fn attribute(target: &str, program: &Program, claims: &Facts) -> Result<Value, Invalid> {
    let variables = Variables::default().with("assertion", claims)?;
    Ok(match target {
        "google.groups" => program.texts(variables)?.into(),
        _ => program.text(variables)?.into(),
    })
}

/// The variables of the condition. A token without mapped groups has none.
fn variables(claims: &Facts, attributes: &BTreeMap<String, Value>) -> Result<Variables, Invalid> {
    let with_prefix = |prefix: &str| -> Facts {
        let named = attributes.iter();
        let named = named.filter_map(|(target, value)| {
            Some((target.strip_prefix(prefix)?.to_owned(), value.clone()))
        });
        named.collect()
    };
    let mut google = with_prefix("google.");
    google.entry("groups").or_insert_with(|| json!([]));
    Variables::default()
        .with("assertion", claims)?
        .with("google", &google)?
        .with("attribute", &with_prefix("attribute."))
}
