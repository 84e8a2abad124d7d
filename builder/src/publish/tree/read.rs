//! Reads what was fetched. Keys are those that the user names, and those that payloads name: a signature that verifies with
//! the latter was made by the owner of that key, who need not be known.

use attest::predicate::COSIGN_SIGN;
use attest::{PredicateType, Statement};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyless::Annotations;
use oci::{ImageRef, media};
use serde_json::Value;
use signature::bundle::{self, Bundle, SignedWith};
use signature::envelope::Envelope;
use signature::simple_signing::{Payload, signature_algorithm};
use signature::{Algorithm, Encoding, Hash, PublicKey};

use super::{Fetched, Item, Kind, Layer, Layout, Named, Place, Signer, Tree, readers};

/// Annotations of a legacy layer (cosign, `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// The number of keys that are taken from payloads: each is tried with each signature.
const CLAIMED_KEYS: usize = 32;

/// A key that signatures are verified with.
struct Known {
    name: Option<String>,
    key: PublicKey,
}

/// Reads what was fetched of an image, and says what each reader sees.
pub fn read(fetched: Fetched, named: Vec<Named>) -> Tree {
    let mut reader = Reader {
        keys: known(&fetched.layers, named),
        image: &fetched.image,
        notes: fetched.notes,
    };
    let items: Vec<Item> = fetched
        .layers
        .iter()
        .map(|layer| reader.item(layer))
        .collect();
    Tree {
        image: fetched.image.to_string(),
        size: fetched.size,
        readers: readers::summaries(&items),
        items,
        notes: reader.notes,
    }
}

/// The keys that the user names, then those that payloads name.
fn known(layers: &[Layer], named: Vec<Named>) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let given = named
        .into_iter()
        .map(|Named { name, key }| (Some(name), key));
    let payloads = layers.iter().filter(|layer| is_payload(layer));
    let payloads = payloads.filter_map(|layer| Payload::parse_signed(layer.bytes.as_deref()?).ok());
    let claimed = payloads.filter_map(|payload| Some((None, payload.named_key()?.0)));
    let most = given.len() + CLAIMED_KEYS;
    for (name, key) in given.chain(claimed) {
        if known.len() < most && !known.iter().any(|found| found.key.key_id() == key.key_id()) {
            known.push(Known { name, key });
        }
    }
    known
}

fn is_payload(layer: &Layer) -> bool {
    layer.descriptor.media_type == media::SIMPLE_SIGNING
}

