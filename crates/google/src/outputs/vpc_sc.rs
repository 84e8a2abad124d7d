//! Ingress policies of a VPC Service Controls perimeter around the key: the exchange of tokens for the operator's project, and the
//! use of the key for one image.
//!
//! `gcloud access-context-manager perimeters update --set-ingress-policies` replaces all ingress policies, without an etag.
//! The Terraform resource adds one.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::terraform::{configuration, image_name};
use super::{
    ImageGrant, KeyGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable,
};
use crate::kms::Key;
use crate::name::{is_id, name, split};
use crate::{Project, ProjectNumber};

pub(super) const OUTPUT: Output = Output {
    name: "vpc-sc",
    about: "An ingress policy of a perimeter, for gcloud --set-ingress-policies",
    print,
};

pub(super) const TERRAFORM: Output = Output {
    name: "vpc-sc-terraform",
    about: "The same as a Terraform resource, for a file NAME.tf.json",
    print: print_resource,
};

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "vpc-sc",
    about: "The ingress policy of a perimeter for the token exchange",
    print: provider,
};

pub(super) const TERRAFORM_PROVIDER: ProviderOutput = ProviderOutput {
    name: "vpc-sc-terraform",
    about: "The same as a Terraform resource, for a file NAME.tf.json",
    print: provider_resource,
};

const REPLACES: &str = "gcloud replaces all ingress policies of the perimeter: add this one to the list of `gcloud access-context-manager \
                        perimeters describe`, under status.ingressPolicies, and try it as a dry run first";
const IGNORE: &str = "a google_access_context_manager_service_perimeter must ignore changes of status[0].ingress_policies, or it removes \
                      this policy again";
const IDENTITY: &str = "a perimeter does not see claims: it admits the image that the member names, and the provider's condition does the rest";
const MIRROR: &str =
    "if the operator's project is in a perimeter too, its owner adds the matching egress policy";
const ANYONE: &str =
    "the exchange admits any identity of the operator's project: before it, a workload has none";

/// `[vpc_sc]` of a grant: the perimeter around the key, and from where workloads call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Perimeter {
    perimeter: Name,
    operators: Operators,
    key_project: Option<ProjectNumber>,
}

/// The name of a perimeter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
struct Name(String);

name!(Name, "accessPolicies/NUMBER/servicePerimeters/NAME");

/// The longest ID of a perimeter.
const ID: usize = 50;

impl Name {
    fn read(text: &str) -> Option<Self> {
        let (policy, id) = split(text, "servicePerimeters")?;
        let number = policy.strip_prefix("accessPolicies/")?;
        let is_right = ProjectNumber::read(number).is_some() && is_id(id, "_") && id.len() <= ID;
        is_right.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The numbers of the projects that may run the image: at least one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Vec<ProjectNumber>")]
struct Operators(Vec<ProjectNumber>);

impl TryFrom<Vec<ProjectNumber>> for Operators {
    type Error = &'static str;

    fn try_from(numbers: Vec<ProjectNumber>) -> Result<Self, Self::Error> {
        match numbers.is_empty() {
            true => Err("expected the number of the operator's project"),
            false => Ok(Self(numbers)),
        }
    }
}

/// Who calls which service from where.
struct Rule<'a> {
    perimeter: &'a Perimeter,
    /// The member; without one, anyone.
    member: Option<String>,
    service: &'static str,
    project: ProjectNumber,
}

impl Rule<'_> {
    /// From where, and who.
    fn from(&self, identity_type: &str) -> Value {
        let operators = self.perimeter.operators.0.iter();
        let sources = operators.map(|number| json!({"resource": format!("projects/{number}")}));
        let mut from = json!({"sources": sources.collect::<Vec<_>>()});
        match &self.member {
            Some(member) => from["identities"] = json!([member]),
            None => from[identity_type] = json!("ANY_IDENTITY"),
        }
        from
    }

    /// As gcloud reads it: YAML, of which JSON is a part.
    fn ingress(&self) -> Value {
        let selectors = json!([{"method": "*"}]);
        let operation = json!({"serviceName": self.service, "methodSelectors": selectors});
        let resource = format!("projects/{}", self.project);
        json!({
            "ingressFrom": self.from("identityType"),
            "ingressTo": {"operations": [operation], "resources": [resource]},
        })
    }

    fn resource(&self) -> Value {
        let selectors = json!([{"method": "*"}]);
        let operation = json!({"service_name": self.service, "method_selectors": selectors});
        let resource = format!("projects/{}", self.project);
        json!({
            "perimeter": self.perimeter.perimeter.to_string(),
            "ingress_from": self.from("identity_type"),
            "ingress_to": {"operations": [operation], "resources": [resource]},
        })
    }

    fn printed(&self, notes: Vec<&'static str>) -> Printed {
        let text = format!("{:#}", json!([self.ingress()]));
        Printed { text, notes }
    }

    fn configured(&self, name: &str, notes: Vec<&'static str>) -> Printed {
        let kind = "google_access_context_manager_service_perimeter_ingress_policy";
        let resources = json!({kind: {name: self.resource()}});
        let text = configuration(resources);
        Printed { text, notes }
    }
}

fn exchange<'a>(new: &NewProvider<'_>, settings: &Settings<'a>) -> Result<Rule<'a>, Unprintable> {
    Ok(Rule {
        perimeter: settings.perimeter.ok_or(Unprintable::Perimeter)?,
        member: None,
        service: "sts.googleapis.com",
        project: new.provider.pool().project(),
    })
}

fn decryption<'a>(grant: &ImageGrant<'a>) -> Result<Rule<'a>, Unprintable> {
    let KeyGrant { key, member, .. } = grant.granted;
    let perimeter = grant.settings.perimeter.ok_or(Unprintable::Perimeter)?;
    Ok(Rule {
        perimeter,
        member: Some(member.to_string()),
        service: "cloudkms.googleapis.com",
        project: key_project(key, perimeter, &grant.settings)?,
    })
}

/// The number of the key's project: as the key or the grant names it, or that of the pool if both are in one project.
fn key_project(
    key: &Key,
    perimeter: &Perimeter,
    settings: &Settings<'_>,
) -> Result<ProjectNumber, Unprintable> {
    let id = match key.ring().location().project() {
        Project::Number(number) => return Ok(*number),
        Project::Id(id) => id,
    };
    let of_pool = settings.provider.filter(|new| new.project == id);
    let of_pool = of_pool.map(|new| new.provider.pool().project());
    let named = perimeter.key_project.or(of_pool);
    named.ok_or(Unprintable::KeyProject)
}

fn provider(new: &NewProvider<'_>, settings: &Settings<'_>) -> Result<Printed, Unprintable> {
    let rule = exchange(new, settings)?;
    Ok(rule.printed(vec![REPLACES, ANYONE, MIRROR]))
}

fn provider_resource(
    new: &NewProvider<'_>,
    settings: &Settings<'_>,
) -> Result<Printed, Unprintable> {
    let rule = exchange(new, settings)?;
    Ok(rule.configured("token_exchange", vec![IGNORE, ANYONE, MIRROR]))
}

fn print(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let rule = decryption(grant)?;
    Ok(rule.printed(vec![REPLACES, IDENTITY, MIRROR]))
}

fn print_resource(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let rule = decryption(grant)?;
    let name = image_name(&grant.granted.member.to_string());
    Ok(rule.configured(&name, vec![IGNORE, IDENTITY, MIRROR]))
}
