//! The members of a policy that the key has or inherits.

use chrono::{DateTime, Utc};
use content::Digest;
use google::admission::IMAGE_DIGEST;
use google::{Identities, Member};

use super::finding::Finding;
use crate::document::Grant;
use crate::live::{Binding, Policy, Unread};
use crate::role::{Power, Roles};
use crate::verdicts::{Standing, Verdicts};
use crate::window;

/// Members that stand for everyone, which no grant can accept.
const PUBLIC: [&str; 2] = ["allUsers", "allAuthenticatedUsers"];
/// The names of people and groups of a workforce identity pool begin so (IAM, "Principal identifiers").
const WORKFORCE: [&str; 2] = [
    "principal://iam.googleapis.com/locations/global/workforcePools/",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/",
];

/// What members are compared with.
pub(super) struct Members<'a> {
    pub(super) grant: &'a Grant,
    pub(super) verdicts: Option<&'a Verdicts>,
    pub(super) roles: &'a Roles,
    pub(super) now: DateTime<Utc>,
}

/// When a binding of an image applies.
enum Applies {
    Always,
    Until(DateTime<Utc>),
    /// It has ended.
    Ended(DateTime<Utc>),
    /// When it applies is not known here: the condition is not ours.
    Perhaps(String),
}

impl Members<'_> {
    /// All members whose role matters to the key.
    pub(super) fn check(&self, policy: &Policy) -> Vec<Finding> {
        let bindings = policy.bindings.iter();
        let all = bindings.flat_map(|granted| {
            let members = granted.members.iter();
            members.filter_map(|member| self.member(granted, member))
        });
        all.collect()
    }

    /// Whether an image has the role of the grant now.
    pub(super) fn is_bound(&self, policy: &Policy, image: &Digest) -> bool {
        let member = self.grant.member(image).to_string();
        let is_now = |granted: &Binding| {
            let applies = self.applies(granted);
            matches!(applies, Applies::Always | Applies::Until(_))
        };
        policy.bindings.iter().any(|granted| {
            self.is_granted(&granted.role) && granted.members.contains(&member) && is_now(granted)
        })
    }

    /// What the members of a role may do. The role of the grant is for decryption, by any name.
    fn power(&self, role: &str) -> Result<Power, Unread> {
        match self.is_granted(role) {
            true => Ok(Power::Decrypt),
            false => self.roles.power(role),
        }
    }

    fn is_granted(&self, role: &str) -> bool {
        role == self.grant.role().as_str()
    }

    fn member(&self, granted: &Binding, text: &str) -> Option<Finding> {
        let (member, role) = (text.to_owned(), granted.role.clone());
        let power = match self.power(&role) {
            Ok(Power::Neither) => return None,
            Err(_) if self.is_accepted(text) => return Some(Finding::Accepted { member, role }),
            Err(unread) => {
                return Some(Finding::UnknownRole {
                    member,
                    role,
                    unread,
                });
            }
            Ok(power) => power,
        };
        if text.starts_with("deleted:") {
            return Some(Finding::Gone { member, role });
        }
        if WORKFORCE.iter().any(|prefix| text.starts_with(prefix)) {
            return Some(Finding::Workforce { member, role });
        }
        Some(match text.parse::<Member>() {
            Ok(named) if named.pool() == self.grant.pool() => {
                self.of_pool(granted, text, named.identities())
            }
            Ok(_) => Finding::OtherPool { member, role },
            // A principal of another form is not one of our images.
            Err(_) if text.starts_with("principal") => Finding::OtherPool { member, role },
            Err(_) => self.outsider(member, role, power),
        })
    }

    fn of_pool(&self, granted: &Binding, text: &str, identities: &Identities) -> Finding {
        let (member, role) = (text.to_owned(), granted.role.clone());
        match (identities, image(identities)) {
            (Identities::All, _) => Finding::WholePool { role },
            (_, None) => Finding::NotAnImage { member, role },
            (_, Some(image)) if self.is_granted(&role) => self.image(granted, image),
            (_, Some(_)) => Finding::OtherRole { member, role },
        }
    }

    /// An image with the role of the grant. One that is not approved must not have it under any condition, since conditions are met by
    /// Google's clock.
    fn image(&self, granted: &Binding, image: Digest) -> Finding {
        match self.verdicts.map(|verdicts| verdicts.of(&image)) {
            Some(Standing::Refused) => return Finding::RefusedImage { image },
            Some(Standing::Unknown) => return Finding::UnknownImage { image },
            Some(Standing::Approved) | None => {}
        }
        let until = match self.applies(granted) {
            Applies::Always => None,
            Applies::Until(end) => Some(end),
            Applies::Ended(end) => return Finding::Ended { image, end },
            Applies::Perhaps(expression) => return Finding::OtherCondition { image, expression },
        };
        match self.verdicts {
            Some(_) => Finding::Approved { image, until },
            None => Finding::Unchecked { image, until },
        }
    }

    fn applies(&self, granted: &Binding) -> Applies {
        let Some(condition) = &granted.condition else {
            return Applies::Always;
        };
        match window::until(&condition.expression) {
            Some(end) if end <= self.now => Applies::Ended(end),
            Some(end) => Applies::Until(end),
            None => Applies::Perhaps(condition.expression.clone()),
        }
    }

    /// A member that is no member of a pool.
    fn outsider(&self, member: String, role: String, power: Power) -> Finding {
        match power {
            _ if self.is_accepted(&member) => Finding::Accepted { member, role },
            Power::Administer => Finding::Administrator { member, role },
            Power::Decrypt | Power::Neither => Finding::NotAttested { member, role },
        }
    }

    /// Whether the grant accepts a member without attestation. Members of pools, deleted ones and everyone cannot be accepted.
    fn is_accepted(&self, member: &str) -> bool {
        let is_unacceptable = PUBLIC.contains(&member)
            || member.starts_with("principal")
            || member.starts_with("deleted:");
        !is_unacceptable && self.grant.others().iter().any(|other| other == member)
    }
}

/// The image that identities are chosen by, by a digest that a token can have.
fn image(identities: &Identities) -> Option<Digest> {
    match identities {
        Identities::Attribute { name, value } if name == IMAGE_DIGEST => value.parse().ok(),
        _ => None,
    }
}
