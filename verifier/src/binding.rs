//! The grant for one digest. It exists only where an approval exists.
//!
//! An approval has private fields and comes from a verdict alone, so no one can write one down:
//!
//! ```compile_fail,E0451
//! # fn forge(image: oci::ImageRef) {
//! let approval = verifier::verdict::Approval { image };
//! # }
//! ```
//!
//! and a refusal binds nothing:
//!
//! ```compile_fail,E0308
//! # fn bind(refusal: &verifier::verdict::Refusal, grant: &verifier::grant::Grant) {
//! let binding = verifier::binding::Binding::new(refusal, grant);
//! # }
//! ```
//!
//! With an approval it compiles:
//!
//! ```
//! # fn bind(approval: &verifier::verdict::Approval, grant: &verifier::grant::Grant) {
//! let binding = verifier::binding::Binding::new(approval, grant);
//! # }
//! ```

use crate::grant::{Grant, KeyName};
use crate::verdict::Approval;

/// A role on a key, for workloads that were measured to be one image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    key: KeyName,
    role: String,
    member: String,
}

impl Binding {
    /// The grant, for the digest that was approved and for no other.
    pub fn new(approval: &Approval, grant: &Grant) -> Self {
        Self {
            key: grant.key().clone(),
            role: grant.role().to_owned(),
            member: grant.member(&approval.image().digest),
        }
    }

    /// The key that is granted on.
    pub fn key(&self) -> &KeyName {
        &self.key
    }

    /// The role that is granted.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The principal set that gets it.
    pub fn member(&self) -> &str {
        &self.member
    }
}
