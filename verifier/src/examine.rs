//! Verifies the signatures of published bytes. Only keys of the policy are used: a key, hint or type that is attached
//! to a signature is as untrusted as the signature.

use std::collections::BTreeSet;

use attest::predicate::{COSIGN_SIGN, Purpose};
use attest::{Predicate, Sbom, Statement, sbom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use content::Digest;
use keyless::Artifact;
use serde_json::Value;
use signature::PublicKey;
use signature::bundle::Bundle;
use signature::envelope::{self, Envelope};
use signature::simple_signing::{Payload, signature_algorithm};
use trust::{Principal, Principals, Unverified, Verified};

use crate::damage::{Damage, Part};
use crate::evidence::{Attested, ImageSignature, SignedStatement, Uncounted, Visibility};
use crate::fact::Reason;
use crate::published::{Bom, Carrier, Certified, Form, Piece, Published};
use crate::rule::Rule;

mod logged;

use logged::annotations;

/// Verifies every signature and statement with the keys of all principals, at the time `now`.
pub fn examine(mut published: Published, principals: &Principals, now: DateTime<Utc>) -> Attested {
    refuse_another_image(&mut published);
    let mut examiner = Examiner {
        principals,
        now,
        attested: Attested {
            image: published.image,
            source: published.source,
            contents: published.contents,
            pieces: published.pieces.len(),
            signatures: Vec::new(),
            statements: Vec::new(),
            uncounted: Vec::new(),
            damage: published.damage,
            passed_over: published.passed_over,
        },
    };
    for piece in &published.pieces {
        examiner.piece(piece);
    }
    for bom in &published.boms {
        examiner.bom(bom);
    }
    examiner.attested
}

/// Discards the contents if they are not those of the requested image.
fn refuse_another_image(published: &mut Published) {
    let expected = published.image.digest;
    let found = published
        .contents
        .as_ref()
        .map(|contents| contents.image.image_digest());
    if let Some(found) = found.filter(|found| *found != expected) {
        published.contents = None;
        published.damage.push(Damage {
            what: Part::Manifest,
            expected: expected.into(),
            found: found.into(),
        });
    }
}

struct Examiner<'a> {
    principals: &'a Principals,
    now: DateTime<Utc>,
    attested: Attested,
}

