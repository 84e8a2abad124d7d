//! The members of policies, and the callers that they match.

use expression::google::is_attribute;
use google::{Identities, Member as PoolMember};

use crate::services::accounts::{Accounts, Caller, Federated};
use crate::services::iam::{Grantable, Pools};
use crate::status::Status;

/// The allowed length of the ID of a workforce pool, in characters (IAM v1, `workforcePools.create`).
const WORKFORCE_POOL: std::ops::RangeInclusive<usize> = 6..=63;

/// A principal of a policy (IAM, "Principal identifiers").
#[derive(Clone, Debug, Eq, PartialEq)]
enum Member<'a> {
    /// `allUsers`, `allAuthenticatedUsers`.
    All,
    /// A Google account, by address.
    User(&'a str),
    /// A group, by address.
    Group(&'a str),
    /// All accounts of a domain.
    Domain(&'a str),
    ServiceAccount(&'a str),
    /// Identities of a workload identity pool.
    Pool(PoolMember),
    /// An identity of a workforce pool, which is not emulated and admits no caller.
    Workforce,
    /// A principal that was deleted.
    Deleted,
}

impl<'a> Member<'a> {
    fn parse(text: &'a str) -> Result<Self, Status> {
        if ["allUsers", "allAuthenticatedUsers"].contains(&text) {
            return Ok(Self::All);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(|| {
            Status::invalid("Policy members must be of the form \"<type>:<value>\".")
        })?;
        let member = match kind {
            _ if rest.is_empty() => None,
            "user" => Some(Self::User(rest)),
            "group" => Some(Self::Group(rest)),
            "domain" => Some(Self::Domain(rest)),
            "serviceAccount" => Some(Self::ServiceAccount(rest)),
            "principal" | "principalSet" => Self::identity(text),
            "deleted" => is_deleted(rest).then_some(Self::Deleted),
            _ => None,
        };
        member.ok_or_else(|| {
            Status::invalid(format!(
                "The member {text} is of an unknown type. Please set a valid type prefix for the member."
            ))
        })
    }

    /// An identity of a workforce pool or of a workload identity pool. An ID of the project in place of its
    /// number is an unknown type, as at Google.
    fn identity(text: &str) -> Option<Self> {
        let workforce = text.split_once("://iam.googleapis.com/locations/global/workforcePools/");
        if let Some((kind, name)) = workforce {
            let (pool, set) = name.split_once('/')?;
            return (is_workforce_pool(pool) && is_set(kind, set)).then_some(Self::Workforce);
        }
        text.parse().ok().map(Self::Pool)
    }
}

/// Whether the last part of a principal identifier names one identity or a set of identities of a workforce
/// pool.
fn is_set(kind: &str, text: &str) -> bool {
    let (what, value) = match text.split_once('/') {
        Some((what, value)) => (what, Some(value)),
        None => (text, None),
    };
    let has_value = value.is_some_and(|value| !value.is_empty());
    match (kind, what) {
        ("principal", "subject") | ("principalSet", "group") => has_value,
        ("principalSet", "*") => value.is_none(),
        ("principalSet", what) => {
            has_value && what.strip_prefix("attribute.").is_some_and(is_attribute)
        }
        _ => false,
    }
}

fn is_workforce_pool(id: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    WORKFORCE_POOL.contains(&id.len())
        && id.bytes().all(is_known)
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
}

/// Whether a text names a deleted principal: an account by its address and its unique ID, or an identity
/// of a pool (IAM v1, `Binding.members`).
fn is_deleted(text: &str) -> bool {
    let (member, id) = match text.rsplit_once("?uid=") {
        Some((member, id)) => (member, Some(id)),
        None => (text, None),
    };
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    match member.split_once(':') {
        Some(("user" | "group" | "serviceAccount", address)) => {
            is_address(address) && id.is_some_and(is_id)
        }
        Some(("principal" | "principalSet", _)) => {
            Member::identity(member).is_some() && id.is_none_or(is_id)
        }
        _ => false,
    }
}

/// The service accounts, pools and roles that a policy can name. The emulator has no Google accounts.
#[derive(Clone, Copy)]
pub struct Principals<'a> {
    /// The service accounts.
    pub accounts: &'a Accounts,
    /// The workload identity pools.
    pub pools: &'a Pools,
    /// The roles.
    pub roles: Grantable<'a>,
}

impl Principals<'_> {
    /// Checks that a policy can name this member.
    ///
    /// # Errors
    /// The member has an unknown type or does not exist.
    pub(super) fn check(self, member: &str) -> Result<(), Status> {
        match Member::parse(member)? {
            Member::All | Member::Workforce | Member::Deleted => Ok(()),
            Member::User(address) => check_user(address),
            Member::Group(address) if is_address(address) => Ok(()),
            Member::Group(address) => {
                Err(Status::invalid(format!("Group {address} does not exist.")))
            }
            Member::Domain(domain) if is_domain(domain) => Ok(()),
            Member::Domain(domain) => {
                Err(Status::invalid(format!("Domain {domain} does not exist.")))
            }
            Member::ServiceAccount(address) => self.check_service_account(address),
            Member::Pool(member) if self.pools.has(member.pool()) => Ok(()),
            Member::Pool(member) => Err(Status::invalid(format!(
                "Identity Pool does not exist ({}). Please check that you specified a valid \
                 resource name as returned in the `name` attribute in the configuration API.",
                member.pool()
            ))),
        }
    }

    fn check_service_account(self, address: &str) -> Result<(), Status> {
        if !is_of_service_account(address) && is_address(address) {
            return Err(wrong_type(address, "user"));
        }
        match self.accounts.has_service_account(address) {
            true => Ok(()),
            false => Err(Status::invalid(format!(
                "Service account {address} does not exist."
            ))),
        }
    }
}

/// Checks the form of the address. Whether the account exists is unknown to the emulator.
fn check_user(address: &str) -> Result<(), Status> {
    match (is_address(address), is_of_service_account(address)) {
        (true, false) => Ok(()),
        (true, true) => Err(wrong_type(address, "serviceAccount")),
        (false, _) => Err(Status::invalid(format!("User {address} does not exist."))),
    }
}

fn wrong_type(address: &str, kind: &str) -> Status {
    Status::invalid(format!(
        "Account {address} is of type \"{kind}\". Please set the type prefix to be \"{kind}:\"."
    ))
}

/// Whether a text is an address: a dot-atom (RFC 5322 section 3.2.3), `@` and a domain.
fn is_address(text: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_known);
    let parts = text.split_once('@');
    parts.is_some_and(|(name, domain)| name.split('.').all(is_atom) && is_domain(domain))
}

/// Whether a text is a domain name of at least two labels (RFC 1123 section 2.1).
fn is_domain(text: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_known)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = |label: &str| label.bytes().any(|b| b.is_ascii_alphabetic());
    text.len() <= 253
        && text.split('.').all(is_label)
        && text.rsplit_once('.').is_some_and(|(_, top)| is_name(top))
}