struct Reader<'a> {
    keys: Vec<Known>,
    image: &'a ImageRef,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn item(&mut self, layer: &Layer) -> Item {
        let item = other(layer);
        let Some(bytes) = &layer.bytes else {
            return item;
        };
        let read = match layer.descriptor.media_type.as_str() {
            media::SIMPLE_SIGNING => self.payload(layer, bytes, item),
            media::DSSE_ENVELOPE => self.envelope(layer, bytes, item),
            _ => self.bundle(bytes, item),
        };
        read.unwrap_or_else(|reason| {
            let digest = layer.descriptor.digest;
            self.notes.push(format!(
                "{digest} ({}) cannot be read: {reason}",
                layer.place
            ));
            other(layer)
        })
    }

    fn payload(&mut self, layer: &Layer, bytes: &[u8], item: Item) -> Result<Item, String> {
        let payload = Payload::parse_signed(bytes).map_err(|error| error.to_string())?;
        let annotation = |name: &str| layer.descriptor.annotations.get(name);
        let signature = annotation(SIGNATURE).and_then(|text| BASE64.decode(text).ok());
        let signature = signature.ok_or("its annotation has no signature in base64")?;
        if payload.image_digest() != layer.about {
            return Err(format!("its payload is for {}", payload.image_digest()));
        }
        let verified = self.verified(|key| key.verify(bytes, &signature).is_ok());
        let names_key = verified.first().is_some_and(|(_, key)| payload.names(key));
        let signers = match (verified.is_empty(), annotations(layer)) {
            (true, Some(found)) => vec![certificate(keyless::signature(&found))],
            (true, None) => vec![Signer::Unknown],
            (false, _) => verified.into_iter().map(|(signer, _)| signer).collect(),
        };
        let kind = match layer.about == self.image.digest {
            true => Kind::Signature,
            false => Kind::SbomSignature,
        };
        let names_repository = self.image.repository.is_named(payload.repository());
        self.note_repository(&signers, names_repository);
        Ok(Item {
            kind,
            layout: Layout::Legacy,
            signers,
            names_key,
            ..item
        })
    }

    fn envelope(&mut self, layer: &Layer, bytes: &[u8], item: Item) -> Result<Item, String> {
        let envelope = Envelope::parse(bytes).map_err(|error| error.to_string())?;
        let item = Item {
            layout: Layout::Legacy,
            ..item
        };
        let is_known = !self.verified(|key| envelope.verify(key).is_ok()).is_empty();
        match annotations(layer).filter(|_| !is_known) {
            Some(found) => self.certified(keyless::attestation(bytes, &found), item),
            None => self.statement(&envelope, Signer::Unknown, item),
        }
    }

    fn bundle(&mut self, bytes: &[u8], item: Item) -> Result<Item, String> {
        let layout = Layout::Bundle;
        let item = Item { layout, ..item };
        match bundle::signed_with(bytes) {
            Some(SignedWith::Certificate) => self.certified(keyless::Bundle::parse(bytes), item),
            Some(SignedWith::Key(id)) => {
                let bundle = Bundle::parse(bytes).map_err(|error| error.to_string())?;
                let hinted = id.map(|id| Signer::Hinted { key_id: id.hex() });
                self.statement(bundle.envelope(), hinted.unwrap_or(Signer::Unknown), item)
            }
            None => Err("it is not a bundle that is signed with a key or a certificate".to_owned()),
        }
    }

    /// A bundle with a certificate. Neither the certificate nor the signature is verified here.
    fn certified(
        &mut self,
        bundle: Result<keyless::Bundle, keyless::Refusal>,
        item: Item,
    ) -> Result<Item, String> {
        let bundle = bundle.map_err(|refusal| refusal.to_string())?;
        let payload = bundle.payload().map(<[u8]>::to_vec);
        let signers = vec![certificate(Ok(bundle))];
        match payload {
            Some(payload) => self.about_image(&payload, signers, item),
            None => Ok(Item { signers, ..item }),
        }
    }

    fn statement(
        &mut self,
        envelope: &Envelope,
        otherwise: Signer,
        item: Item,
    ) -> Result<Item, String> {
        let verified = self.verified(|key| envelope.verify(key).is_ok());
        let Some((_, key)) = verified.first() else {
            return Ok(Item {
                signers: vec![otherwise],
                ..item
            });
        };
        let payload = envelope.verify(key).map_err(|error| error.to_string())?;
        let signers: Vec<_> = verified.iter().map(|(signer, _)| signer.clone()).collect();
        self.about_image(payload, signers, item)
    }

    /// A statement by these signers, which must be about the image.
    fn about_image(
        &mut self,
        payload: &[u8],
        signers: Vec<Signer>,
        item: Item,
    ) -> Result<Item, String> {
        let statement = Statement::<Value>::parse(payload).map_err(|error| error.to_string())?;
        let hex = self.image.digest.hex();
        let subjects = statement.subject.iter();
        let mut same = subjects.filter(|subject| subject.digest.get("sha256") == Some(&hex));
        let named = |name: &Option<String>| {
            let name = name.as_ref();
            name.is_some_and(|name| self.image.repository.is_named(name))
        };
        let Some(subject) = same.next() else {
            return Err("its statement is about another image".to_owned());
        };
        let names_repository = named(&subject.name) || same.any(|subject| named(&subject.name));
        self.note_repository(&signers, names_repository);
        Ok(Item {
            kind: kind_of(&statement.predicate_type),
            signers,
            ..item
        })
    }

    fn note_repository(&mut self, signers: &[Signer], names_repository: bool) {
        let known = signers
            .iter()
            .filter(|signer| matches!(signer, Signer::Key { .. } | Signer::Certificate { .. }));
        for signer in known.filter(|_| !names_repository) {
            self.notes.push(format!(
                "a signature by {signer} does not name the repository: `verifier` counts it only if the policy says so"
            ));
        }
    }

    /// The keys with which a signature verifies, each with the algorithm of the signature.
    fn verified(&self, verifies: impl Fn(&PublicKey) -> bool) -> Vec<(Signer, PublicKey)> {
        let found = self.keys.iter().filter_map(|known| {
            let all = known.key.algorithms().chain(algorithms());
            let mut keys = all.filter_map(|algorithm| {
                let key = known.key.clone().with_algorithm(algorithm).ok()?;
                Some((algorithm, key))
            });
            let (algorithm, key) = keys.find(|(_, key)| verifies(key))?;
            let signer = Signer::Key {
                key_id: key.key_id().hex(),
                name: known.name.clone(),
                key_type: key.key_type().to_string(),
                algorithm: algorithm.to_string(),
                is_default: key.key_type().default_algorithms().first() == Some(&algorithm),
                is_read_in_confidential_space: signature_algorithm(&key).is_some(),
            };
            Some((signer, key))
        });
        found.collect()
    }
}

