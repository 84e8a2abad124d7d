//! Everything that is known about an image after its signatures were verified and its source was rebuilt. Rules use
//! only this and the policy.

use std::path::PathBuf;

use attest::provenance::IMAGE;
use oci::ImageRef;
use trust::Verified;

use crate::advisories::scan::Scan;
use crate::carrier::Carrier;
use crate::compare::Difference;
use crate::contents::Contents;
use crate::damage::Damage;
use crate::fact::Reason;
use crate::published::Source;
use crate::rule::Rule;

pub use crate::fact::{RegistryCheck, Visibility};

/// The published image, signatures and statements, after verification. Only [`crate::examine::examine`] creates one,
/// so its contents are those of its image.
#[derive(Clone, Debug)]
pub struct Attested {
    /// The image that was requested.
    pub(crate) image: ImageRef,
    /// Where it was found.
    pub(crate) source: Source,
    /// The contents of the image, unless they are damaged.
    pub(crate) contents: Option<Contents>,
    /// The number of signatures and statements.
    pub(crate) pieces: usize,
    /// Signatures over this image by principals of the policy.
    pub(crate) signatures: Vec<Verified<ImageSignature>>,
    /// Statements about this image by principals of the policy.
    pub(crate) statements: Vec<Verified<SignedStatement>>,
    /// Signatures and statements that do not count.
    pub(crate) uncounted: Vec<Uncounted>,
    /// As in [`crate::published::Published`], and damage found by verification.
    pub(crate) damage: Vec<Damage>,
    /// As in [`crate::published::Published`].
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
    /// Where it is attached.
    pub carrier: Carrier,
    /// The repository that was signed with the digest, if any.
    pub repository: Option<String>,
    /// Whether Confidential Space also counts it.
    pub in_confidential_space: Visibility,
}

/// A statement that verified and whose subject is the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedStatement {
    /// Where it is attached.
    pub carrier: Carrier,
    /// The signed predicate type.
    pub predicate_type: String,
    /// The predicate type that the carrier claims, which is not signed.
    pub claimed_type: Option<String>,
    /// The signed bytes of the statement.
    pub payload: Vec<u8>,
}

/// A signature or statement that does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uncounted {
    /// The rule that it may have been meant for.
    pub rule: Rule,
    /// Where it is attached.
    pub carrier: Carrier,
    /// Why it does not count.
    pub reason: Reason,
}

/// The time of a rebuild.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Timing {
    /// During this appraisal.
    Now,
    /// By an earlier `verifier rebuild`.
    Earlier {
        /// The layout that it wrote.
        layout: PathBuf,
        /// The source that its record names.
        source: String,
    },
}

/// A rebuild.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// When it was made.
    pub timing: Timing,
    /// The commit that was built.
    pub commit: String,
    /// The image that was built.
    pub contents: Contents,
    /// The provenance that the builder wrote.
    pub provenance: attest::Provenance,
    /// The bill of materials that the builder wrote.
    pub sbom: attest::Sbom,
    /// Whether the builder compared crates with the registry.
    pub registry: RegistryCheck,
}

impl Rebuilt {
    /// The directory of the source that was built, as the builder records it.
    pub fn directory(&self) -> Option<&str> {
        let parameters = &self.provenance.build_definition.external_parameters;
        parameters.get("directory")?.as_str()
    }

    /// The name of the image that was built, among those that the source describes, as the builder records it.
    pub fn image(&self) -> Option<&str> {
        let parameters = &self.provenance.build_definition.external_parameters;
        parameters.get(IMAGE)?.as_str()
    }

    /// Whether crates of the registry were among its inputs.
    pub fn has_crates(&self) -> bool {
        let inputs = &self.provenance.build_definition.resolved_dependencies;
        let mut named = inputs.iter().filter_map(|input| input.uri.as_deref());
        named.any(|uri| uri.starts_with("pkg:cargo/"))
    }
}

/// Whether there is a rebuild.
#[derive(Clone, Debug)]
pub enum Rebuild {
    /// Neither a source nor an earlier rebuild was given.
    Absent,
    /// The source does not have the commit that provenance names.
    NoCommit {
        /// The source.
        source: String,
        /// The commit that provenance names.
        commit: String,
    },
    /// The directory, or one above it, is a symbolic link, so that another directory would be built.
    Linked {
        /// The commit.
        commit: String,
        /// The path of the link in the source.
        link: String,
    },
    /// The builder refused the source.
    Refused {
        /// The commit that was built.
        commit: String,
        /// The last line that the builder printed.
        reason: String,
    },
    /// The image was built.
    Done(Box<Rebuilt>),
}

/// Everything that the rules are applied to.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The published image, signatures and statements.
    pub(crate) attested: Attested,
    /// Our own rebuild.
    pub(crate) rebuild: Rebuild,
    /// Where the rebuilt and the published image differ. Empty without a rebuild.
    pub(crate) differences: Vec<Difference>,
    /// The comparison of its packages with advisories, if the policy requires one.
    pub(crate) advisories: Option<Scan>,
}

impl Evidence {
    /// Combines both, and compares the images.
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
            advisories: None,
        }
    }

    /// Adds the comparison of packages with advisories.
    #[must_use]
    pub fn with_advisories(self, scan: Scan) -> Self {
        Self {
            advisories: Some(scan),
            ..self
        }
    }
}
