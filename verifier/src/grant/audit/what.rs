//! What an audit can observe.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use grant::inspect::Finding;

/// What an observation means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// As granted.
    Pass,
    /// Not as granted.
    Fail,
    /// To be known.
    Note,
}

/// What was observed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum What {
    /// The key decrypts, where the grant says.
    KeyUsable { protection: String },
    /// A binding for an image with a verdict that is a pass.
    Approved {
        image: String,
        until: Option<DateTime<Utc>>,
    },
    /// A binding for an image, and no verdicts were given.
    Unchecked {
        image: String,
        until: Option<DateTime<Utc>>,
    },
    /// A binding for an image without a verdict.
    UnknownImage { image: String },
    /// A binding for an image with a verdict that is a fail.
    RefusedImage { image: String },
    /// A binding for an image whose window has ended.
    Ended { image: String, end: DateTime<Utc> },
    /// A binding for an image under a condition that is not ours.
    OtherCondition { image: String, expression: String },
    /// An image that was approved and has no binding.
    Unbound { image: String },
    /// All members of the pool.
    WholePool { role: String },
    /// Members of the pool that are not named by an image.
    NotAnImage { member: String, role: String },
    /// Members of the pool with a role that the grant does not give.
    OtherRole { member: String, role: String },
    /// Members of another pool.
    OtherPool { member: String, role: String },
    /// Somebody who needs no attestation.
    NotAttested { member: String, role: String },
    /// Somebody whom the grant names as one who needs no attestation.
    Accepted { member: String, role: String },
    /// A principal that was deleted.
    Gone { member: String, role: String },
    /// Somebody who can change the policy.
    Administrator { member: String, role: String },
    /// A role whose permissions are not known here.
    UnknownRole { member: String, role: String },
    /// The pool is active.
    PoolActive,
    /// There is no pool.
    NoPool,
    /// The provider is as the grant describes it.
    ProviderAsGranted { id: String },
    /// The key, the pool or a provider is not as the grant describes it.
    Differs(Finding),
    /// The pool has a second provider, which is deleted.
    DeletedProvider { name: String },
}

impl What {
    /// What it means.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::KeyUsable { .. }
            | Self::Approved { .. }
            | Self::PoolActive
            | Self::ProviderAsGranted { .. } => Outcome::Pass,
            Self::Unchecked { .. }
            | Self::Unbound { .. }
            | Self::Accepted { .. }
            | Self::DeletedProvider { .. } => Outcome::Note,
            _ => Outcome::Fail,
        }
    }

    /// A name for programs, which does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyUsable { .. } => "key-usable",
            Self::Approved { .. } => "approved",
            Self::Unchecked { .. } => "unchecked",
            Self::UnknownImage { .. } => "unknown-image",
            Self::RefusedImage { .. } => "refused-image",
            Self::Ended { .. } => "window-ended",
            Self::OtherCondition { .. } => "other-condition",
            Self::Unbound { .. } => "unbound",
            Self::WholePool { .. } => "whole-pool",
            Self::NotAnImage { .. } => "not-an-image",
            Self::OtherRole { .. } => "other-role",
            Self::OtherPool { .. } => "other-pool",
            Self::NotAttested { .. } => "not-attested",
            Self::Accepted { .. } => "accepted",
            Self::Gone { .. } => "deleted-member",
            Self::Administrator { .. } => "administrator",
            Self::UnknownRole { .. } => "unknown-role",
            Self::PoolActive => "pool-active",
            Self::NoPool => "no-pool",
            Self::ProviderAsGranted { .. } => "provider-as-granted",
            Self::Differs(finding) => finding.code(),
            Self::DeletedProvider { .. } => "deleted-provider",
        }
    }

    fn write_member(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approved { image, until } => write!(out, "{image} is approved{}", end(*until)),
            Self::Unchecked { image, until } => {
                let end = end(*until);
                write!(
                    out,
                    "{image} is bound{end}; no verdicts were given to compare it with"
                )
            }
            Self::UnknownImage { image } => write!(out, "{image} is bound and has no verdict"),
            Self::RefusedImage { image } => {
                write!(out, "{image} is bound and has a verdict that is a fail")
            }
            Self::Ended { image, end } => {
                let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
                write!(
                    out,
                    "{image} was bound until {end}: the binding grants nothing and can be removed"
                )
            }
            Self::OtherCondition { image, expression } => {
                write!(
                    out,
                    "{image} is bound under another condition: {expression}"
                )
            }
            Self::Unbound { image } => write!(out, "{image} is approved and not bound"),
            Self::WholePool { role } => {
                write!(
                    out,
                    "every member of the pool has {role}, whatever image it runs"
                )
            }
            Self::NotAnImage { member, role } => {
                write!(
                    out,
                    "{member} has {role}: it names members of the pool, and no image"
                )
            }
            Self::OtherRole { member, role } => {
                write!(out, "{member} has {role}, which the grant does not give")
            }
            Self::OtherPool { member, role } => {
                write!(out, "{member} of another pool has {role}")
            }
            Self::NotAttested { member, role } => {
                write!(
                    out,
                    "{member} has {role} without attestation, and is not in other_members"
                )
            }
            Self::Accepted { member, role } => {
                write!(
                    out,
                    "{member} has {role} without attestation, as other_members says"
                )
            }
            Self::Gone { member, role } => write!(out, "{member} is deleted, and had {role}"),
            Self::Administrator { member, role } => {
                write!(
                    out,
                    "{member} has {role}, can change this policy, and is not in other_members"
                )
            }
            Self::UnknownRole { member, role } => {
                write!(
                    out,
                    "{member} has {role}, which may allow decryption, and is not in other_members"
                )
            }
            _ => Ok(()),
        }
    }
}

fn end(until: Option<DateTime<Utc>>) -> String {
    let end = until.map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true));
    end.map_or_else(String::new, |end| format!(", until {end}"))
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyUsable { protection } => {
                write!(
                    out,
                    "decrypts; its primary version is enabled; protection level {protection}"
                )
            }
            Self::PoolActive => write!(out, "active"),
            Self::NoPool => write!(out, "it does not exist"),
            Self::ProviderAsGranted { id } => {
                write!(
                    out,
                    "{id} has the issuer, audience, mapping and condition of the grant"
                )
            }
            Self::Differs(finding) => finding.fmt(out),
            Self::DeletedProvider { name } => write!(
                out,
                "{name} is deleted: if it is undeleted, whoever it admits is a member of the pool"
            ),
            member => member.write_member(out),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Note => "note",
        })
    }
}
