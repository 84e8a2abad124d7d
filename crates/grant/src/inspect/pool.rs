//! Who becomes a member of the pool: its state and its providers.

use std::collections::BTreeMap;

use google::admission::OidcProvider;
use google::identity;

use super::finding::{Finding, Outcome, Setting};
use crate::document::Grant;
use crate::live::{Oidc, Pool, Provider};
use crate::provider::GrantedProvider;

/// The kind of provider that a grant describes.
const OIDC: &str = "OpenID Connect";

/// The pool: it must accept tokens.
pub(super) fn check(grant: &Grant, pool: Option<&Pool>) -> Finding {
    let name = || grant.pool().clone();
    match pool.map(|pool| pool.status.closed()) {
        Some(None) => Finding::PoolActive,
        Some(Some(state)) => Finding::PoolClosed {
            pool: name(),
            state,
        },
        None => Finding::NoPool { pool: name() },
    }
}

/// The providers of the pool: that of the grant must be as the grant describes it, and there must be no other. Providers that were
/// deleted do not count.
pub(super) fn check_providers(granted: &GrantedProvider, live: &[Provider]) -> Vec<Finding> {
    let is_granted = |provider: &&Provider| {
        let name = provider.name.parse::<identity::Provider>();
        name.is_ok_and(|name| name == *granted.name())
    };
    let (own, others): (Vec<_>, Vec<_>) = live.iter().partition(is_granted);
    let mut found = match own.first() {
        Some(own) => compare(granted, own),
        None => vec![Finding::NoProvider {
            provider: granted.name().clone(),
        }],
    };
    let further = others.iter().map(|other| further(other));
    found.extend(further);
    if !found.iter().any(|one| one.outcome() == Outcome::Fail) {
        let id = granted.name().id().to_owned();
        found.insert(0, Finding::ProviderAsGranted { id });
    }
    found
}

/// A provider that the grant does not describe. One that is disabled can be enabled again.
fn further(provider: &Provider) -> Finding {
    let name = provider.name.clone();
    match provider.status.is_deleted() {
        true => Finding::DeletedProvider { name },
        false => Finding::OtherProvider { name },
    }
}

fn compare(granted: &GrantedProvider, live: &Provider) -> Vec<Finding> {
    let closed = live.status.closed().map(|state| Finding::ProviderClosed {
        provider: granted.name().clone(),
        state,
    });
    let expected = settings(granted.body());
    let found = live_settings(live);
    let differs = expected.into_iter().zip(found);
    let differs = differs.filter(|((_, expected), (_, found))| expected != found);
    let differs = differs.map(|((setting, expected), (_, found))| Finding::Differs {
        setting,
        expected,
        found,
    });
    closed.into_iter().chain(differs).collect()
}

/// The settings that a grant describes, each as text.
fn settings(body: &OidcProvider) -> [(Setting, String); 6] {
    [
        (Setting::Kind, OIDC.to_owned()),
        (Setting::Issuer, body.issuer().to_owned()),
        (Setting::Keys, ISSUERS_KEYS.to_owned()),
        (Setting::Audience, listed(&[body.audience()])),
        (Setting::Mapping, mapped(body.mapping())),
        (Setting::Condition, body.condition().to_owned()),
    ]
}

/// The keys that the issuer publishes.
const ISSUERS_KEYS: &str = "the issuer";

/// The same settings of a live provider.
fn live_settings(live: &Provider) -> [(Setting, String); 6] {
    let none = Oidc {
        issuer_uri: String::new(),
        allowed_audiences: Vec::new(),
        jwks_json: String::new(),
    };
    let (kind, oidc) = match &live.oidc {
        Some(oidc) => (OIDC, oidc),
        None => ("another", &none),
    };
    let keys = match oidc.jwks_json.is_empty() {
        true => ISSUERS_KEYS,
        false => "a key set of its own",
    };
    [
        (Setting::Kind, kind.to_owned()),
        (Setting::Issuer, oidc.issuer_uri.clone()),
        (Setting::Keys, keys.to_owned()),
        (Setting::Audience, listed(&oidc.allowed_audiences)),
        (Setting::Mapping, mapped(&live.attribute_mapping)),
        (Setting::Condition, live.attribute_condition.clone()),
    ]
}

/// Texts in quotes, so that two lists are written alike only if they are equal.
fn listed<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<_> = texts
        .iter()
        .map(|text| format!("{:?}", text.as_ref()))
        .collect();
    format!("[{}]", quoted.join(", "))
}

