//! Signatures that were made elsewhere, without this program: they are checked, and published as its own are.

use attest::predicate::COSIGN_SIGN;
use attest::{Statement, Subject};
use oci::ImageRef;
use serde_json::Value;
use signature::bundle::Bundle;
use signature::envelope::{Envelope, IN_TOTO, parse_pae};
use signature::simple_signing::Payload;
use signature::{PublicKey, detached};

use super::Published;
use super::place::{Place, Shelf};
use crate::{Error, public};

/// The start of what is signed in an envelope (DSSE, protocol.md). No JSON document has it.
const PAE: &[u8] = b"DSSEv1 ";

/// The longest text shown of a member of the payload, in characters.
const SHOWN: usize = 200;

/// A note on a signature whose payload does not name the key.
const UNNAMED: &str = "Confidential Space will not count this signature: its payload does not name the key and its \
                       algorithm, as `builder payload` does";
/// A note on a statement about more than the image.
const SEVERAL: &str = "`verifier` will not count this statement: it has several subjects";
/// A note on a statement without the name of a repository.
const NOWHERE: &str = "`verifier` will not count this statement: it names no repository";

/// A signature that was made elsewhere. It has been verified with the key, and is for the image.
#[derive(Debug)]
pub struct Offline<'a> {
    image: &'a ImageRef,
    key: &'a PublicKey,
    signed: Signed,
    note: Option<&'static str>,
}

#[derive(Debug)]
enum Signed {
    /// A payload of the legacy layout, and the signature over it.
    Payload(Vec<u8>, Vec<u8>),
    /// A statement, and the envelope around it.
    Statement(Box<Statement<Value>>, Envelope),
}

impl<'a> Offline<'a> {
    /// Reads a payload of either layout, as [`payload`](super::payload) makes it for the legacy layout, and as [`pae`]
    /// does for a statement, with the signature over it (see [`detached`]).
    ///
    /// # Errors
    /// [`Error::Refused`] if the payload is not signed by `key`, or is for another image; [`Error::Payload`] if it cannot
    /// be read.
    ///
    /// [`pae`]: signature::envelope::pae
    pub fn signature(
        image: &'a ImageRef,
        key: &'a PublicKey,
        payload: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<Self, Error> {
        let signature = detached(signature);
        if payload.starts_with(PAE) {
            let (kind, statement) = parse_pae(&payload).map_err(unread)?;
            let envelope = Envelope::new(&kind, statement, "", signature);
            return Self::statement(image, key, &envelope);
        }
        let parsed = Payload::parse_signed(&payload).map_err(unread)?;
        key.verify(&payload, &signature).map_err(refused)?;
        check_payload(image, &parsed)?;
        let unnamed = Some(UNNAMED).filter(|_| !parsed.names(key));
        Ok(Self {
            image,
            key,
            note: public::note(key).or(unnamed),
            signed: Signed::Payload(payload, signature),
        })
    }

    /// Reads a DSSE envelope, or a bundle with one. Signatures by other keys are left out.
    ///
    /// # Errors
    /// As [`Offline::signature`].
    pub fn envelope(image: &'a ImageRef, key: &'a PublicKey, bytes: &[u8]) -> Result<Self, Error> {
        let envelope = match Envelope::parse(bytes) {
            Ok(envelope) => envelope,
            Err(error) => match Bundle::parse(bytes) {
                Ok(bundle) => bundle.envelope().clone(),
                Err(of_bundle) => {
                    let reason = format!("{error}; as a bundle: {of_bundle}");
                    return Err(Error::Payload(reason));
                }
            },
        };
        Self::statement(image, key, &envelope)
    }

    fn statement(
        image: &'a ImageRef,
        key: &'a PublicKey,
        envelope: &Envelope,
    ) -> Result<Self, Error> {
        let envelope = envelope.signed_by(key).map_err(refused)?;
        let payload = envelope.verify(key).map_err(refused)?;
        if envelope.payload_type() != IN_TOTO {
            let found = content::printable(envelope.payload_type(), SHOWN);
            return Err(Error::Payload(format!(
                "checking type of payload: expected {IN_TOTO}, found {found}"
            )));
        }
        let statement = Statement::<Value>::parse(payload);
        let statement = statement.map_err(|error| Error::Payload(error.to_string()))?;
        let note = check_subjects(image, &statement)?;
        let signed = Signed::Statement(Box::new(statement), envelope);
        Ok(Self {
            image,
            key,
            signed,
            note,
        })
    }

    /// A note for the user, if Confidential Space or `verifier` does not count the signature.
    pub fn note(&self) -> Option<&'static str> {
        self.note
    }
}

