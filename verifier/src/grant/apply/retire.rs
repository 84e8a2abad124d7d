//! Takes a role from all images but one, at once or from a time on.
//!
//! A condition of IAM sees the resource and the time, never a claim. So an old image keeps the role until a time by a binding with
//! the condition `request.time < timestamp('…')`. Four things follow:
//!
//! - A member that is in two bindings of a role has it if one of them is met. It is therefore taken out of the binding without a
//!   condition in the same write that adds it under one.
//! - A binding whose time has passed grants nothing, but stays in the policy, where it counts for the limit of 1500 members.
//!   Each retirement removes those.
//! - A condition of others is compared as text only: an image that has the role under one loses it at once.
//! - A policy that is written in a version below 3 loses its conditions.

use chrono::{DateTime, Utc};
use content::Digest;
use google::admission::IMAGE_DIGEST;
use google::identity::Pool;
use google::{Identities, Member};
use google_cloud_iam_v1::model::{Binding as Granted, Policy};
use grant::window::{TITLE, before, until};

/// What becomes of the images that are retired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// They lose the role now.
    Now,
    /// They lose the role at a time.
    Until(DateTime<Utc>),
}

/// Which images are retired.
#[derive(Clone, Debug)]
pub struct Retirement {
    /// The role.
    pub role: String,
    /// The pool whose images are meant.
    pub pool: Pool,
    /// The image that stays.
    pub stays: Digest,
    /// What becomes of all others.
    pub fate: Fate,
    /// The time of the retirement.
    pub now: DateTime<Utc>,
}

/// What becomes of one member of a binding.
enum Next {
    Stays,
    Leaves,
    /// It goes to a binding with this condition.
    Goes(String),
}

impl Retirement {
    pub(super) fn apply(&self, policy: Policy) -> Option<Policy> {
        let mut edited = policy.clone();
        let mut moved = Vec::new();
        for granted in &mut edited.bindings {
            if granted.role != self.role {
                continue;
            }
            let condition = expression(granted).map(str::to_owned);
            granted.members.retain(|member| {
                match self.next(member, condition.as_deref()) {
                    Next::Stays => return true,
                    Next::Leaves => {}
                    Next::Goes(condition) => moved.push((condition, member.clone())),
                }
                false
            });
        }
        for (condition, member) in moved {
            join(&mut edited, &self.role, &condition, member);
        }
        let is_empty = |granted: &Granted| granted.role == self.role && granted.members.is_empty();
        edited.bindings.retain(|granted| !is_empty(granted));
        (edited != policy).then_some(edited)
    }

    /// Where a member goes that is in a binding with this condition.
    fn next(&self, member: &str, condition: Option<&str>) -> Next {
        let Some(image) = self.image(member) else {
            return Next::Stays;
        };
        let deadline = condition.and_then(until);
        if image == self.stays.to_string() {
            // It has the role without a condition.
            return match deadline {
                Some(_) => Next::Leaves,
                None => Next::Stays,
            };
        }
        let Fate::Until(end) = self.fate else {
            return Next::Leaves;
        };
        match (condition, deadline) {
            (Some(_), Some(deadline)) if deadline <= self.now => Next::Leaves,
            (Some(_), Some(deadline)) if deadline <= end => Next::Stays,
            // When a condition of others is met is unknown here, and so is what it would mean as part of another.
            (Some(_), None) => Next::Leaves,
            _ => Next::Goes(before(end)),
        }
    }

    /// The digest that a member of the pool names; `None` for all other members.
    fn image(&self, member: &str) -> Option<String> {
        let member: Member = member.parse().ok()?;
        if member.pool() != &self.pool {
            return None;
        }
        match member.identities() {
            Identities::Attribute { name, value } if name == IMAGE_DIGEST => Some(value.clone()),
            _ => None,
        }
    }
}

fn expression(granted: &Granted) -> Option<&str> {
    let condition = granted.condition.as_ref();
    condition.map(|condition| condition.expression.as_str())
}

