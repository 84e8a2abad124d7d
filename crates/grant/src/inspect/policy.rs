//! Who may decrypt by the policy of a key, or of a resource that the key is part of.

use std::collections::BTreeSet;

use content::Digest;
use google::admission::IMAGE_DIGEST;
use google::{Identities, Member};

use super::finding::Finding;
use super::role::{may_administer, may_decrypt};
use crate::document::Grant;
use crate::live::{Binding, Policy};

/// What is wrong in the policy of the grant's key, if these images are approved: each of them must have the role of the grant, and
/// nobody else may decrypt.
pub fn key_policy(grant: &Grant, approved: &BTreeSet<Digest>, policy: &Policy) -> Vec<Finding> {
    let missing = approved.iter().filter(|digest| !has(grant, digest, policy));
    let missing = missing.map(|digest| Finding::Missing {
        digest: *digest,
        role: grant.role().clone(),
    });
    missing.chain(surplus(grant, approved, policy)).collect()
}

/// What is wrong in the policy of `resource`, such as the key ring, whose members may use the key too: nobody but the approved images
/// may decrypt.
pub fn inherited_policy(
    grant: &Grant,
    approved: &BTreeSet<Digest>,
    resource: &str,
    policy: &Policy,
) -> Vec<Finding> {
    let found = surplus(grant, approved, policy);
    let inherited = |finding| Finding::Inherited {
        resource: resource.to_owned(),
        finding: Box::new(finding),
    };
    found.map(inherited).collect()
}

/// Whether the image has the role of the grant at all times.
fn has(grant: &Grant, digest: &Digest, policy: &Policy) -> bool {
    let member = grant.member(digest).to_string();
    policy.bindings.iter().any(|binding| {
        binding.role == grant.role().as_str()
            && binding.condition.is_none()
            && binding.members.contains(&member)
    })
}

/// Who may decrypt and is not an approved image with the role of the grant.
fn surplus<'a>(
    grant: &'a Grant,
    approved: &'a BTreeSet<Digest>,
    policy: &'a Policy,
) -> impl Iterator<Item = Finding> + 'a {
    policy.bindings.iter().flat_map(move |binding| {
        let members = binding.members.iter();
        members.filter_map(move |member| match &*binding.role {
            role if may_decrypt(role) => judge(grant, approved, binding, member),
            role if may_administer(role) => judge_administrator(role, member),
            _ => None,
        })
    })
}

/// Persons and service accounts administer keys. Nobody else may: neither anybody, nor a workload.
fn judge_administrator(role: &str, member: &str) -> Option<Finding> {
    let is_public = ["allUsers", "allAuthenticatedUsers"].contains(&member);
    (is_public || member.starts_with("principal")).then(|| Finding::Administrator {
        member: member.to_owned(),
        role: role.to_owned(),
    })
}

fn judge(
    grant: &Grant,
    approved: &BTreeSet<Digest>,
    binding: &Binding,
    text: &str,
) -> Option<Finding> {
    let (member, role) = (text.to_owned(), binding.role.clone());
    let Ok(parsed) = text.parse::<Member>() else {
        return Some(Finding::Stranger { member, role });
    };
    if parsed.pool() != grant.pool() {
        return Some(Finding::OtherPool { member, role });
    }
    match (parsed.identities(), image(&parsed)) {
        (Identities::All, _) => Some(Finding::WholePool { member, role }),
        (_, None) => Some(Finding::OtherIdentities { member, role }),
        (_, Some(digest)) if !approved.contains(&digest) => {
            Some(Finding::Unapproved { digest, role })
        }
        (_, Some(digest)) => judge_approved(grant, digest, binding),
    }
}

/// The digest by which a member is chosen.
fn image(member: &Member) -> Option<Digest> {
    match member.identities() {
        Identities::Attribute { name, value } if name == IMAGE_DIGEST => value.parse().ok(),
        _ => None,
    }
}