/// Publishes the signature where [`sign_image`](super::sign_image) and [`attest_image`](super::attest_image) publish
/// theirs: a payload under the tag `sha256-<hex>.sig`, a signature's statement in a bundle, any other statement in a bundle
/// and under the tag `sha256-<hex>.att`.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed, or a request to the registry fails.
pub async fn attach<'a>(
    shelf: impl Into<Shelf<'a>>,
    offline: Offline<'a>,
) -> Result<Published, Error> {
    let place = Place::open(shelf.into(), offline.image, offline.key).await?;
    match offline.signed {
        Signed::Payload(payload, signature) => {
            if !place.has_payload(&payload).await? {
                place.append_payload(&payload, &signature).await?;
            }
            Ok(Published::Listed)
        }
        Signed::Statement(statement, envelope) if statement.predicate_type == COSIGN_SIGN => {
            match place.find_in_bundles(&statement).await? {
                Some(_) => Ok(Published::Listed),
                None => place.publish_bundle(COSIGN_SIGN, envelope).await,
            }
        }
        Signed::Statement(statement, envelope) => {
            let stored = place.find(&statement).await?;
            let envelope = stored.any().cloned().unwrap_or(envelope);
            let kind = &statement.predicate_type;
            place.complete(&stored, kind, envelope).await
        }
    }
}

/// Checks that a subject is the image. Returns a note if it names no repository, or is not the only subject.
fn check_subjects(
    image: &ImageRef,
    statement: &Statement<Value>,
) -> Result<Option<&'static str>, Error> {
    let is_same = |subject: &&Subject| {
        let found = subject.digest.get("sha256");
        found.is_some_and(|found| *found == image.digest.hex())
    };
    let (same, others): (Vec<_>, Vec<_>) = statement.subject.iter().partition(is_same);
    if same.is_empty() {
        let found = others.iter().find_map(|other| other.digest.get("sha256"));
        let found = found.map(|hex| format!("sha256:{hex}")).unwrap_or_default();
        return Err(another("digest", &image.digest.to_string(), &found));
    }
    let names: Vec<&str> = same.iter().filter_map(|s| s.name.as_deref()).collect();
    match names.first() {
        None => Ok(Some(NOWHERE)),
        Some(_) if names.iter().any(|name| image.repository.is_named(name)) => {
            Ok(Some(SEVERAL).filter(|_| statement.subject.len() > 1))
        }
        Some(other) => Err(another("repository", &image.repository.to_string(), other)),
    }
}

fn check_payload(image: &ImageRef, payload: &Payload) -> Result<(), Error> {
    let (expected, found) = (image.digest, payload.image_digest());
    if expected != found {
        return Err(another("digest", &expected.to_string(), &found.to_string()));
    }
    match image.repository.is_named(payload.repository()) {
        true => Ok(()),
        false => {
            let expected = image.repository.to_string();
            Err(another("repository", &expected, payload.repository()))
        }
    }
}

/// What is signed is for another image.
fn another(what: &str, expected: &str, found: &str) -> Error {
    let found = content::printable(found, SHOWN);
    Error::Refused(format!(
        "checking {what} of payload: expected {expected}, found \"{found}\""
    ))
}

fn unread(error: signature::Error) -> Error {
    Error::Payload(error.to_string())
}