fn mapped<K: AsRef<str>, V: AsRef<str>>(mapping: &BTreeMap<K, V>) -> String {
    let one = |(attribute, expression): (&K, &V)| {
        format!("{:?}={:?}", attribute.as_ref(), expression.as_ref())
    };
    let all: Vec<_> = mapping.iter().map(one).collect();
    format!("{{{}}}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const POOL: &str = "projects/1234/locations/global/workloadIdentityPools/trusted";
    /// The condition of Google's tutorial: it admits images with debug access, overrides and any machine.
    const TUTORIAL: &str = "assertion.swname == 'CONFIDENTIAL_SPACE' && 'STABLE' in \
                            assertion.submods.confidential_space.support_attributes && assertion.submods.gce.project_id \
                            == 'operator-1'";

    fn grant() -> Grant {
        let text = format!(
            "key = \"projects/one/locations/global/keyRings/r/cryptoKeys/k\"\n\
             role = \"roles/cloudkms.cryptoKeyDecrypter\"\npool = {POOL:?}\n\
             [provider]\nproject = \"collaborator-1\"\nid = \"attest\"\naudience = \"https://one.example/countersign\"\n\
             hardware = [\"INTEL_TDX\"]\noperators = [\"operator-1\"]\n"
        );
        Grant::parse(text.as_bytes()).unwrap()
    }

    /// The provider as the grant describes it, as Google answers it.
    fn right() -> Value {
        let grant = grant();
        let mut provider = serde_json::to_value(grant.provider().unwrap().body()).unwrap();
        provider["name"] = json!(format!("{POOL}/providers/attest"));
        provider["state"] = json!("ACTIVE");
        provider["displayName"] = json!("unknown here");
        provider
    }

    fn edited(pointer: &str, value: Value) -> Value {
        let mut provider = right();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        provider.pointer_mut(parent).unwrap()[name] = value;
        provider
    }

    /// What is found beside that the provider is as granted.
    fn found(live: Value) -> Vec<Finding> {
        let grant = grant();
        let live: Vec<Provider> = serde_json::from_value(live).unwrap();
        let mut found = check_providers(grant.provider().unwrap(), &live);
        let is_failed = found.iter().any(|one| one.outcome() == Outcome::Fail);
        let passed = found.iter().any(|one| one.outcome() == Outcome::Pass);
        assert_eq!(is_failed, !passed, "{found:?}");
        found.retain(|one| one.outcome() != Outcome::Pass);
        found
    }

    #[test]
    fn the_described_provider_alone_has_no_finding() {
        assert_eq!(found(json!([right()])), []);
        let name = format!("{POOL}/providers/former");
        let mut deleted = edited("/name", json!(name));
        deleted["state"] = json!("DELETED");
        let noted = Finding::DeletedProvider { name };
        assert_eq!(found(json!([right(), deleted])), [noted]);
    }

    #[test]
    fn every_setting_is_compared() {
        for (pointer, value, setting) in [
            ("/attributeCondition", json!(TUTORIAL), Setting::Condition),
            ("/attributeCondition", json!(""), Setting::Condition),
            (
                "/attributeMapping/google.subject",
                json!("assertion.sub"),
                Setting::Mapping,
            ),
            (
                "/attributeMapping/attribute.x",
                json!("assertion.sub"),
                Setting::Mapping,
            ),
            (
                "/attributeMapping/attribute.image_digest",
                json!("assertion.submods.container.image_reference"),
                Setting::Mapping,
            ),
            ("/oidc/allowedAudiences", json!([]), Setting::Audience),
            (
                "/oidc/allowedAudiences",
                json!([
                    "https://one.example/countersign",
                    "https://sts.googleapis.com"
                ]),
                Setting::Audience,
            ),
            (
                "/oidc/issuerUri",
                json!("https://issuer.example"),
                Setting::Issuer,
            ),
            ("/oidc/jwksJson", json!("{\"keys\":[]}"), Setting::Keys),
        ] {
            let found = found(json!([edited(pointer, value)]));
            let settings: Vec<_> = found
                .iter()
                .filter_map(|finding| match finding {
                    Finding::Differs { setting, .. } => Some(*setting),
                    _ => None,
                })
                .collect();
            assert_eq!((settings, found.len()), (vec![setting], 1), "{pointer}");
        }
    }

    #[test]
    fn other_kinds_of_providers_are_not_that_of_the_grant() {
        let mut saml = right();
        saml.as_object_mut().unwrap().remove("oidc");
        saml["saml"] = json!({"idpMetadataXml": "x"});
        assert_eq!(
            found(json!([saml]))[0].to_string(),
            "the provider's kind is not that of the grant: \
                    expected OpenID Connect, found another"
        );
    }

    #[test]
    fn missing_closed_and_further_providers_are_found() {
        let codes = |live| found(live).iter().map(Finding::code).collect::<Vec<_>>();
        assert_eq!(codes(json!([])), ["no-provider"]);
        assert_eq!(
            codes(json!([edited("/disabled", json!(true))])),
            ["provider-closed"]
        );
        assert_eq!(
            codes(json!([edited("/state", json!("DELETED"))])),
            ["provider-closed"]
        );
        for name in [format!("{POOL}/providers/second"), "x".to_owned()] {
            let mut second = edited("/name", json!(name));
            assert_eq!(codes(json!([second, right()])), ["other-provider"]);
            // It can be enabled again.
            second["disabled"] = json!(true);
            assert_eq!(codes(json!([right(), second])), ["other-provider"]);
        }
    }

    #[test]
    fn a_closed_pool_is_found() {
        let state = |live: Value| {
            let live: Pool = serde_json::from_value(live).unwrap();
            check(&grant(), Some(&live)).to_string()
        };
        assert_eq!(state(json!({"name": POOL, "state": "ACTIVE"})), "active");
        let closed = |words| format!("the pool {POOL} accepts no token: it is {words}");
        assert_eq!(
            state(json!({"state": "ACTIVE", "disabled": true})),
            closed("disabled")
        );
        assert_eq!(state(json!({"state": "DELETED"})), closed("deleted"));
        assert_eq!(state(json!({})), closed("without a state"));
        assert_eq!(check(&grant(), None).code(), "no-pool");
    }
}