fn is_of_service_account(address: &str) -> bool {
    address.ends_with(".gserviceaccount.com")
}

/// Whether a member of a policy includes the caller (IAM, "Principal identifiers").
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
    let Ok(member) = member.parse::<PoolMember>() else {
        return false;
    };
    let has = match member.identities() {
        Identities::Subject(subject) => federated.subject == *subject,
        Identities::Group(group) => federated.groups.contains(group),
        Identities::Attribute { name, value } => federated.attributes.get(name) == Some(value),
        Identities::All => true,
    };
    has && federated.pool == *member.pool()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::services::iam::Pool;
    use crate::services::testing::accounts;

    const POOL: &str = "projects/1/locations/global/workloadIdentityPools/pool";
    static ACCOUNTS: LazyLock<Accounts> = LazyLock::new(accounts);

    fn federated() -> Caller {
        Caller::Federated(Federated {
            pool: POOL.parse().unwrap(),
            subject: "s".into(),
            groups: vec!["g".into()],
            attributes: [("image_digest".to_owned(), "sha256:1".to_owned())].into(),
            expires: 9,
        })
    }

    #[test]
    fn a_member_matches_its_own_callers_only() {
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
            set.replace("/pool", "/other")
        )));
        assert!(member(&format!("{set}/group/g")));
        assert!(!member(&format!("{set}/group/h")));
        assert!(!member(&format!("deleted:{set}/*?uid=1")));
        assert!(!member("serviceAccount:s"));
    }

    fn check(member: &str) -> Result<(), String> {
        let accounts = &*ACCOUNTS;
        let mut pools = Pools::default();
        pools
            .add_pool("1".parse().unwrap(), "pool", Pool::default())
            .unwrap();
        let principals = Principals {
            accounts,
            pools: &pools,
            roles: Grantable {
                custom: &Default::default(),
                owners: &[],
            },
        };
        principals.check(member).map_err(|status| status.message)
    }

    #[test]
    fn accepts_members_that_exist() {
        let pool = format!("//iam.googleapis.com/{POOL}");
        for member in [
            "allUsers",
            "user:a@b.example",
            "group:g@b.example",
            "domain:b.example",
            "serviceAccount:owner@project.iam.gserviceaccount.com",
            "deleted:user:a@b.example?uid=123456789012345678901",
            "deleted:serviceAccount:gone@project.iam.gserviceaccount.com?uid=1",
            &format!("principal:{pool}/subject/a/b"),
            &format!("principalSet:{pool}/*"),
            &format!("principalSet:{pool}/group/g"),
            &format!("principalSet:{pool}/attribute.image_digest/sha256:1"),
            "deleted:group:gone@b.example?uid=1",
            &format!("deleted:principal:{pool}/subject/a"),
            "principal://iam.googleapis.com/locations/global/workforcePools/worker/subject/s",
            "principalSet://iam.googleapis.com/locations/global/workforcePools/worker/group/g",
            "principalSet://iam.googleapis.com/locations/global/workforcePools/worker/*",
            "deleted:principal://iam.googleapis.com/locations/global/workforcePools/worker/subject/s",
        ] {
            assert_eq!(check(member), Ok(()), "{member}");
        }
    }

    #[test]
    fn refuses_other_members_with_the_words_of_google() {
        let unknown = "is of an unknown type";
        let pool = format!("//iam.googleapis.com/{POOL}");
        let by_id = pool.replace("projects/1/", "projects/project/");
        let workforce = "//iam.googleapis.com/locations/global/workforcePools";
        for (member, words) in [
            ("", "of the form"),
            ("a@b.example", "of the form"),
            ("user:", unknown),
            ("person:a@b.example", unknown),
            ("deleted:a", unknown),
            ("deleted:", unknown),
            ("deleted:allUsers", unknown),
            ("deleted:domain:b.example?uid=1", unknown),
            ("deleted:user:a@b.example", unknown),
            ("deleted:user:a@b.example?uid=", unknown),
            ("deleted:user:a@b.example?uid=x", unknown),
            ("deleted:user:a?uid=1", unknown),
            ("deleted:deleted:user:a@b.example?uid=1", unknown),
            ("user:a", "User a does not exist."),
            ("user:a b@c.example", "User a b@c.example does not exist."),
            ("user:a@b@c.example", "does not exist."),
            ("user:a..b@c.example", "does not exist."),
            ("user:a@.", "User a@. does not exist."),
            ("user:a@b..example", "does not exist."),
            ("user:a@-b.example", "does not exist."),
            ("group:g", "Group g does not exist."),
            ("group:@b.example", "does not exist."),
            ("domain:b", "Domain b does not exist."),
            ("domain:b@c.example", "Domain b@c.example does not exist."),
            ("domain:b.example.", "does not exist."),
            (
                "user:owner@project.iam.gserviceaccount.com",
                "Please set the type prefix to be \"serviceAccount:\"",
            ),
            (
                "serviceAccount:a@b.example",
                "Please set the type prefix to be \"user:\"",
            ),
            (
                "serviceAccount:none@project.iam.gserviceaccount.com",
                "Service account none@project.iam.gserviceaccount.com does not exist.",
            ),
            ("principalSet://iam.googleapis.com/pool/*", unknown),
            ("principalSet://x", unknown),
            (&format!("principalSet:{by_id}/*"), unknown),
            (&format!("principalSet:{pool}/subject/s"), unknown),
            (&format!("principal:{pool}/*"), unknown),
            (&format!("principalSet:{pool}/attribute.a/"), unknown),
            (&format!("principalSet:{pool}/attribute.a"), unknown),
            (&format!("principalSet:{pool}"), unknown),
            (&format!("principalSet:{pool}/attribute./x"), unknown),
            (&format!("principalSet:{pool}/attribute.X/x"), unknown),
            (&format!("principalSet:{pool}/attribute.a-b/x"), unknown),
            (&format!("principalSet:{pool}/*/x"), unknown),
            (&format!("principalSet:{pool}/group/"), unknown),
            (&format!("principal:{pool}/subject/"), unknown),
            (&format!("principalSet:{workforce}/"), unknown),
            (&format!("principal:{workforce}/"), unknown),
            (&format!("principal:{workforce}/worker"), unknown),
            (&format!("principal:{workforce}/worker/"), unknown),
            (&format!("principal:{workforce}/worker/group/g"), unknown),
            (&format!("principal:{workforce}/Worker/subject/s"), unknown),
            (&format!("principal:{workforce}/short/subject/s"), unknown),
            (
                &format!("principalSet:{pool}2/*"),
                "Identity Pool does not exist (projects/1/locations/global/workloadIdentityPools/pool2)",
            ),
        ] {
            let refused = check(member).unwrap_err();
            assert!(refused.contains(words), "{member}: {refused}");
        }
    }
}