/// The algorithms that a signature may have besides those of the key's type. Nothing is judged by it, so the type does not limit
/// them.
fn algorithms() -> impl Iterator<Item = Algorithm> {
    let hashes = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
    let hashed = hashes.into_iter().flat_map(|hash| {
        let ecdsa = |encoding| Algorithm::Ecdsa { hash, encoding };
        [
            ecdsa(Encoding::Der),
            ecdsa(Encoding::P1363),
            Algorithm::RsaPkcs1 { hash },
            Algorithm::RsaPss { hash, salt: None },
        ]
    });
    hashed.chain([Algorithm::Ed25519, Algorithm::Ed25519ph])
}

/// The annotations of a layer with a certificate, as far as they say who signed.
fn annotations(layer: &Layer) -> Option<Annotations<'_>> {
    let annotation = |name: &str| layer.descriptor.annotations.get(name).map(String::as_str);
    Some(Annotations {
        signature: annotation(SIGNATURE),
        certificate: Some(annotation(CERTIFICATE)?),
        chain: None,
        promise: None,
        timestamp: None,
    })
}

/// Whom the certificate of a bundle names, if it names one.
fn certificate(bundle: Result<keyless::Bundle, keyless::Refusal>) -> Signer {
    let named = bundle.and_then(|bundle| bundle.claimed_signer()).ok();
    let (subject, issuer) = named.map(|named| (named.subject, named.issuer)).unzip();
    let issuer = issuer.filter(|issuer| !issuer.is_empty());
    Signer::Certificate { subject, issuer }
}

/// The item before its content is read.
fn other(layer: &Layer) -> Item {
    let described = &layer.descriptor;
    let kind = match (&layer.claimed_type, &layer.bytes) {
        (Some(claimed), Some(_)) => kind_of(claimed),
        _ if matches!(layer.place.within(), Place::Tag(name) if name.ends_with(".sbom")) => {
            Kind::Sbom(described.media_type.clone())
        }
        _ => {
            let artifact = layer.artifact_type.clone();
            Kind::Other(artifact.unwrap_or_else(|| described.media_type.clone()))
        }
    };
    Item {
        place: layer.place.clone(),
        layout: Layout::File,
        kind,
        digest: described.digest,
        size: described.size,
        signers: Vec::new(),
        names_key: false,
    }
}

/// A signature on the image, or the short name of the predicate's type.
fn kind_of(predicate_type: &str) -> Kind {
    match PredicateType::name_of(predicate_type) {
        _ if predicate_type == COSIGN_SIGN => Kind::Signature,
        Some(name) => Kind::Attestation(name.to_owned()),
        None => Kind::Attestation(predicate_type.to_owned()),
    }
}

impl Place {
    /// Where it is attached, in whatever repository.
    pub(super) fn within(&self) -> &Self {
        match self {
            Self::Elsewhere { at, .. } => at.within(),
            within => within,
        }
    }

    /// Whether it is the tag that Confidential Space reads.
    pub(super) fn is_signature_tag(&self) -> bool {
        matches!(self, Self::Tag(name) if name.ends_with(".sig"))
    }
}
