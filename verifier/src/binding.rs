//! The grant for one digest. It exists only where an approval exists.
//!
//! An approval comes from a verdict alone. Each of these compiles as it stands in the first block of
//! its pair, and no longer with the one line changed that the second block changes.
//!
//! Its fields are not to be written down, nor taken out:
//!
//! ```
//! # use verifier::verdict::Approval;
//! # fn image(approval: Approval) -> oci::ImageRef {
//! let image = approval.image().clone();
//! # image
//! # }
//! ```
//! ```compile_fail,E0616
//! # use verifier::verdict::Approval;
//! # fn image(approval: Approval) -> oci::ImageRef {
//! let image = approval.image;
//! # image
//! # }
//! ```
//!
//! Only an appraisal becomes a verdict, and only [`appraise`](crate::appraise::appraise) makes one:
//!
//! ```
//! # use verifier::{appraise::appraise, evidence::Evidence, policy::Policy, verdict::Verdict};
//! # fn verdict(evidence: &Evidence, policy: &Policy, now: chrono::DateTime<chrono::Utc>) -> Verdict {
//! Verdict::of(appraise(evidence, policy, now))
//! # }
//! ```
//! ```compile_fail,E0308
//! # use verifier::{appraise::appraise, evidence::Evidence, policy::Policy, verdict::Verdict};
//! # fn verdict(evidence: &Evidence, policy: &Policy, now: chrono::DateTime<chrono::Utc>) -> Verdict {
//! Verdict::of(policy)
//! # }
//! ```
//!
//! A refusal binds nothing:
//!
//! ```
//! # use verifier::{binding::Binding, grant::Grant, verdict::{Approval, Refusal}};
//! # fn bind(approval: &Approval, refusal: &Refusal, grant: &Grant) -> Binding {
//! Binding::new(approval, grant)
//! # }
//! ```
//! ```compile_fail,E0308
//! # use verifier::{binding::Binding, grant::Grant, verdict::{Approval, Refusal}};
//! # fn bind(approval: &Approval, refusal: &Refusal, grant: &Grant) -> Binding {
//! Binding::new(refusal, grant)
//! # }
//! ```
//!
//! The argument is about what was looked at, not about who looks: a program that makes up what a
//! registry holds appraises a registry of its own making.

use google::kms::Key;
use google::outputs::KeyGrant;
use google::{Member, Role};

use crate::grant::Grant;
use crate::verdict::Approval;

/// A role on a key, for workloads that were measured to be one image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    key: Key,
    role: Role,
    member: Member,
}

impl Binding {
    /// The grant, for the digest that was approved and for no other.
    pub fn new(approval: &Approval, grant: &Grant) -> Self {
        Self {
            key: grant.key().clone(),
            role: grant.role().clone(),
            member: grant.member(&approval.image().digest),
        }
    }

    /// The key that is granted on.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The role that is granted.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The principal set that gets it.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The binding, to be printed.
    pub fn granted(&self) -> KeyGrant<'_> {
        let Self { key, role, member } = self;
        KeyGrant { key, role, member }
    }
}
