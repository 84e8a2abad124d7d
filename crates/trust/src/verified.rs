use chrono::{DateTime, Utc};
use keyless::{Artifact, Bundle, Reason, Refusal, Signer, Subject, Trusted, verify_keyless};
use signature::envelope::Envelope;
use signature::simple_signing::Payload;

use crate::{Identity, Principal, Principals};

/// A value that a principal signed. Only verification creates one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified<T> {
    value: T,
    by: Identity,
    at: DateTime<Utc>,
}

/// A payload that no principal signed, or that cannot be parsed.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// No principal's key made the signature.
    #[error("signed with an unknown key, or not at all")]
    UnknownKey,
    /// No principal of the policy signs with certificates.
    #[error("signed with a certificate, and no principal of the policy signs with one")]
    UnknownSubject,
    /// A certificate, its signature or the evidence of logs is refused.
    #[error("{}: {}", .0.reason, .0.detail)]
    Keyless(#[from] Refusal),
    /// The signature is good and the payload is not.
    #[error(transparent)]
    Payload(#[from] signature::Error),
}

impl<T> Verified<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Who signed it.
    pub fn by(&self) -> &Identity {
        &self.by
    }

    /// The same with a reference to the value.
    pub fn as_ref(&self) -> Verified<&T> {
        Verified {
            value: &self.value,
            by: self.by.clone(),
            at: self.at,
        }
    }

    /// The time for which the signature was verified. A signature by a key has no time of its own.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Reads the value further, and keeps who signed it and when that was verified.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn and_then<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified {
            value: read(self.value)?,
            by: self.by,
            at: self.at,
        })
    }
}

impl Principals {
    /// Verifies a simple-signing payload (see [`Payload::verify`]).
    ///
    /// # Errors
    /// No principal signed it, or it cannot be parsed.
    pub fn verify_payload(
        &self,
        bytes: &[u8],
        signature: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<Payload>, Unverified> {
        let mut keys = self.iter().filter_map(Principal::key);
        let signer = keys.find(|key| key.verify(bytes, signature).is_ok());
        let signer = signer.ok_or(Unverified::UnknownKey)?;
        Ok(Verified {
            value: Payload::verify(bytes, signature, signer)?,
            by: Identity::from(signer),
            at: now,
        })
    }

    /// The payload of an envelope, once for each principal that has signed it.
    pub fn verify_envelope<'a>(
        &self,
        envelope: &'a Envelope,
        now: DateTime<Utc>,
    ) -> Vec<Verified<&'a [u8]>> {
        let verified = self.iter().filter_map(|principal| {
            Some(Verified {
                value: envelope.verify(principal.key()?).ok()?,
                by: principal.identity(),
                at: now,
            })
        });
        verified.collect()
    }

    /// Verifies a bundle that is signed with a certificate, over `artifact` or a statement about it. The value
    /// is the statement, if there is one; the time is the earliest that a log or a timestamp authority gives.
    ///
    /// # Errors
    /// The certificate is of no principal, or a check refuses it, the signature or the evidence.
    pub fn verify_certified(
        &self,
        bundle: &Bundle,
        artifact: &Artifact<'_>,
        now: DateTime<Utc>,
    ) -> Result<Verified<Option<Vec<u8>>>, Unverified> {
        let Some(root) = self.root() else {
            return Err(Unverified::UnknownSubject);
        };
        let mut refused: Option<Refusal> = None;
        for signer in self.iter().filter_map(Principal::signer) {
            let trusted = Trusted {
                issuer: Some(signer.issuer.clone()),
                subject: Subject::Exact(signer.subject.clone()),
            };
            let refusal = match verify_keyless(bundle, artifact, &trusted, root, now) {
                Ok(verified) => return by(signer, &verified),
                Err(refusal) => refusal,
            };
            // It may be another principal's. The reason is that of the principal whom the certificate names.
            let is_other = matches!(refusal.reason, Reason::Identity | Reason::Issuer);
            if refused.is_none() || !is_other {
                refused = Some(refusal);
            }
        }
        Err(refused.map_or(Unverified::UnknownSubject, Unverified::from))
    }
}

/// What verification found, as signed by `signer`.
fn by(
    signer: &Signer,
    verified: &keyless::Verified,
) -> Result<Verified<Option<Vec<u8>>>, Unverified> {
    let at = verified.times().iter().min().copied();
    let at = at.ok_or_else(|| Refusal {
        reason: Reason::TimestampMissing,
        detail: "no log and no timestamp authority says when the signature was made".to_owned(),
    })?;
    Ok(Verified {
        value: verified.statement().map(<[u8]>::to_vec),
        by: Identity::from(signer),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::tests::principal;
    use signature::envelope::pae;
    use signature::simple_signing;
    use signature::{Annotations, PrivateKey};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000, 0).unwrap()
    }

    #[test]
    fn a_payload_is_by_the_principal_whose_key_signed_it() {
        let keys = [(); 3].map(|()| PrivateKey::generate().unwrap());
        let [one, two, unknown] = &keys;
        let principals = vec![principal("one", one), principal("two", two)];
        let principals = Principals::new(principals).unwrap();
        let digest = content::Digest::of(b"image");
        let payload = simple_signing::payload(
            "registry/repo",
            &digest,
            two.public(),
            &Annotations::default(),
        )
        .unwrap();
        let signed = two.sign(&payload).unwrap();
        let verified = principals.verify_payload(&payload, &signed, now()).unwrap();
        assert_eq!(verified.value().image_digest(), digest);
        assert_eq!(
            (verified.by(), verified.at()),
            (&two.public().into(), now())
        );
        let signed = unknown.sign(&payload).unwrap();
        let refused = principals.verify_payload(&payload, &signed, now());
        assert!(
            matches!(refused, Err(Unverified::UnknownKey)),
            "{refused:?}"
        );
        let signed = one.sign(b"{}").unwrap();
        let refused = principals.verify_payload(b"{}", &signed, now());
        assert!(
            matches!(refused, Err(Unverified::Payload(_))),
            "{refused:?}"
        );
    }

    #[test]
    fn an_envelope_is_by_each_principal_that_signed_it() {
        let keys = [(); 2].map(|()| PrivateKey::generate().unwrap());
        let [ours, unknown] = &keys;
        let principals = Principals::new(vec![principal("ours", ours)]).unwrap();
        let sealed = |key: &PrivateKey| {
            let signature = key.sign(&pae("type", b"payload")).unwrap();
            Envelope::new("type", b"payload".to_vec(), "", signature)
        };
        let envelope = sealed(ours);
        let [verified] = &principals.verify_envelope(&envelope, now())[..] else {
            panic!("not one signer");
        };
        assert_eq!(*verified.value(), b"payload");
        assert_eq!(
            (verified.by(), verified.at()),
            (&ours.public().into(), now())
        );
        let kept = verified.clone().and_then(|_| Ok::<_, ()>(1)).unwrap();
        assert_eq!((kept.by(), kept.at()), (verified.by(), now()));
        assert_eq!(kept.value(), &1);
        assert!(
            principals
                .verify_envelope(&sealed(unknown), now())
                .is_empty()
        );
    }
}
