//! What an inspection can find.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use content::Digest;
use google::Role;
use google::identity::{Pool, Provider};

use crate::live::Unread;

/// What a finding means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// As granted.
    Pass,
    /// Not as granted.
    Fail,
    /// To be known.
    Note,
    /// It could not be read, so that it is not known.
    Unread,
}

/// What was found. Text that comes from Google is as it was received: escape it before it is printed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum Finding {
    /// The key decrypts, where the grant says.
    #[error("decrypts; its primary version is enabled; protection level {protection}")]
    KeyUsable { protection: String },
    /// The key is for another purpose, or has no primary version that is enabled.
    #[error(
        "expected purpose ENCRYPT_DECRYPT and an enabled primary version, found {purpose} and {primary}"
    )]
    KeyUnusable { purpose: String, primary: String },
    /// The key is protected otherwise than the grant says.
    #[error("expected protection level {expected}, found {found}")]
    Protection { expected: String, found: String },
    /// A binding for an image that was approved.
    #[error("{image} is approved{}", end(*until))]
    Approved {
        image: Digest,
        until: Option<DateTime<Utc>>,
    },
    /// A binding for an image, and no verdicts were given.
    #[error("{image} is bound{}; no verdicts were given to compare it with", end(*until))]
    Unchecked {
        image: Digest,
        until: Option<DateTime<Utc>>,
    },
    /// A binding for an image that was not approved.
    #[error("{image} is bound and was not approved")]
    UnknownImage { image: Digest },
    /// A binding for an image with a verdict that is a fail.
    #[error("{image} is bound and has a verdict that is a fail")]
    RefusedImage { image: Digest },
    /// A binding for an approved image whose window has ended.
    #[error(
        "{image} was bound until {}: the binding grants nothing and can be removed", seconds(*end)
    )]
    Ended { image: Digest, end: DateTime<Utc> },
    /// A binding for an image under a condition that is not ours.
    #[error("{image} is bound under another condition: {expression}")]
    OtherCondition { image: Digest, expression: String },
    /// An image that was approved and has no binding.
    #[error("{image} is approved and not bound")]
    Unbound { image: Digest },
    /// The image that data is for has no binding that applies now.
    #[error("{image} does not have {role} now")]
    Missing { image: Digest, role: Role },
    /// All members of the pool.
    #[error("every member of the pool has {role}, with any image")]
    WholePool { role: String },
    /// Members of the pool that are not named by an image.
    #[error("{member} has {role}: it names members of the pool, and no image")]
    NotAnImage { member: String, role: String },
    /// Members of the pool with a role that the grant does not give.
    #[error("{member} has {role}, which the grant does not give")]
    OtherRole { member: String, role: String },
    /// Members of another pool.
    #[error("{member} is not of the pool of the grant, and has {role}")]
    OtherPool { member: String, role: String },
    /// People of a workforce identity pool, who sign in at an identity provider.
    #[error(
        "{member} signs in at a workforce pool, without attestation, and has {role}: no grant can accept it"
    )]
    Workforce { member: String, role: String },
    /// A member that needs no attestation.
    #[error("{member} has {role} without attestation, and is not in other_members")]
    NotAttested { member: String, role: String },
    /// A member that needs no attestation, as the grant says.
    #[error("{member} has {role} without attestation, as other_members says")]
    Accepted { member: String, role: String },
    /// A principal that was deleted.
    #[error(
        "{member} is deleted, and has {role} again if it is undeleted: remove it from the binding"
    )]
    Gone { member: String, role: String },
    /// A member that can change who may decrypt.
    #[error("{member} has {role}, can change who may decrypt, and is not in other_members")]
    Administrator { member: String, role: String },
    /// A role whose permissions are not known, so that it may allow decryption.
    #[error("{member} has {role}, and what that allows is not known: {}; {}", .unread.fault, .unread.hint)]
    UnknownRole {
        member: String,
        role: String,
        unread: Unread,
    },
    /// The policy of a resource above the key could not be read.
    #[error("who inherits a role from there is not known: {}; {}", .0.fault, .0.hint)]
    Unread(Unread),
    /// The pool is active.
    #[error("active")]
    PoolActive,
    /// There is no pool.
    #[error("the pool {pool} does not exist")]
    NoPool { pool: Pool },
    /// The pool accepts no token.
    #[error("the pool {pool} accepts no token: it is {state}")]
    PoolClosed { pool: Pool, state: String },
    /// The provider is as the grant describes it.
    #[error("{id} has the issuer, audience, mapping and condition of the grant")]
    ProviderAsGranted { id: String },
    /// The provider of the grant does not exist.
    #[error("the provider {provider} does not exist")]
    NoProvider { provider: Provider },
    /// The provider of the grant accepts no token.
    #[error("the provider {provider} accepts no token: it is {state}")]
    ProviderClosed { provider: Provider, state: String },
    /// The pool has a provider that the grant does not describe. All that it admits are members of the pool.
    #[error("the pool has another provider, which the grant does not describe: {name}")]
    OtherProvider { name: String },
    /// The pool has a second provider, which is deleted.
    #[error("{name} is deleted: if it is undeleted, all that it admits are members of the pool")]
    DeletedProvider { name: String },
    /// A setting of the provider is not that of the grant.
    #[error(
        "the provider's {setting} is not that of the grant: expected {expected}, found {found}"
    )]
    Differs {
        setting: Setting,
        expected: String,
        found: String,
    },
}

