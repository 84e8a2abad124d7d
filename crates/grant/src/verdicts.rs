//! Which images the owner of a key has approved.

use std::collections::BTreeSet;

use content::Digest;

/// The images that were approved, and those that were refused.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdicts {
    /// Images with a verdict that is a pass.
    pub approved: BTreeSet<Digest>,
    /// Images with a verdict that is a fail.
    pub refused: BTreeSet<Digest>,
}

/// What is known about an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// All its verdicts are passes.
    Approved,
    /// It has a verdict that is a fail.
    Refused,
    /// It has no verdict.
    Unknown,
}

impl Verdicts {
    /// What the verdicts say about an image. A fail outweighs any number of passes.
    pub fn of(&self, image: &Digest) -> Standing {
        match (self.refused.contains(image), self.approved.contains(image)) {
            (true, _) => Standing::Refused,
            (false, true) => Standing::Approved,
            (false, false) => Standing::Unknown,
        }
    }

    /// The images that were approved and never refused.
    pub fn standing(&self) -> impl Iterator<Item = &Digest> {
        self.approved.difference(&self.refused)
    }
}
