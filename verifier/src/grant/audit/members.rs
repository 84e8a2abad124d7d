//! The members of a policy that the key has or inherits.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use content::Digest;
use google::admission::IMAGE_DIGEST;
use google::{Identities, Member};
use google_cloud_iam_v1::model::{Binding as Granted, Policy};
use grant::Grant;

use super::what::What;
use crate::grant::apply::until;
use crate::grant::verdicts::Verdicts;

/// Predefined roles that allow decryption (Cloud KMS, "Permissions and roles").
const DECRYPT: [&str; 6] = [
    "roles/cloudkms.cryptoKeyDecrypter",
    "roles/cloudkms.cryptoKeyDecrypterViaDelegation",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    "roles/cloudkms.cryptoKeyEncrypterDecrypterViaDelegation",
    "roles/cloudkms.cryptoOperator",
    "roles/owner",
];
/// Predefined roles that allow to change the policy, and no decryption.
const ADMINISTER: [&str; 2] = ["roles/cloudkms.admin", "roles/iam.securityAdmin"];
/// Predefined roles that allow neither.
const NEITHER: [&str; 11] = [
    "roles/browser",
    "roles/viewer",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterViaDelegation",
    "roles/cloudkms.publicKeyViewer",
    "roles/cloudkms.signer",
    "roles/cloudkms.signerVerifier",
    "roles/cloudkms.verifier",
    "roles/cloudkms.viewer",
    "roles/cloudkms.importer",
    "roles/iam.securityReviewer",
];
/// Members that are anybody, whom no grant can accept.
const PUBLIC: [&str; 2] = ["allUsers", "allAuthenticatedUsers"];

/// What members are compared with.
pub(super) struct Members<'a> {
    pub(super) grant: &'a Grant,
    pub(super) verdicts: Option<&'a Verdicts>,
    pub(super) now: DateTime<Utc>,
}

impl Members<'_> {
    pub(super) fn check(&self, policy: &Policy) -> Vec<What> {
        let bindings = policy.bindings.iter();
        let all = bindings.flat_map(|granted| {
            let members = granted.members.iter();
            members.filter_map(|member| self.member(granted, member))
        });
        all.collect()
    }

    /// The images that were approved and are not bound.
    pub(super) fn unbound(&self, policy: &Policy) -> Vec<What> {
        let bindings = policy.bindings.iter();
        let members: BTreeSet<&String> = bindings.flat_map(|granted| &granted.members).collect();
        let approved = self.verdicts.into_iter().flat_map(|verdicts| {
            let approved = verdicts.approved.iter();
            approved.filter(|image| !verdicts.refused.contains(*image))
        });
        let unbound =
            approved.filter(|image| !members.contains(&self.grant.member(image).to_string()));
        let name = |image: &Digest| What::Unbound {
            image: image.to_string(),
        };
        unbound.map(name).collect()
    }

    fn member(&self, granted: &Granted, text: &str) -> Option<What> {
        let (member, role) = (text.to_owned(), granted.role.clone());
        if text.starts_with("deleted:") {
            return Some(What::Gone { member, role });
        }
        match text.parse::<Member>() {
            _ if is_harmless(&role) => None,
            Ok(named) if named.pool() == self.grant.pool() => {
                Some(self.of_pool(granted, text, named.identities()))
            }
            Ok(_) => Some(What::OtherPool { member, role }),
            // A principal that cannot be read is not one of our images.
            Err(_) if text.starts_with("principal") => Some(What::OtherPool { member, role }),
            Err(_) => Some(self.outsider(member, role)),
        }
    }

    fn of_pool(&self, granted: &Granted, text: &str, identities: &Identities) -> What {
        let (member, role) = (text.to_owned(), granted.role.clone());
        match identities {
            Identities::All => What::WholePool { role },
            Identities::Attribute { name, value } if is_image(name, value) => {
                match role == self.grant.role().as_str() {
                    true => self.image(granted, value.clone()),
                    false => What::OtherRole { member, role },
                }
            }
            _ => What::NotAnImage { member, role },
        }
    }

    fn image(&self, granted: &Granted, image: String) -> What {
        let expression = granted.condition.as_ref().map(|it| it.expression.as_str());
        let end = expression.and_then(until);
        match (expression, end) {
            (Some(_), Some(end)) if end <= self.now => return What::Ended { image, end },
            (Some(expression), None) => {
                let expression = expression.to_owned();
                return What::OtherCondition { image, expression };
            }
            _ => {}
        }
        let Some(verdicts) = self.verdicts else {
            return What::Unchecked { image, until: end };
        };
        let digest: Option<Digest> = image.parse().ok();
        let is_in = |images: &BTreeSet<Digest>| digest.is_some_and(|it| images.contains(&it));
        match (is_in(&verdicts.refused), is_in(&verdicts.approved)) {
            (true, _) => What::RefusedImage { image },
            (false, true) => What::Approved { image, until: end },
            (false, false) => What::UnknownImage { image },
        }
    }

    /// A member that is no member of a pool.
    fn outsider(&self, member: String, role: String) -> What {
        let decrypts = DECRYPT.contains(&&*role) || role == self.grant.role().as_str();
        let is_accepted = self.grant.others().contains(&member) && !PUBLIC.contains(&&*member);
        match () {
            () if is_accepted => What::Accepted { member, role },
            () if ADMINISTER.contains(&&*role) => What::Administrator { member, role },
            () if !decrypts => What::UnknownRole { member, role },
            () => What::NotAttested { member, role },
        }
    }
}

/// Whether an attribute names an image, by a digest that a token can have.
fn is_image(name: &str, value: &str) -> bool {
    name == IMAGE_DIGEST && value.parse::<Digest>().is_ok()
}

fn is_harmless(role: &str) -> bool {
    NEITHER.contains(&role)
}
