//! What is known about an image once every signature was verified and the source rebuilt. The rules
//! see this and nothing else.

use std::path::PathBuf;

use oci::ImageRef;
use trust::Verified;

use crate::carrier::Carrier;
use crate::compare::Difference;
use crate::contents::Contents;
use crate::damage::Damage;
use crate::fact::Reason;
use crate::rule::Rule;

pub use crate::fact::{RegistryCheck, Sight};

/// Published bytes after verification: who signed what. Only [`crate::examine::examine`] makes one,
/// and its contents are those of its image.
#[derive(Clone, Debug)]
pub struct Attested {
    /// What was asked for.
    pub(crate) image: ImageRef,
    /// The image, unless damaged.
    pub(crate) contents: Option<Contents>,
    /// How many pieces were looked at.
    pub(crate) pieces: usize,
    /// Signatures over this image by principals of the policy.
    pub(crate) signatures: Vec<Verified<ImageSignature>>,
    /// Statements about this image by principals of the policy.
    pub(crate) statements: Vec<Verified<SignedStatement>>,
    /// What does not count, and why.
    pub(crate) uncounted: Vec<Uncounted>,
    /// Carried over from [`crate::published::Published`], with what verification added.
    pub(crate) damage: Vec<Damage>,
    /// Carried over from [`crate::published::Published`].
    pub(crate) passed_over: Vec<String>,
}

impl Attested {
    /// Signatures over this image by principals of the policy.
    pub fn signatures(&self) -> &[Verified<ImageSignature>] {
        &self.signatures
    }

    /// Statements about this image by principals of the policy.
    pub fn statements(&self) -> &[Verified<SignedStatement>] {
        &self.statements
    }
}

/// A signature over the image's digest that verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageSignature {
    /// Where it hangs.
    pub carrier: Carrier,
    /// The repository that was signed with the digest, if any was.
    pub repository: Option<String>,
    /// Whether Confidential Space will count it as well.
    pub in_confidential_space: Sight,
}

/// A statement that verified and whose subject is the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedStatement {
    /// Where it hangs.
    pub carrier: Carrier,
    /// The signed predicate type.
    pub predicate_type: String,
    /// The type that the carrier claims; signed by nobody.
    pub claimed_type: Option<String>,
    /// The statement as it was signed.
    pub payload: Vec<u8>,
}

/// A piece that counts for nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uncounted {
    /// The rule that it might have been meant for.
    pub rule: Rule,
    /// Where it hangs.
    pub carrier: Carrier,
    /// Why it does not count.
    pub reason: Reason,
}

/// When a rebuild was made, and so who saw it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// For this appraisal, which started the builder itself.
    Now,
    /// By an earlier `verifier rebuild`, whose layout we were given.
    Earlier {
        /// Where it lies.
        layout: PathBuf,
        /// The source that its record names.
        source: String,
    },
}

/// Our own rebuild.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// When.
    pub occasion: Occasion,
    /// Commit of the source that we built.
    pub commit: String,
    /// The image that came out.
    pub contents: Contents,
    /// The provenance that our builder wrote about it.
    pub provenance: attest::Provenance,
    /// The bill of materials that our builder wrote about it.
    pub sbom: attest::Sbom,
    /// Whether our builder compared crates with the registry.
    pub registry: RegistryCheck,
}

impl Rebuilt {
    /// The directory of the source that was built, as the builder records it.
    pub fn directory(&self) -> Option<&str> {
        let parameters = &self.provenance.build_definition.external_parameters;
        parameters.get("directory")?.as_str()
    }
}

/// Whether there is a rebuild.
#[derive(Clone, Debug)]
pub enum Rebuild {
    /// No source was given, and the policy asks for none.
    Unasked,
    /// The source was fetched and does not hold the commit: nothing to build.
    NoCommit {
        /// Where it was looked for.
        source: String,
        /// What the provenance names.
        commit: String,
    },
    /// A link of the commit stands in the place of the directory, or above it: another directory
    /// would be built under this name.
    Linked {
        /// The commit.
        commit: String,
        /// The link's path in the source.
        link: String,
    },
    /// The compiler refused the source.
    Refused {
        /// The commit that was built.
        commit: String,
        /// The builder's last words.
        reason: String,
    },
    /// It was built.
    Done(Box<Rebuilt>),
}

/// Everything that the rules judge.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What others say.
    pub(crate) attested: Attested,
    /// What we saw ourselves.
    pub(crate) rebuild: Rebuild,
    /// Where the rebuilt and the published image differ; empty when there is no rebuild.
    pub(crate) differences: Vec<Difference>,
}

impl Evidence {
    /// Puts both together and compares the images.
    pub fn new(attested: Attested, rebuild: Rebuild) -> Self {
        let differences = match (&attested.contents, &rebuild) {
            (Some(published), Rebuild::Done(rebuilt)) => {
                match crate::compare::compare(published, &rebuilt.contents) {
                    crate::compare::Comparison::Same => Vec::new(),
                    crate::compare::Comparison::Different(differences) => differences,
                }
            }
            _ => Vec::new(),
        };
        Self {
            attested,
            rebuild,
            differences,
        }
    }
}
