use std::sync::LazyLock;

use signature::bundle::Bundle;
use signature::envelope::Envelope;
use signature::simple_signing::Payload;
use signature::{PrivateKey, PublicKey};
use signer::KeyRef;

use crate::check::{accepted, with_text};

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate().expect("random numbers"));

/// A key is read as it was written.
pub fn pem(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let public = accepted(PublicKey::from_pem(text), |key| {
            let again = PublicKey::from_pem(&key.to_pem());
            assert_eq!(again.expect("a written key is valid"), key);
        });
        let private = accepted(PrivateKey::from_pem(text), |key| {
            let written = key.to_pem().expect("keys can be written");
            let again = PrivateKey::from_pem(&written).expect("a written key is valid");
            assert_eq!(again.public(), key.public());
        });
        public | private
    })
}

/// An envelope that is written again has the same bytes again; a new key has not signed it.
pub fn envelope(bytes: &[u8]) -> bool {
    accepted(Envelope::parse(bytes), |envelope| {
        assert!(envelope.verify(KEY.public()).is_err());
        let written = envelope.to_bytes().expect("envelopes can be written");
        let again = Envelope::parse(&written).expect("a written envelope is valid");
        assert_eq!(again.to_bytes().ok(), Some(written));
    })
}

/// A bundle that is written again has the same bytes again.
pub fn sigstore_bundle(bytes: &[u8]) -> bool {
    accepted(Bundle::parse(bytes), |bundle| {
        let write = |bundle: &Bundle| bundle.to_bytes(KEY.public()).expect("a bundle of text");
        let written = write(&bundle);
        let again = Bundle::parse(&written).expect("a written bundle is valid");
        assert_eq!(write(&again), written);
    })
}

/// A payload that a known key has signed: the owner of a key may sign anything.
pub fn payload(bytes: &[u8]) -> bool {
    let signature = KEY.sign(bytes).expect("a signature");
    accepted(
        Payload::verify(bytes, &signature, KEY.public()),
        |payload| {
            payload.names(KEY.public());
        },
    )
}

/// A reference to a key that a user types.
pub fn key_reference(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(text.parse(), |key| {
            if let KeyRef::CloudKms(name) = key {
                let again = format!("gcpkms://{name}").parse().ok();
                assert_eq!(again, Some(KeyRef::CloudKms(name)));
            }
        })
    })
}
