//! The signatures and statements of an image, as the registry lists them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::Digest;
use oci::{Descriptor, Manifest, Reference, Tag};
use remote::{Registry, Transport};
use serde_json::Value;
use signature::PublicKey;
use signature::bundle::Bundle;
use signature::envelope::Envelope;
use signature::simple_signing::Payload;

use super::Release;

/// The largest blob of a signature or statement in bytes.
const LIMIT: u64 = 1 << 20;

impl Release<'_> {
    /// How many signatures and statements the image has, by place, signer and predicate type. One that
    /// neither the builder nor the collaborator has signed fails the test.
    pub fn pieces(&self) -> BTreeMap<String, usize> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let found = runtime.block_on(self.found());
        let mut pieces = BTreeMap::new();
        for piece in found {
            *pieces.entry(piece).or_default() += 1;
        }
        pieces
    }

    async fn found(&self) -> Vec<String> {
        let reference: Reference = self.reference().parse().unwrap();
        let registry = Registry::connect(&reference.repository, &Transport::PlainHttp).unwrap();
        let digest = &self.rehearsal.digest;
        let mut found = Vec::new();
        for layer in tagged(&registry, digest, ".sig").await {
            let bytes = registry.blob(&layer, LIMIT).await.unwrap();
            let signature = &layer.annotations["dev.cosignproject.cosign/signature"];
            let signer = self.signer(|key| {
                let signature = BASE64.decode(signature).unwrap();
                let payload = Payload::verify(&bytes, &signature, key);
                payload.is_ok_and(|payload| payload.image_digest() == *digest)
            });
            found.push(format!("{signer}: signature under the tag"));
        }
        for layer in tagged(&registry, digest, ".att").await {
            let bytes = registry.blob(&layer, LIMIT).await.unwrap();
            let said = self.said(&Envelope::parse(&bytes).unwrap());
            found.push(format!("{said} under the tag"));
        }
        for (_, manifest) in registry.referrers(digest).await.unwrap().manifests {
            let bytes = registry.blob(&manifest.layers[0], LIMIT).await.unwrap();
            let said = self.said(Bundle::parse(&bytes).unwrap().envelope());
            found.push(format!("{said} in a bundle"));
        }
        found
    }

    fn said(&self, envelope: &Envelope) -> String {
        let signer = self.signer(|key| envelope.verify(key).is_ok());
        let payload = envelope.verify(&self.key(signer)).unwrap();
        let statement: Value = serde_json::from_slice(payload).unwrap();
        let kind = statement["predicateType"].as_str().unwrap();
        if kind.contains("verification_summary") {
            let predicate = &statement["predicate"];
            assert_eq!(predicate["verificationResult"], "PASSED");
            assert_eq!(predicate["resourceUri"], self.reference());
            let policy = predicate["policy"]["uri"].as_str().unwrap();
            assert!(policy.starts_with("ni:///sha-256;"), "{policy}");
        }
        format!("{signer}: {kind}")
    }

    fn signer(&self, has_signed: impl Fn(&PublicKey) -> bool) -> &'static str {
        let known = ["builder", "collaborator"];
        let signer = known.into_iter().find(|name| has_signed(&self.key(name)));
        signer.unwrap()
    }

    fn key(&self, name: &str) -> PublicKey {
        let path = self.rehearsal.path(&format!("{name}.pub"));
        PublicKey::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
    }
}

async fn tagged(registry: &Registry, digest: &Digest, suffix: &str) -> Vec<Descriptor> {
    let tag = Tag::of_digest(digest, suffix).unwrap();
    let bytes = registry.manifest_by_tag(&tag).await.unwrap().unwrap();
    Manifest::parse(&bytes).unwrap().layers
}
