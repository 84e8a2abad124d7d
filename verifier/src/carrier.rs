//! Where signatures and statements are attached.

use std::fmt;

use content::Digest;

/// Where a signature or statement is attached.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Carrier {
    /// A layer under the legacy tag of this name.
    Tag(String),
    /// A layer of a manifest that a saved layout lists without a tag.
    Listed(Digest),
    /// A referrer manifest.
    Referrer(Digest),
    /// In another repository than the image.
    Elsewhere {
        /// The repository.
        repository: String,
        /// Where it is attached there.
        at: Box<Self>,
    },
}

impl Carrier {
    /// Where it is attached, in any repository.
    pub(crate) fn within(&self) -> &Self {
        match self {
            Self::Elsewhere { at, .. } => at.within(),
            within => within,
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(out, "tag {}", short(tag)),
            Self::Listed(digest) => write!(out, "manifest {}", short(&digest.to_string())),
            Self::Referrer(digest) => write!(out, "referrer {}", short(&digest.to_string())),
            Self::Elsewhere { repository, at } => write!(out, "{at} in {repository}"),
        }
    }
}

/// The first sixteen digits, which distinguish carriers in a report.
fn short(name: &str) -> String {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    let head: String = name.chars().take(7 + 16).collect();
    match kind {
        "" => format!("{head}…"),
        kind => format!("{head}….{kind}"),
    }
}
