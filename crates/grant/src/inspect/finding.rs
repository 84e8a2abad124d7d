//! The differences between a grant and what is live.

use content::Digest;
use google::Role;
use google::identity::{Pool, Provider};

/// A difference. Text that comes from Google is as it was received: whoever prints it must escape it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Finding {
    /// The approved image may not decrypt.
    #[error("the approved image {digest} does not have {role}")]
    Missing {
        /// The image.
        digest: Digest,
        /// The role of the grant.
        role: Role,
    },
    /// An image that is not approved may decrypt.
    #[error("an image that is not approved may decrypt: {digest} has {role}")]
    Unapproved {
        /// The image.
        digest: Digest,
        /// The role.
        role: String,
    },
    /// The approved image may decrypt under a condition only, which the grant does not have.
    #[error("the approved image {digest} has {role} only if {condition}")]
    Conditional {
        /// The image.
        digest: Digest,
        /// The role.
        role: String,
        /// The condition of the binding.
        condition: String,
    },
    /// The approved image has a role that the grant does not name.
    #[error("the approved image {digest} has {role}, which is not the role of the grant")]
    OtherRole {
        /// The image.
        digest: Digest,
        /// The role.
        role: String,
    },
    /// All identities of a pool may decrypt, whichever image they run.
    #[error("every workload of the pool may decrypt: {member} has {role}")]
    WholePool {
        /// The member of the policy.
        member: String,
        /// The role.
        role: String,
    },
    /// Identities of the pool may decrypt that are not chosen by the digest of their image.
    #[error(
        "workloads may decrypt that are not chosen by the digest of their image: {member} has {role}"
    )]
    OtherIdentities {
        /// The member of the policy.
        member: String,
        /// The role.
        role: String,
    },
    /// Identities of a pool may decrypt that is not that of the grant.
    #[error("workloads of another pool may decrypt: {member} has {role}")]
    OtherPool {
        /// The member of the policy.
        member: String,
        /// The role.
        role: String,
    },
    /// Somebody who is not a workload may decrypt.
    #[error("{member} may decrypt and is no workload: it has {role}")]
    Stranger {
        /// The member of the policy.
        member: String,
        /// The role.
        role: String,
    },
    /// Anybody, or a workload, may change the policy.
    #[error("{member} may change the policy, and so let anybody decrypt: it has {role}")]
    Administrator {
        /// The member of the policy.
        member: String,
        /// The role.
        role: String,
    },
    /// The key is for another purpose, or has no primary version that is enabled.
    #[error(
        "expected purpose ENCRYPT_DECRYPT and an enabled primary version, found {purpose} and {primary}"
    )]
    KeyUnusable {
        /// The purpose.
        purpose: String,
        /// The state of the primary version, or that there is none.
        primary: String,
    },
    /// The key is protected otherwise than the grant says.
    #[error("expected protection level {expected}, found {found}")]
    Protection {
        /// The level of the grant.
        expected: String,
        /// The live level.
        found: String,
    },
    /// A finding in the policy of a resource that the key is part of.
    #[error("in the policy of {resource}, which the key inherits: {finding}")]
    Inherited {
        /// The resource.
        resource: String,
        /// The finding there.
        finding: Box<Self>,
    },
    /// The pool accepts no token.
    #[error("the pool {pool} accepts no token: it is {}", closed(state))]
    PoolClosed {
        /// The pool.
        pool: Pool,
        /// `disabled`, or its state.
        state: String,
    },
    /// The provider of the grant does not exist.
    #[error("the provider {provider} does not exist")]
    NoProvider {
        /// The provider.
        provider: Provider,
    },
    /// The provider of the grant accepts no token.
    #[error("the provider {provider} accepts no token: it is {}", closed(state))]
    ProviderClosed {
        /// The provider.
        provider: Provider,
        /// `disabled`, or its state.
        state: String,
    },
    /// The pool has a provider that the grant does not describe. Whatever it accepts becomes a member of the pool.
    #[error("the pool has another provider, which the grant does not describe: {name}")]
    OtherProvider {
        /// Its name.
        name: String,
    },
    /// A setting of the provider is not that of the grant.
    #[error(
        "the provider's {setting} is not that of the grant: expected {expected}, found {found}"
    )]
    Differs {
        /// The setting.
        setting: Setting,
        /// The value that the grant describes.
        expected: String,
        /// The live value.
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

impl std::fmt::Display for Setting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// A state in words.
fn closed(state: &str) -> String {
    match state {
        "" => "without a state".to_owned(),
        state => state.to_lowercase(),
    }
}

impl Finding {
    /// The name of the kind of finding, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Unapproved { .. } => "unapproved-image",
            Self::Conditional { .. } => "conditional",
            Self::OtherRole { .. } => "other-role",
            Self::WholePool { .. } => "whole-pool",
            Self::OtherIdentities { .. } => "other-identities",
            Self::OtherPool { .. } => "other-pool",
            Self::Stranger { .. } => "stranger",
            Self::Administrator { .. } => "administrator",
            Self::KeyUnusable { .. } => "key-unusable",
            Self::Protection { .. } => "protection-level",
            Self::Inherited { finding, .. } => finding.code(),
            Self::PoolClosed { .. } => "pool-closed",
            Self::NoProvider { .. } => "no-provider",
            Self::ProviderClosed { .. } => "provider-closed",
            Self::OtherProvider { .. } => "other-provider",
            Self::Differs { .. } => "provider-differs",
        }
    }
}
