//! Which signatures with keys are verified. Without evidence, those of all algorithms of the key. With evidence
//! `sigstore-verify` verifies, which derives one algorithm from the type of the key and the bundle's digest.

use signature::{Algorithm, Encoding, Hash, KeyType, PublicKey};
use sigstore_verify::types::{HashAlgorithm, MessageSignature, SignatureContent};

use crate::bundle::Bundle;
use crate::{Artifact, Reason, Refusal};

/// Checks that `sigstore-verify` judges a signature with `key` as the key's own algorithms do.
pub(crate) fn check(
    content: &SignatureContent,
    artifact: &Artifact<'_>,
    key: &PublicKey,
) -> Result<(), Refusal> {
    let only = of_library(content, key.key_type()).ok_or_else(|| {
        let kind = key.key_type();
        unsupported(format!(
            "with log entries or timestamps, a key of type {kind} is not supported, or not with this digest"
        ))
    })?;
    let supported = format!("with log entries or timestamps, only {only} is supported");
    if !key.algorithms().any(|algorithm| algorithm == only) {
        let names: Vec<_> = key.algorithms().map(|name| name.to_string()).collect();
        let names = names.join(" or ");
        return Err(unsupported(format!(
            "the key signs with {names}; {supported}"
        )));
    }
    let by_library = key.clone().with_algorithm(only);
    let by_library = by_library.map_err(|error| unsupported(error.to_string()))?;
    let is_other = check_signature(content, artifact, &by_library).is_err()
        && check_signature(content, artifact, key).is_ok();
    match is_other {
        true => Err(unsupported(format!(
            "signed with another algorithm; {supported}"
        ))),
        false => Ok(()),
    }
}

/// Checks that a signature with a certificate is over a digest that `sigstore-verify` compares with log entries: it knows
/// no other in an entry of kind `hashedrekord`.
pub(crate) fn check_logged(bundle: &Bundle) -> Result<(), Refusal> {
    let SignatureContent::MessageSignature(message) = &bundle.inner().content else {
        return Ok(());
    };
    let stated = message.message_digest.as_ref();
    match stated.map(|stated| stated.algorithm) {
        Some(found) if found != HashAlgorithm::Sha2256 && !bundle.entries().is_empty() => {
            Err(unsupported(format!(
                "with log entries, only a signature over SHA2_256 is supported, found one over {found}"
            )))
        }
        _ => Ok(()),
    }
}

/// The algorithm that `sigstore-verify` verifies (`KeyAlgorithm::resolve_signing_scheme` in `sigstore-crypto`).
fn of_library(content: &SignatureContent, key_type: KeyType) -> Option<Algorithm> {
    let stated = match content {
        SignatureContent::MessageSignature(message) => message.message_digest.as_ref(),
        _ => None,
    };
    let stated = stated.map(|stated| hash(stated.algorithm));
    let ecdsa = |hash| Algorithm::Ecdsa {
        hash,
        encoding: Encoding::Der,
    };
    match (key_type, stated) {
        (KeyType::Ed25519, _) => Some(Algorithm::Ed25519),
        (KeyType::P521 | KeyType::RsaPss { .. }, _) | (_, Some(None)) => None,
        (KeyType::P256 | KeyType::P384, Some(Some(Hash::Sha512))) => None,
        (KeyType::P256 | KeyType::P384, Some(Some(hash))) => Some(ecdsa(hash)),
        (KeyType::P256, None) => Some(ecdsa(Hash::Sha256)),
        (KeyType::P384, None) => Some(ecdsa(Hash::Sha384)),
        (KeyType::Rsa { .. }, stated) => {
            let hash = stated.flatten().unwrap_or(Hash::Sha256);
            Some(Algorithm::RsaPkcs1 { hash })
        }
    }
}

/// Checks that `key` made the signature, with one of its algorithms.
pub(crate) fn check_signature(
    content: &SignatureContent,
    artifact: &Artifact<'_>,
    key: &PublicKey,
) -> Result<(), Refusal> {
    let verified = match content {
        SignatureContent::MessageSignature(message) => {
            return check_message(message, artifact, key);
        }
        SignatureContent::DsseEnvelope(envelope) => {
            key.verify(&envelope.pae(), envelope.signature.sig.as_bytes())
        }
        _ => return Err(unsupported("the bundle has an unknown kind of content")),
    };
    verified.map_err(|error| Refusal::new(Reason::Signature, error.to_string()))
}

fn check_message(
    message: &MessageSignature,
    artifact: &Artifact<'_>,
    key: &PublicKey,
) -> Result<(), Refusal> {
    let signature = message.signature.as_bytes();
    let verified = match artifact {
        Artifact::Bytes(bytes) => key.verify(bytes, signature),
        Artifact::Digest(digest) => {
            let signed = |hash: &Hash| key.algorithms().any(|one| one.hash() == Some(*hash));
            let hash = hash(digest.algorithm()).filter(signed).ok_or_else(|| {
                let found = digest.algorithm();
                let detail = format!("the key does not sign with {found}; pass the artifact");
                Refusal::new(Reason::ArtifactForm, detail)
            })?;
            key.verify_digest(hash, digest.as_bytes(), signature)
        }
    };
    verified.map_err(|error| Refusal::new(Reason::Signature, error.to_string()))
}

fn hash(algorithm: HashAlgorithm) -> Option<Hash> {
    match algorithm {
        HashAlgorithm::Sha2256 => Some(Hash::Sha256),
        HashAlgorithm::Sha2384 => Some(Hash::Sha384),
        HashAlgorithm::Sha2512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn unsupported(detail: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Unsupported, detail)
}
