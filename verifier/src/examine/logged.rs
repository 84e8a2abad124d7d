//! What logs and timestamp authorities say of signatures with keys.

use keyless::{Annotations, Artifact, Refusal, TrustRoot, verify_key};
use signature::PublicKey;
use trust::Principal;

use super::{Examiner, refused};
use crate::fact::Reason;
use crate::published::{Certified, Form, Piece};

impl Examiner<'_> {
    /// Verifies the log entries and timestamps in a bundle that is signed with a key, if the policy names the root of their
    /// logs and authorities. The signature needs none, but does not count with one that is wrong.
    pub(super) fn check_evidence(
        &mut self,
        piece: &Piece,
        signer: &Principal,
    ) -> Result<(), Reason> {
        let (Form::Bundle, Some(key), Some(root)) =
            (&piece.form, signer.key(), self.principals.root())
        else {
            return Ok(());
        };
        let bundle = keyless::Bundle::parse(&piece.bytes).map_err(refused)?;
        let image = Artifact::from(&self.attested.image.digest);
        let judged = self.evidence(&bundle, &image, key, root);
        self.accept(piece, judged)
    }

    fn evidence(
        &self,
        bundle: &keyless::Bundle,
        artifact: &Artifact<'_>,
        key: &PublicKey,
        root: &TrustRoot,
    ) -> Result<(), Refusal> {
        match bundle.has_evidence() {
            true => verify_key(bundle, artifact, key, Some(root), self.now).map(drop),
            false => Ok(()),
        }
    }

    /// Evidence of signatures by some keys cannot be verified. It is noted: such a signature counts, since it would count
    /// without the evidence, which is not signed.
    fn accept(&mut self, piece: &Piece, judged: Result<(), Refusal>) -> Result<(), Reason> {
        match judged {
            Err(refusal) if refusal.reason == keyless::Reason::Unsupported => {
                let (carrier, detail) = (&piece.carrier, refusal.detail);
                let note = format!("log entries and timestamps, {carrier}: {detail}");
                self.attested.passed_over.push(note);
                Ok(())
            }
            judged => judged.map_err(refused),
        }
    }

    /// Verifies what a log or a timestamp authority says of a signature with a key in the legacy layout, as [`Self::check_evidence`].
    pub(super) fn check_promise(
        &mut self,
        piece: &Piece,
        encoded: &str,
        signer: &Principal,
    ) -> Result<(), Reason> {
        let (Some(certified), Some(key), Some(root)) =
            (&piece.certified, signer.key(), self.principals.root())
        else {
            return Ok(());
        };
        let annotations = Annotations {
            certificate: None,
            chain: None,
            ..annotations(encoded, certified)
        };
        let bundle = keyless::signature(&annotations).map_err(refused)?;
        let judged = self.evidence(&bundle, &Artifact::Bytes(&piece.bytes), key, root);
        self.accept(piece, judged)
    }
}

pub(super) fn annotations<'a>(signature: &'a str, certified: &'a Certified) -> Annotations<'a> {
    Annotations {
        signature: Some(signature),
        certificate: certified.certificate.as_deref(),
        chain: certified.chain.as_deref(),
        promise: certified.promise.as_deref(),
        timestamp: certified.timestamp.as_deref(),
    }
}
