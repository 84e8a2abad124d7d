use crate::accounts::{Caller, Federated};

/// Kinds of principals that a policy can name (IAM, principal identifiers).
const KINDS: [&str; 6] = [
    "user:",
    "serviceAccount:",
    "group:",
    "domain:",
    "principal://iam.googleapis.com/",
    "principalSet://iam.googleapis.com/",
];

/// Whether a policy can name this. A principal that was deleted stays in policies, marked so.
pub(super) fn is_well_formed(member: &str) -> bool {
    let member = member.strip_prefix("deleted:").unwrap_or(member);
    member == "allUsers"
        || member == "allAuthenticatedUsers"
        || KINDS.iter().any(|kind| {
            member
                .strip_prefix(kind)
                .is_some_and(|rest| !rest.is_empty())
        })
}

/// Whether the caller is who a policy names (IAM, principal identifiers).
pub(super) fn is_member(caller: &Caller, member: &str) -> bool {
    if member == "allUsers" || member == "allAuthenticatedUsers" {
        return true;
    }
    match caller {
        Caller::ServiceAccount(address) => member
            .strip_prefix("serviceAccount:")
            .is_some_and(|named| named == address),
        Caller::Federated(federated) => is_federated_member(federated, member),
    }
}

fn is_federated_member(federated: &Federated, member: &str) -> bool {
    let pool = format!("iam.googleapis.com/{}/", federated.pool);
    let subject = format!("principal://{pool}subject/{}", federated.subject);
    let Some(set) = member.strip_prefix(&format!("principalSet://{pool}")) else {
        return member == subject;
    };
    if let Some(group) = set.strip_prefix("group/") {
        return federated.groups.iter().any(|known| known == group);
    }
    let named = set
        .strip_prefix("attribute.")
        .and_then(|set| set.split_once('/'));
    let has =
        |(name, value): (&str, &str)| federated.attributes.get(name).is_some_and(|v| v == value);
    set == "*" || named.is_some_and(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "projects/1/locations/global/workloadIdentityPools/p";

    fn federated() -> Caller {
        Caller::Federated(Federated {
            pool: POOL.into(),
            subject: "s".into(),
            groups: vec!["g".into()],
            attributes: [("image_digest".to_owned(), "sha256:1".to_owned())].into(),
            expires: 9,
        })
    }

    #[test]
    fn members_are_who_they_say_and_nobody_else() {
        let member = |text: &str| is_member(&federated(), text);
        let set = format!("principalSet://iam.googleapis.com/{POOL}");
        assert!(member(&format!("{set}/attribute.image_digest/sha256:1")));
        assert!(member(&format!("{set}/*")));
        assert!(member(&format!(
            "principal://iam.googleapis.com/{POOL}/subject/s"
        )));
        assert!(!member(&format!("{set}/attribute.image_digest/sha256:12")));
        assert!(!member(&format!("{set}/attribute.image_digest/sha256:")));
        assert!(!member(&format!(
            "{}/attribute.image_digest/sha256:1",
            set.replace("/p", "/q")
        )));
        assert!(member(&format!("{set}/group/g")));
        assert!(!member(&format!("{set}/group/h")));
        assert!(!member(&format!("deleted:{set}/*?uid=1")));
        assert!(!member("serviceAccount:s"));
    }

    #[test]
    fn deleted_principals_stay_in_policies() {
        for member in [
            "user:a@b.example",
            "deleted:user:a@b.example?uid=123456789012345678901",
            "allUsers",
        ] {
            assert!(is_well_formed(member), "{member}");
        }
        for member in ["", "a@b.example", "user:", "deleted:", "deleted:a"] {
            assert!(!is_well_formed(member), "{member}");
        }
    }
}