impl Examiner<'_> {
    fn piece(&mut self, piece: &Piece) {
        let found = Digest::of(&piece.bytes);
        if found != piece.digest {
            self.attested.damage.push(Damage {
                what: Part::Piece(piece.carrier.clone()),
                expected: piece.digest.into(),
                found: found.into(),
            });
            return;
        }
        let outcome = match &piece.form {
            Form::SimpleSigning { signature } => self.simple_signing(piece, signature),
            Form::Envelope => self.bare_envelope(piece),
            Form::Bundle if keyless::is_certified(&piece.bytes) => {
                self.certified(piece, keyless::Bundle::parse(&piece.bytes))
            }
            Form::Bundle => Bundle::parse(&piece.bytes)
                .map_err(unverified)
                .and_then(|bundle| self.envelope(piece, bundle.envelope())),
        };
        if let Err(reason) = outcome {
            self.attested.uncounted.push(Uncounted {
                rule: rule_of(piece),
                carrier: piece.carrier.clone(),
                reason,
            });
        }
    }

    /// A bill of materials under the legacy tag. A user who may push can attach one that was signed for another image, so
    /// it never counts, but the report says who signed it.
    fn bom(&mut self, bom: &Bom) {
        let signers = bom.signatures.iter();
        let by: BTreeSet<String> = signers
            .filter_map(|piece| self.signer_of_bom(bom, piece))
            .collect();
        self.attested.uncounted.push(Uncounted {
            rule: Rule::Statement(Sbom::PREDICATE),
            carrier: bom.carrier.clone(),
            reason: Reason::Unbound {
                by: by.into_iter().collect(),
                media_type: bom.media_type.clone(),
            },
        });
    }

    /// The name of the principal whose key signed the digest of the bill of materials.
    fn signer_of_bom(&self, bom: &Bom, piece: &Piece) -> Option<String> {
        let Form::SimpleSigning { signature } = &piece.form else {
            return None;
        };
        let signature = STANDARD.decode(signature).ok()?;
        let verified = self
            .principals
            .verify_payload(&piece.bytes, &signature, self.now)
            .ok()?;
        let signer = self.principals.with_identity(verified.by())?;
        let is_over_it = verified.value().image_digest() == bom.digest;
        is_over_it.then(|| signer.name.clone())
    }

    /// The legacy layout: a signature over the payload's bytes. The certificate that an annotation names counts
    /// only if no key of a principal made the signature.
    fn simple_signing(&mut self, piece: &Piece, encoded: &str) -> Result<(), Reason> {
        let signature = STANDARD.decode(encoded).map_err(unverified)?;
        let verified = self
            .principals
            .verify_payload(&piece.bytes, &signature, self.now);
        let verified = match (verified, &piece.certified) {
            (Err(Unverified::UnknownKey), Some(certified)) if certified.certificate.is_some() => {
                return self.certified_payload(piece, encoded, certified);
            }
            (verified, _) => verified.map_err(unverified)?,
        };
        let signer = self.principals.with_identity(verified.by());
        let signer = signer.ok_or_else(unknown_key)?;
        let signed = verified.and_then(|payload| self.signature(piece, signer, &payload))?;
        self.check_promise(piece, encoded, signer)?;
        self.attested.signatures.push(signed);
        Ok(())
    }

    /// The legacy layout of a statement. Its certificate counts only if no key of a principal made a signature.
    fn bare_envelope(&mut self, piece: &Piece) -> Result<(), Reason> {
        let envelope = Envelope::parse(&piece.bytes).map_err(unverified)?;
        let verified = self.principals.verify_envelope(&envelope, self.now);
        match (&verified[..], &piece.certified) {
            ([], Some(certified)) if certified.certificate.is_some() => {
                let bundle = keyless::attestation(&piece.bytes, &annotations("", certified));
                self.certified(piece, bundle)
            }
            _ => self.by_keys(piece, &envelope, verified),
        }
    }

    fn signature(
        &self,
        piece: &Piece,
        signer: &Principal,
        payload: &Payload,
    ) -> Result<ImageSignature, Reason> {
        self.expect_digest(&signer.name, &payload.image_digest().to_string())?;
        Ok(ImageSignature {
            carrier: piece.carrier.clone(),
            repository: Some(payload.repository().to_owned()),
            in_confidential_space: visibility(&piece.carrier, payload, signer.key()),
        })
    }

    /// The legacy layout with a certificate.
    fn certified_payload(
        &mut self,
        piece: &Piece,
        signature: &str,
        certified: &Certified,
    ) -> Result<(), Reason> {
        let bundle = keyless::signature(&annotations(signature, certified)).map_err(refused)?;
        let payload = Artifact::Bytes(&piece.bytes);
        let verified = self
            .principals
            .verify_certified(&bundle, &payload, self.now);
        let verified = verified.map_err(unverified)?;
        let signer = self.principals.with_identity(verified.by());
        let signer = signer.ok_or_else(unknown_key)?;
        let signed = verified.and_then(|_| {
            let payload = Payload::parse_signed(&piece.bytes).map_err(unverified)?;
            self.signature(piece, signer, &payload)
        });
        self.attested.signatures.push(signed?);
        Ok(())
    }

    /// A statement that is signed with a certificate.
    fn certified(
        &mut self,
        piece: &Piece,
        bundle: Result<keyless::Bundle, keyless::Refusal>,
    ) -> Result<(), Reason> {
        let bundle = bundle.map_err(refused)?;
        let image = Artifact::from(&self.attested.image.digest);
        let verified = self.principals.verify_certified(&bundle, &image, self.now);
        let verified = verified.map_err(unverified)?;
        let payload = verified.as_ref().and_then(|statement| {
            let statement = statement.as_deref();
            statement.ok_or_else(|| unverified("the bundle contains no statement"))
        });
        // Only statements are verified.
        self.signed(piece, envelope::IN_TOTO, payload?)
    }

    fn envelope(&mut self, piece: &Piece, envelope: &Envelope) -> Result<(), Reason> {
        let verified = self.principals.verify_envelope(envelope, self.now);
        self.by_keys(piece, envelope, verified)
    }

    /// An envelope, bare or in a bundle, counts for each principal that has signed it.
    fn by_keys(
        &mut self,
        piece: &Piece,
        envelope: &Envelope,
        verified: Vec<Verified<&[u8]>>,
    ) -> Result<(), Reason> {
        if verified.is_empty() {
            return Err(unknown_key());
        }
        verified
            .into_iter()
            .try_for_each(|payload| self.signed(piece, envelope.payload_type(), payload))
    }

    /// Adds a signed statement. It is a signature on the image only if its predicate type says so; any other
    /// statement has the signed type, wherever it is attached.
    fn signed(
        &mut self,
        piece: &Piece,
        payload_type: &str,
        payload: Verified<&[u8]>,
    ) -> Result<(), Reason> {
        let signer = self.principals.with_identity(payload.by());
        let signer = signer.ok_or_else(unknown_key)?;
        let name = &signer.name;
        if payload_type != envelope::IN_TOTO {
            return Err(Reason::PayloadType {
                by: name.clone(),
                expected: envelope::IN_TOTO,
                found: payload_type.to_owned(),
            });
        }
        let statement = Statement::<Value>::parse(payload.value()).map_err(unverified)?;
        let [subject] = &statement.subject[..] else {
            return Err(Reason::Subjects {
                by: name.clone(),
                found: statement.subject.len(),
            });
        };
        let digest = subject.digest.get("sha256").map_or("none", String::as_str);
        self.expect_digest(name, &format!("sha256:{digest}"))?;
        self.check_evidence(piece, signer)?;
        if statement.predicate_type == COSIGN_SIGN {
            let signature = payload.clone().and_then(|_| {
                Ok::<_, Reason>(ImageSignature {
                    carrier: piece.carrier.clone(),
                    repository: subject.name.clone(),
                    in_confidential_space: Visibility::NotUnderTag,
                })
            });
            self.attested.signatures.push(signature?);
        }
        // Also signatures: one that is attached as provenance must be reported.
        let signed = payload.and_then(|bytes| {
            Ok::<_, Reason>(SignedStatement {
                carrier: piece.carrier.clone(),
                predicate_type: statement.predicate_type,
                claimed_type: piece.claimed_type.clone(),
                payload: bytes.to_vec(),
            })
        });
        self.attested.statements.push(signed?);
        Ok(())
    }

    /// A good signature over another image does not count.
    fn expect_digest(&self, name: &str, found: &str) -> Result<(), Reason> {
        let expected = self.attested.image.digest;
        match expected.to_string() == found {
            true => Ok(()),
            false => Err(Reason::OtherImage {
                by: name.to_owned(),
                expected,
                found: found.to_owned(),
            }),
        }
    }
}

