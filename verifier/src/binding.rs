//! The grant for one digest. It exists only if an approval exists, and the countersignatures that the policy requires.
//!
//! Only a verdict contains an approval. Of each group of blocks, the first compiles, and the second, which
//! differs in one line, does not.
//!
//! The fields of an approval are private:
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
//! Only an appraisal becomes a verdict, and only [`appraise`](crate::appraise::appraise) creates one:
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
//! A refusal cannot be bound, and neither can an approval for which countersignatures may be missing:
//!
//! ```
//! # use grant::Grant;
//! # use verifier::{binding::Binding, verdict::{Countersigned, Refusal}};
//! # fn bind(countersigned: &Countersigned, refusal: &Refusal, grant: &Grant) -> Binding {
//! Binding::new(countersigned, grant)
//! # }
//! ```
//! ```compile_fail,E0308
//! # use grant::Grant;
//! # use verifier::{binding::Binding, verdict::{Countersigned, Refusal}};
//! # fn bind(countersigned: &Countersigned, refusal: &Refusal, grant: &Grant) -> Binding {
//! Binding::new(refusal, grant)
//! # }
//! ```
//! ```compile_fail,E0308
//! # use grant::Grant;
//! # use verifier::{binding::Binding, verdict::{Approval, Countersigned}};
//! # fn bind(approval: &Approval, countersigned: &Countersigned, grant: &Grant) -> Binding {
//! Binding::new(approval, grant)
//! # }
//! ```
//!
//! Signers alone cannot be bound either:
//!
//! ```compile_fail,E0308
//! # use grant::Grant;
//! # use verifier::{binding::Binding, signers::Signers};
//! # fn bind(signers: &Signers, grant: &Grant) -> Binding {
//! Binding::new(signers, grant)
//! # }
//! ```
//!
//! This does not protect against a program that appraises invented content instead of what a registry served.

use content::Digest;
use google::kms::Key;
use google::outputs::{ImageGrant, KeyGrant};
use google::{Member, Role};

use crate::grant::apply::Edit;
use crate::verdict::Countersigned;
use grant::Grant;

/// A role on a key, for workloads that were measured to be one image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    grant: Grant,
    image: Digest,
    member: Member,
}

impl Binding {
    /// The grant for the digest that was approved, and for no other.
    pub fn new(countersigned: &Countersigned, grant: &Grant) -> Self {
        let image = countersigned.approval().image().digest;
        Self {
            grant: grant.clone(),
            image,
            member: grant.member(&image),
        }
    }

    /// The key that is granted on.
    pub fn key(&self) -> &Key {
        self.grant.key()
    }

    /// The role that is granted.
    pub fn role(&self) -> &Role {
        self.grant.role()
    }

    /// The principal set that is granted the role.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The edit of the key's policy that adds it.
    pub fn to_edit(&self) -> Edit {
        Edit::Add {
            role: self.role().to_string(),
            member: self.member.to_string(),
        }
    }

    /// The binding, to be printed.
    pub fn granted(&self) -> ImageGrant<'_> {
        ImageGrant {
            granted: KeyGrant {
                key: self.key(),
                role: self.role(),
                member: &self.member,
            },
            image: &self.image,
            settings: self.grant.settings(),
        }
    }
}
