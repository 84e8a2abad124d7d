use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, limits};
use oci::{Descriptor, Manifest, Repository, Tag};
use remote::{Registry, Transport};

/// The annotation that holds a layer's signature (cosign, `SIGNATURE_SPEC.md`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A signature as it was found. Whether it holds is for the attestation service to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The signature over them.
    pub signature: Vec<u8>,
}

/// Where signatures are looked for.
pub struct Discovery {
    /// The repositories that the operator names.
    pub repositories: Vec<Repository>,
    /// How they are reached.
    pub transport: Transport,
    /// The image that must have been signed.
    pub image: Digest,
}

/// Why no signatures came from a repository.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The registry cannot be asked.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// What is under the tag is no manifest.
    #[error(transparent)]
    Image(#[from] oci::Error),
    /// A layer without a signature.
    #[error("reading layer {0}: no annotation with a signature in base64")]
    Annotation(Digest),
}

impl DiscoveryError {
    /// Whether a layer is to blame, and not the registry or the way to it.
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
    /// Fetches all signatures anew. The launcher goes on without those that it cannot get, and so
    /// does this; each failure is reported.
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

    /// Whoever may write to a repository may add a layer to the others' signatures: one that is none
    /// is reported and left out.
    async fn signatures_in(
        &self,
        repository: &Repository,
        report: &(dyn Fn(DiscoveryError) + Send + Sync),
    ) -> Result<Vec<Signature>, DiscoveryError> {
        let registry = Registry::connect(repository, &self.transport)?;
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