/// A setting of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setting {
    /// The kind of tokens that are accepted.
    Kind,
    /// The issuer of the tokens.
    Issuer,
    /// The keys of the issuer.
    Keys,
    /// The accepted audiences.
    Audience,
    /// The attribute mapping.
    Mapping,
    /// The attribute condition.
    Condition,
}

impl Finding {
    /// What it means for the question whether everything is as granted.
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
            Self::Unread(_) | Self::UnknownRole { .. } => Outcome::Unread,
            _ => Outcome::Fail,
        }
    }

    /// Whether data must not be sent while it is so: it is not as granted, or not known. The one difference is a window that has ended, which
    /// should be removed and lets nothing decrypt.
    pub fn forbids_sending(&self) -> bool {
        match self.outcome() {
            Outcome::Fail => !matches!(self, Self::Ended { .. }),
            Outcome::Unread => true,
            Outcome::Pass | Outcome::Note => matches!(self, Self::Unchecked { .. }),
        }
    }

    /// A name for programs, which does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyUsable { .. } => "key-usable",
            Self::KeyUnusable { .. } => "key-unusable",
            Self::Protection { .. } => "protection-level",
            Self::Approved { .. } => "approved",
            Self::Unchecked { .. } => "unchecked",
            Self::UnknownImage { .. } => "unknown-image",
            Self::RefusedImage { .. } => "refused-image",
            Self::Ended { .. } => "window-ended",
            Self::OtherCondition { .. } => "other-condition",
            Self::Unbound { .. } => "unbound",
            Self::Missing { .. } => "missing",
            Self::WholePool { .. } => "whole-pool",
            Self::NotAnImage { .. } => "not-an-image",
            Self::OtherRole { .. } => "other-role",
            Self::OtherPool { .. } => "other-pool",
            Self::Workforce { .. } => "workforce",
            Self::NotAttested { .. } => "not-attested",
            Self::Accepted { .. } => "accepted",
            Self::Gone { .. } => "deleted-member",
            Self::Administrator { .. } => "administrator",
            Self::UnknownRole { .. } => "unknown-role",
            Self::Unread(_) => "unread",
            Self::PoolActive => "pool-active",
            Self::NoPool { .. } => "no-pool",
            Self::PoolClosed { .. } => "pool-closed",
            Self::ProviderAsGranted { .. } => "provider-as-granted",
            Self::NoProvider { .. } => "no-provider",
            Self::ProviderClosed { .. } => "provider-closed",
            Self::OtherProvider { .. } => "other-provider",
            Self::DeletedProvider { .. } => "deleted-provider",
            Self::Differs { .. } => "provider-differs",
        }
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn end(until: Option<DateTime<Utc>>) -> String {
    until.map_or_else(String::new, |end| format!(", until {}", seconds(end)))
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Note => "note",
            Self::Unread => "unread",
        })
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Kind => "kind",
            Self::Issuer => "issuer",
            Self::Keys => "source of keys",
            Self::Audience => "audience",
            Self::Mapping => "attribute mapping",
            Self::Condition => "attribute condition",
        })
    }
}