/// Adds a member to the binding with this condition of ours.
fn join(policy: &mut Policy, role: &str, condition: &str, member: String) {
    let is_ours = |granted: &&mut Granted| {
        let found = granted.condition.as_ref();
        let is_same = found.is_some_and(|it| it.expression == condition && it.title == TITLE);
        granted.role == role && is_same
    };
    match policy.bindings.iter_mut().find(is_ours) {
        Some(granted) if granted.members.contains(&member) => {}
        Some(granted) => granted.members.push(member),
        None => {
            let mut granted = Granted::new().set_role(role).set_members([member]);
            let new = granted.condition.get_or_insert_default();
            TITLE.clone_into(&mut new.title);
            condition.clone_into(&mut new.expression);
            policy.bindings.push(granted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";
    const POOL: &str = "projects/1234/locations/global/workloadIdentityPools/trusted";

    fn time(hour: u32) -> DateTime<Utc> {
        format!("2026-11-29T{hour:02}:00:00Z").parse().unwrap()
    }

    fn image(name: &str) -> String {
        let digest = Digest::of(name.as_bytes());
        format!("principalSet://iam.googleapis.com/{POOL}/attribute.image_digest/{digest}")
    }

    fn policy(bindings: &[(Option<String>, &[String])]) -> Policy {
        let bindings = bindings.iter().map(|(condition, members)| {
            let mut granted = Granted::new().set_role(ROLE).set_members(members.to_vec());
            if let Some(condition) = condition {
                let new = granted.condition.get_or_insert_default();
                TITLE.clone_into(&mut new.title);
                new.expression.clone_from(condition);
            }
            granted
        });
        Policy::new().set_bindings(bindings)
    }

    fn retirement(fate: Fate) -> Retirement {
        Retirement {
            role: ROLE.to_owned(),
            pool: POOL.parse().unwrap(),
            stays: Digest::of(b"new"),
            fate,
            now: time(6),
        }
    }

    /// The bindings, as condition and members.
    fn shown(policy: &Policy) -> Vec<(Option<String>, Vec<String>)> {
        let bindings = policy.bindings.iter();
        let one = |granted: &Granted| {
            let condition = expression(granted).map(str::to_owned);
            (condition, granted.members.clone())
        };
        bindings.map(one).collect()
    }

    #[test]
    fn old_images_leave_at_once_or_keep_the_role_until_a_time() {
        let owner = "user:owner@one.example".to_owned();
        let all = [image("old"), owner.clone(), image("new")];
        let before_it = policy(&[(None, &all)]);
        let now = retirement(Fate::Now).apply(before_it.clone()).unwrap();
        let kept = vec![owner, image("new")];
        assert_eq!(shown(&now), [(None, kept.clone())]);
        assert_eq!(retirement(Fate::Now).apply(now), None);
        let later = retirement(Fate::Until(time(9)));
        let window = later.apply(before_it).unwrap();
        let timed = "request.time < timestamp('2026-11-29T09:00:00Z')".to_owned();
        let expected = [(None, kept), (Some(timed), vec![image("old")])];
        assert_eq!(shown(&window), expected);
        assert_eq!(later.apply(window), None);
    }

    #[test]
    fn a_later_retirement_ends_no_window_early_lengthens_none_and_removes_what_has_ended() {
        let [ended, soon, late] = [5, 7, 11].map(|hour| Some(before(time(hour))));
        let old = policy(&[
            (ended, &[image("one")]),
            (soon.clone(), &[image("two")]),
            (late, &[image("three")]),
        ]);
        let left = retirement(Fate::Until(time(9))).apply(old).unwrap();
        let expected = [
            (soon, vec![image("two")]),
            (Some(before(time(9))), vec![image("three")]),
        ];
        assert_eq!(shown(&left), expected);
    }

    #[test]
    fn an_image_that_returns_is_under_no_window() {
        let timed = Some(before(time(7)));
        let old = policy(&[(None, &[image("new")]), (timed, &[image("new")])]);
        let left = retirement(Fate::Now).apply(old).unwrap();
        assert_eq!(shown(&left), [(None, vec![image("new")])]);
    }

    #[test]
    fn a_condition_of_others_is_no_window_and_is_never_lengthened() {
        let timed = before(time(7));
        for condition in [
            // The operator && binds tighter than ||: this is always met.
            format!("(true) || (true) && {timed}"),
            format!("(request.time.getHours('UTC') < 6) && {timed}"),
            format!("true || {timed}"),
            format!(" {timed}"),
            timed.replace("07:00:00Z", "09:00:00+02:00"),
            "request.time.getHours('UTC') < 6".to_owned(),
        ] {
            assert_eq!(until(&condition), None, "{condition}");
            let old = policy(&[(Some(condition), &[image("old"), "user:a@b".to_owned()])]);
            for fate in [Fate::Now, Fate::Until(time(9))] {
                let left = retirement(fate).apply(old.clone()).unwrap();
                let mut expected = shown(&old);
                expected[0].1.remove(0);
                assert_eq!(shown(&left), expected);
                assert_eq!(retirement(fate).apply(left), None);
            }
        }
    }

    #[test]
    fn other_roles_pools_and_attributes_stay() {
        let others = [
            image("old").replace("trusted", "other"),
            image("old").replace("image_digest", "image_id"),
            format!("principalSet://iam.googleapis.com/{POOL}/*"),
        ];
        let mut old = policy(&[(None, &others)]);
        let other = Granted::new().set_role("roles/viewer");
        old.bindings.push(other.set_members([image("old")]));
        assert_eq!(retirement(Fate::Now).apply(old), None);
    }
}
