//! Finds signatures of the image in the repositories that the operator names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, limits};
use oci::{Descriptor, Manifest, Repository, Tag};
use remote::{Registry, Transport};

use super::account::Caller;

/// The annotation with the signature of a layer (cosign, `SIGNATURE_SPEC.md`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A signature that was found. The attestation service verifies it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The signature over the payload.
    pub signature: Vec<u8>,
}

/// Searches repositories for signatures.
pub struct Discovery {
    /// The repositories that the operator names.
    pub repositories: Vec<Repository>,
    /// How registries are reached.
    pub transport: Transport,
    /// The digest of the signed image.
    pub image: Digest,
    /// Who the launcher is to registries.
    pub caller: Caller,
}

/// Why signatures cannot be fetched from a repository.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The registry cannot be reached, or answers with an error.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// The content of the tag is not a manifest.
    #[error(transparent)]
    Image(#[from] oci::Error),
    /// A layer has no signature.
    #[error("reading layer {0}: no annotation with a signature in base64")]
    Annotation(Digest),
}

impl DiscoveryError {
    /// Whether the error concerns one layer only, and not the registry.
    fn is_of_the_layer(&self) -> bool {
        use remote::Error::{Limit, NotFound, SizeMismatch};
        match self {
            Self::Annotation(_) => true,
            Self::Remote(error) => {
                matches!(error, Limit { .. } | NotFound { .. } | SizeMismatch { .. })
            }
            Self::Image(_) => false,
        }
    }
}

impl Discovery {
    /// Fetches all signatures. Each failure is reported, and the others are returned, as the launcher
    /// does.
    pub async fn signatures(
        &self,
        report: &(dyn Fn(&Repository, DiscoveryError) + Send + Sync),
    ) -> Vec<Signature> {
        let mut found = Vec::new();
        for repository in &self.repositories {
            let report = |error| report(repository, error);
            match self.signatures_in(repository, &report).await {
                Ok(signatures) => found.extend(signatures),
                Err(error) => report(error),
            }
        }
        found.truncate(limits::SIGNATURES);
        found
    }

    /// Fetches the signatures in one repository. Every user with write access can add a layer to the
    /// signatures of others, so an invalid layer is reported and left out.
    async fn signatures_in(
        &self,
        repository: &Repository,
        report: &(dyn Fn(DiscoveryError) + Send + Sync),
    ) -> Result<Vec<Signature>, DiscoveryError> {
        let registry = self.caller.connect(repository, &self.transport)?;
        let tag = Tag::of_digest(&self.image, ".sig")?;
        let Some(bytes) = registry.manifest_by_tag(&tag).await? else {
            return Ok(Vec::new());
        };
        let manifest = Manifest::parse(&bytes)?;
        let mut found = Vec::new();
        for layer in manifest.layers.iter().take(limits::SIGNATURES) {
            match signature(&registry, layer).await {
                Ok(signature) => found.push(signature),
                Err(error) if error.is_of_the_layer() => report(error),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

async fn signature(registry: &Registry, layer: &Descriptor) -> Result<Signature, DiscoveryError> {
    let text = layer.annotations.get(SIGNATURE);
    let signature = text.and_then(|text| STANDARD.decode(text).ok());
    Ok(Signature {
        signature: signature.ok_or(DiscoveryError::Annotation(layer.digest))?,
        payload: registry.blob(layer, limits::PAYLOAD).await?,
    })
}