fn judge_approved(grant: &Grant, digest: Digest, binding: &Binding) -> Option<Finding> {
    let role = binding.role.clone();
    match &binding.condition {
        Some(condition) => Some(Finding::Conditional {
            digest,
            role,
            condition: condition.expression.clone(),
        }),
        None if role != grant.role().as_str() => Some(Finding::OtherRole { digest, role }),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const POOL: &str =
        "iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/trusted";
    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";

    fn grant() -> Grant {
        let text = format!(
            "key = \"projects/one/locations/global/keyRings/r/cryptoKeys/k\"\nrole = {ROLE:?}\n\
             pool = \"projects/1234/locations/global/workloadIdentityPools/trusted\"\n"
        );
        Grant::parse(text.as_bytes()).unwrap()
    }

    fn ours() -> Digest {
        Digest::of(b"ours")
    }

    fn member(digest: &Digest) -> String {
        format!("principalSet://{POOL}/attribute.image_digest/{digest}")
    }

    fn found(bindings: &Value) -> Vec<Finding> {
        let policy =
            serde_json::from_value(json!({"bindings": bindings, "etag": "x", "version": 3}));
        key_policy(&grant(), &BTreeSet::from([ours()]), &policy.unwrap())
    }

    /// The findings if `binding` is added to what is right.
    fn with(binding: Value) -> Vec<Finding> {
        found(&json!([{"role": ROLE, "members": [member(&ours())]}, binding]))
    }

    #[test]
    fn a_key_that_is_open_to_the_image_alone_has_no_finding() {
        assert_eq!(
            with(json!({"role": "roles/cloudkms.admin", "members": ["user:a@one.example"]})),
            []
        );
        assert_eq!(with(json!({"role": ROLE})), []);
        let encrypter =
            json!({"role": "roles/cloudkms.cryptoKeyEncrypter", "members": ["allUsers"]});
        assert_eq!(with(encrypter), []);
    }

    #[test]
    fn everybody_else_who_may_decrypt_is_found() {
        let other = Digest::of(b"other");
        for (member, code) in [
            (member(&other), "unapproved-image"),
            (format!("principalSet://{POOL}/*"), "whole-pool"),
            (format!("principalSet://{POOL}x/*"), "other-pool"),
            (member(&ours()).replace("1234", "1235"), "other-pool"),
            (format!("principal://{POOL}/subject/x"), "other-identities"),
            (format!("principalSet://{POOL}/group/x"), "other-identities"),
            (
                member(&ours()).replace("image_digest", "image_reference"),
                "other-identities",
            ),
            // A value that is no digest is not the digest of an image.
            (member(&ours()).to_uppercase(), "stranger"),
            (format!("{}/", member(&ours())), "other-identities"),
            // By the project's ID, IAM knows no member.
            (member(&ours()).replace("1234", "one"), "stranger"),
            ("user:eve@one.example".to_owned(), "stranger"),
            ("allUsers".to_owned(), "stranger"),
            (
                "serviceAccount:a@one.iam.gserviceaccount.com".to_owned(),
                "stranger",
            ),
            ("projectOwner:one".to_owned(), "stranger"),
        ] {
            for role in [
                ROLE,
                "roles/owner",
                "projects/one/roles/own",
                "roles/cloudkms.cryptoOperator",
            ] {
                for condition in [
                    Value::Null,
                    json!({"expression": "request.time.getHours() < 9"}),
                ] {
                    let binding =
                        json!({"role": role, "members": [member], "condition": condition});
                    let found = with(binding);
                    let codes: Vec<_> = found.iter().map(Finding::code).collect();
                    assert_eq!(codes, [code], "{member} {role}");
                    assert!(found[0].to_string().contains(role), "{}", found[0]);
                }
            }
        }
    }

    #[test]
    fn neither_anybody_nor_a_workload_administers_the_key() {
        for role in ["roles/cloudkms.admin", "roles/iam.securityAdmin"] {
            for member in [
                "allUsers".to_owned(),
                "allAuthenticatedUsers".to_owned(),
                member(&ours()),
                format!("principal://{POOL}/subject/x"),
            ] {
                let found = with(json!({"role": role, "members": [member]}));
                let codes: Vec<_> = found.iter().map(Finding::code).collect();
                assert_eq!(codes, ["administrator"], "{member} {role}");
            }
        }
    }

    #[test]
    fn the_approved_image_must_have_the_role_of_the_grant_at_all_times() {
        let missing = Finding::Missing {
            digest: ours(),
            role: ROLE.parse().unwrap(),
        };
        assert_eq!(found(&json!([])), [missing]);
        let condition = json!({"expression": "false"});
        let conditional =
            json!([{"role": ROLE, "members": [member(&ours())], "condition": condition}]);
        let codes: Vec<_> = found(&conditional).iter().map(Finding::code).collect();
        assert_eq!(codes, ["missing", "conditional"]);
        let role = "roles/cloudkms.cryptoKeyEncrypterDecrypter";
        let codes: Vec<_> = found(&json!([{"role": role, "members": [member(&ours())]}]))
            .iter()
            .map(Finding::code)
            .collect();
        assert_eq!(codes, ["missing", "other-role"]);
    }

    #[test]
    fn members_of_the_ring_are_found_too() {
        let ring = "projects/one/locations/global/keyRings/r";
        let inherit = |bindings: Value| {
            let policy = serde_json::from_value(json!({"bindings": bindings})).unwrap();
            inherited_policy(&grant(), &BTreeSet::from([ours()]), ring, &policy)
        };
        assert_eq!(inherit(json!([])), []);
        assert_eq!(
            inherit(json!([{"role": ROLE, "members": [member(&ours())]}])),
            []
        );
        let found = inherit(json!([{"role": "roles/owner", "members": ["user:a@one.example"]}]));
        assert_eq!(found[0].code(), "stranger");
        assert!(found[0].to_string().contains(ring), "{}", found[0]);
    }
}