fn refused(error: signature::Error) -> Error {
    Error::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signature::envelope::pae;
    use signature::{Annotations, PrivateKey};

    use super::*;
    use crate::publish::{payload, signature_statement};

    fn image() -> ImageRef {
        let digest = content::Digest::of(b"image");
        format!("r.example/a@{digest}").parse().unwrap()
    }

    fn attached(key: &PrivateKey, payload: &[u8]) -> Result<Option<&'static str>, Error> {
        let signature = key.sign(payload).unwrap();
        let image = image();
        let offline = Offline::signature(&image, key.public(), payload.to_vec(), signature);
        offline.map(|offline| offline.note())
    }

    #[test]
    fn text_is_escaped_once() {
        let Error::Refused(reason) = another("repository", "a", "b\u{1b}") else {
            panic!("another error");
        };
        let expected = r#"checking repository of payload: expected a, found "b\u{1b}""#;
        assert_eq!(reason, expected);
    }

    fn refusal(result: Result<Option<&'static str>, Error>) -> String {
        match result {
            Err(Error::Refused(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{text}");
        text.replace(from, to).into_bytes()
    }

    #[test]
    fn a_payload_must_be_signed_and_name_the_image() {
        let key = PrivateKey::generate().unwrap();
        let honest = payload(&image(), key.public(), &Annotations::default()).unwrap();
        assert_eq!(attached(&key, &honest).unwrap(), None);
        let other = content::Digest::of(b"other").hex();
        let elsewhere = replaced(&honest, "r.example/a", "r.example/b");
        let moved = replaced(&honest, &image().digest.hex(), &other);
        for (payload, reason) in [
            (elsewhere, "checking repository of payload"),
            (moved, "checking digest of payload"),
        ] {
            let refused = refusal(attached(&key, &payload));
            assert!(refused.starts_with(reason), "{refused}");
        }
        let image = image();
        let stranger = PrivateKey::generate().unwrap().sign(&honest).unwrap();
        let refused = Offline::signature(&image, key.public(), honest, stranger);
        let refused = refusal(refused.map(|_| None));
        assert!(refused.starts_with("verifying signature"), "{refused}");
    }

    #[test]
    fn a_payload_that_does_not_name_the_key_is_noted() {
        let key = PrivateKey::generate().unwrap();
        let other = PrivateKey::generate().unwrap();
        let bytes = payload(&image(), other.public(), &Annotations::default()).unwrap();
        assert_eq!(attached(&key, &bytes).unwrap(), Some(UNNAMED));
    }

    #[test]
    fn a_statement_must_be_signed_and_name_the_image() {
        let key = PrivateKey::generate().unwrap();
        let statement = signature_statement(&image(), &Annotations::default());
        let honest = statement.to_bytes().unwrap();
        let attached = |bytes: &[u8]| attached(&key, &pae(IN_TOTO, bytes));
        assert_eq!(attached(&honest).unwrap(), None);
        let name = r#","name":"r.example/a""#;
        assert_eq!(
            attached(&replaced(&honest, name, "")).unwrap(),
            Some(NOWHERE)
        );
        let other = content::Digest::of(b"other").hex();
        for (from, to, reason) in [
            (
                "r.example/a",
                "r.example/b",
                "checking repository of payload",
            ),
            (&image().digest.hex(), &other, "checking digest of payload"),
            (r#"sha256":"#, r#"sha1":"#, "checking digest of payload"),
        ] {
            let refused = refusal(attached(&replaced(&honest, from, to)));
            assert!(refused.starts_with(reason), "{refused}");
        }
        let mut two = statement;
        two.subject.push(Subject::image("x/y", &image().digest));
        let noted = attached(&two.to_bytes().unwrap()).unwrap();
        assert_eq!(noted, Some(SEVERAL));
    }

    #[test]
    fn what_is_neither_layout_is_an_error() {
        let key = PrivateKey::generate().unwrap();
        let foreign = pae("text/plain", b"x");
        for payload in [&b""[..], b"{}", b"DSSEv1 1 t 2 x", &foreign] {
            let error = attached(&key, payload).unwrap_err();
            assert!(matches!(error, Error::Payload(_)), "{error:?}");
        }
    }

    #[test]
    fn an_envelope_may_be_in_a_bundle_and_have_more_signatures() {
        let [key, other] = [(); 2].map(|()| PrivateKey::generate().unwrap());
        let statement = signature_statement(&image(), &Annotations::default());
        let payload = statement.to_bytes().unwrap();
        let signed = |key: &PrivateKey| {
            let signature = key.sign(&pae(IN_TOTO, &payload)).unwrap();
            Envelope::new(IN_TOTO, payload.clone(), "", signature)
        };
        let bundle = Bundle::new(signed(&key)).to_bytes(key.public()).unwrap();
        let [mut both, more] = [&key, &other]
            .map(|key| serde_json::from_slice::<Value>(&signed(key).to_bytes().unwrap()).unwrap());
        both["signatures"] = json!([more["signatures"][0], both["signatures"][0]]);
        let image = image();
        let certified = replaced(&bundle, r#""publicKey":"#, r#""certificate":"#);
        let error = Offline::envelope(&image, key.public(), &certified).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("found a certificate"), "{error}");
        for bytes in [bundle, both.to_string().into_bytes()] {
            let offline = Offline::envelope(&image, key.public(), &bytes).unwrap();
            let Signed::Statement(_, envelope) = offline.signed else {
                panic!("not a statement");
            };
            assert!(envelope.verify(key.public()).is_ok());
            assert!(envelope.verify(other.public()).is_err());
        }
        let stranger = PrivateKey::generate().unwrap();
        let bytes = signed(&key).to_bytes().unwrap();
        let refused = Offline::envelope(&image, stranger.public(), &bytes);
        assert!(matches!(refused, Err(Error::Refused(_))));
    }
}
