//! The release policy: what a collaborator requires of an image before the image may use a key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use attest::{ImageName, Predicate};
use content::Digest;
use oci::{Evidence, Repository};
use trust::{Identity, Principal, Principals, Quorum};

use crate::commit::Commit;
use crate::rule::Rule;

mod advisories;
mod attestation;
mod countersigners;
mod document;
mod names;
mod principal;
mod signatures;

pub(crate) use advisories::Advisories;
pub(crate) use attestation::{Condition, Freshness, Required};
pub(crate) use countersigners::Countersigners;
pub(crate) use signatures::WithoutRepository;

use document::Document;

/// A policy that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("parsing policy: {0}")]
pub struct InvalidPolicy(String);

impl InvalidPolicy {
    fn of(fault: impl Display) -> Self {
        Self(fault.to_string())
    }
}

/// The external parameters of provenance that have their own entries in a policy.
pub const POLICY_PARAMETERS: [&str; 2] = ["source", "directory"];

/// Whether the policy requires something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Demand {
    /// It is required: its absence is a refusal.
    Required,
    /// It is not required.
    NotRequired,
}

/// A policy in which every name is resolved. Only [`Policy::parse`] creates one.
#[derive(Clone, Debug)]
pub struct Policy {
    /// See [`Policy::digest`].
    pub(crate) digest: Digest,
    /// The URI of the verifier.
    pub(crate) verifier_id: Option<String>,
    /// The repository of the image.
    pub(crate) repository: Repository,
    /// The expected `builder.id`.
    pub(crate) builder_id: String,
    /// The expected `buildType`.
    pub(crate) build_type: String,
    /// The expected source, `git+<URL or name>`.
    pub(crate) source_uri: String,
    /// The directory of the source that is built.
    pub(crate) directory: String,
    /// The only commit of the source that may be built, if the policy pins one.
    pub(crate) commit: Option<Commit>,
    /// The name of the image, among those that the source describes.
    pub(crate) image: Option<ImageName>,
    /// Further external parameters of the build, each with its only allowed value; among them `image`, the name of the image.
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// The principals.
    pub(crate) principals: Principals,
    /// Who must have signed the image, unless attestations are enough.
    pub(crate) signatures: Option<Quorum>,
    /// Whether signatures that name no repository count.
    pub(crate) without_repository: WithoutRepository,
    /// Who must also have signed the image before it is bound, if the policy names any party.
    pub(crate) countersigners: Option<Countersigners>,
    /// Other repositories that may have signatures and statements about the image.
    pub(crate) evidence: Evidence,
    /// The predicates that must be attested.
    pub(crate) attestations: BTreeSet<Predicate>,
    /// The principals whose attestations count.
    pub(crate) attesters: BTreeSet<Identity>,
    /// Further attestations that are required, with conditions.
    pub(crate) required: Vec<Required>,
    /// The advisories that are refused, if the policy has a database.
    pub(crate) advisories: Option<Advisories>,
    /// Whether the image must be rebuilt.
    pub(crate) rebuild: Demand,
}

impl Policy {
    /// Parses a policy. `read_file` reads the files that it names: keys, a trusted root and Rego modules.
    ///
    /// # Errors
    /// An entry is unknown, missing or invalid, or a list names something twice.
    pub fn parse(
        bytes: &[u8],
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, InvalidPolicy> {
        let document = std::str::from_utf8(bytes).map_err(InvalidPolicy::of)?;
        let document: Document = content::toml::parse(document).map_err(InvalidPolicy::of)?;
        let principals = document.principals(read_file)?;
        let (principals, root) = document.with_root(principals, read_file)?;
        document.require_something()?;
        let required = document.required(&principals, read_file)?;
        let advisories = document.advisories(&principals, read_file)?;
        let image = document.image()?;
        Ok(Self {
            digest: digest(bytes, &principals, {
                let modules = required.iter().flat_map(Required::modules);
                let answers = advisories.iter().flat_map(Advisories::files);
                root.iter().chain(modules).chain(answers)
            }),
            advisories,
            repository: document.repository()?,
            signatures: document.quorum(&principals)?,
            without_repository: document.signatures.without_repository,
            evidence: document.evidence()?,
            countersigners: document.countersigners(&principals)?,
            attesters: document.attesters(&principals)?,
            attestations: document.attestations()?,
            rebuild: document.rebuild(),
            parameters: document.parameters(image.as_ref())?,
            image,
            commit: document.commit()?,
            directory: document.directory(),
            verifier_id: document.verifier.map(|verifier| verifier.id),
            builder_id: document.builder.id,
            build_type: document.builder.build_type,
            source_uri: document.source.uri,
            required,
            principals,
        })
    }

    /// The policy with the paths of directories that are read later below `folder`.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Self {
        if let Some(advisories) = &mut self.advisories {
            advisories.database = folder.join(&advisories.database);
        }
        self
    }

    /// The digest that verdicts name: SHA-256 over lines of hexadecimal digits, first the digest of the
    /// document, then the digest of each principal's key in order, then the digest of the trusted root, if the
    /// policy names one, then the digest of each Rego module in order, then the digest of each VEX document in order. A policy that names files has another digest if a
    /// file has another key, root, module or document. Advisories are not part of it: they change daily.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The repository of the image.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Other repositories that may have signatures and statements about the image.
    pub fn evidence(&self) -> &[Repository] {
        self.evidence.repositories()
    }

    /// The URI of the verifier, for verdicts.
    pub fn verifier_id(&self) -> Option<&str> {
        self.verifier_id.as_deref()
    }

    /// The principals.
    pub fn principals(&self) -> &Principals {
        &self.principals
    }

    /// Whether a statement with `predicate` is required.
    pub fn demands(&self, predicate: &Predicate) -> Demand {
        match self.attestations.contains(predicate) {
            true => Demand::Required,
            false => Demand::NotRequired,
        }
    }

    /// The rules that must have findings: those of every policy, one for countersignatures if the policy requires any, one
    /// for each required attestation, and one for advisories if the policy has a database.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Rule> {
        let countersigners = self.countersigners.as_ref();
        let countersigners = countersigners.map(|_| Rule::Countersignatures);
        let attestations = (0..self.required.len()).map(Rule::Attestation);
        let advisories = self.advisories.iter().map(|_| Rule::Advisories);
        Rule::all()
            .chain(countersigners)
            .chain(attestations)
            .chain(advisories)
    }

    /// The name of the principal with this identity.
    pub fn name_of(&self, identity: &Identity) -> &str {
        let principal = self.principals.with_identity(identity);
        principal.map_or("(unknown)", |principal| &principal.name)
    }
}

fn digest<'a>(
    document: &[u8],
    principals: &Principals,
    files: impl Iterator<Item = &'a Digest>,
) -> Digest {
    let mut lines = format!("{}\n", Digest::of(document).hex());
    for key in principals.iter().filter_map(Principal::key) {
        lines += &format!("{}\n", key.key_id().hex());
    }
    for file in files {
        lines += &format!("{}\n", file.hex());
    }
    Digest::of(lines.as_bytes())
}

#[cfg(test)]
pub(crate) mod tests;