/// A signature with a certificate names no key that Confidential Space could read.
fn visibility(carrier: &Carrier, payload: &Payload, key: Option<&PublicKey>) -> Visibility {
    let is_named = key.is_some_and(|key| payload.names(key));
    match carrier.within() {
        Carrier::Tag(tag) if tag.ends_with(".sig") && is_named => Visibility::Counted,
        Carrier::Tag(tag) if tag.ends_with(".sig") => match key.and_then(signature_algorithm) {
            Some(_) => Visibility::NamesAnother,
            None => Visibility::OtherAlgorithm,
        },
        _ => Visibility::NotUnderTag,
    }
}

/// The rule that a piece may have been meant for, by the type that its carrier claims.
fn rule_of(piece: &Piece) -> Rule {
    let claimed = piece.claimed_type.as_deref();
    if claimed.is_some_and(|claimed| sbom::TYPES.contains(&claimed)) {
        return Rule::Statement(Sbom::PREDICATE);
    }
    let claimed = claimed.and_then(Predicate::with_uri);
    match claimed.filter(|predicate| predicate.purpose == Purpose::Description) {
        Some(predicate) => Rule::Statement(predicate),
        None => Rule::Signatures,
    }
}

fn refused(refusal: keyless::Refusal) -> Reason {
    unverified(Unverified::from(refusal))
}

fn unknown_key() -> Reason {
    unverified(Unverified::UnknownKey)
}

fn unverified(error: impl std::fmt::Display) -> Reason {
    Reason::Unverified(error.to_string())
}
