use chrono::{DateTime, Utc};
use signature::PublicKey;
use sigstore_verify::types::{self, DerPublicKey, MessageSignature, SignatureContent};
use sigstore_verify::{
    PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier,
};

use crate::bundle::Bundle;
use crate::{
    Artifact, Reason, Refusal, Signer, TrustRoot, Trusted, algorithm, certificate, logs, statement,
};

/// What verification found in a bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    signer: Option<Signer>,
    times: Vec<DateTime<Utc>>,
    statement: Option<Vec<u8>>,
}

impl Verified {
    /// Who signed, if it was with a certificate.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// When the signature existed, as logs and timestamp authorities say. A signature with a key may have no
    /// such time.
    pub fn times(&self) -> &[DateTime<Utc>] {
        &self.times
    }

    /// The statement that was signed, unless the signature is over the artifact itself.
    pub fn statement(&self) -> Option<&[u8]> {
        self.statement.as_deref()
    }
}

/// Verifies that someone whom `trusted` names has signed `artifact`, or a statement with it as a subject: the
/// certificate's chain, names and log; the entry in a transparency log, or, where the root has no such log,
/// a timestamp; and the signature. The time at which the certificate must be valid is that of the log or of the
/// timestamp, never `now`, which only rules out times to come.
///
/// # Errors
/// A check refuses.
pub fn verify_keyless(
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    trusted: &Trusted,
    root: &TrustRoot,
    now: DateTime<Utc>,
) -> Result<Verified, Refusal> {
    let inner = bundle.inner();
    let Some(der) = inner.signing_certificate() else {
        return Err(other_kind("a certificate", "a key"));
    };
    let subject = certificate::subject(der.as_bytes())?;
    check_certificate_log(der.as_bytes(), root)?;
    algorithm::check_logged(bundle)?;
    let verifier = verifier(bundle, root, now)?;
    let result = verifier.verify(
        types::Artifact::from(artifact),
        inner,
        &demanded(trusted, root),
    )?;
    if !trusted.subject.matches(&subject) {
        let detail = format!("expected subject {}, found {subject}", trusted.subject);
        return Err(Refusal::new(Reason::Identity, detail));
    }
    let issuer = trusted.issuer.clone();
    if issuer.as_deref() != result.issuer() {
        let found = result.issuer().unwrap_or_default();
        let detail = format!("expected no issuer, found {found}");
        return Err(Refusal::new(Reason::Issuer, detail));
    }
    let signer = Signer {
        issuer: issuer.unwrap_or_default(),
        subject,
    };
    finish(bundle, &result, root, now, Some(signer))
}

/// Checks that the root has a log of certificates if the certificate says that it is in one: evidence that a bundle has is
/// verified.
fn check_certificate_log(der: &[u8], root: &TrustRoot) -> Result<(), Refusal> {
    match !root.has_certificate_logs() && certificate::is_logged(der)? {
        true => {
            let detail = "the certificate is in a certificate log, and the root has none";
            Err(Refusal::new(Reason::CertificateLog, detail))
        }
        false => Ok(()),
    }
}

/// A verifier with what the root trusts now, if the bundle's logs are among it.
fn verifier(bundle: &Bundle, root: &TrustRoot, now: DateTime<Utc>) -> Result<Verifier, Refusal> {
    logs::check_known(bundle, root)?;
    Verifier::new(&root.at(now)).map_err(|error| {
        let detail = format!("reading trusted root: {error}");
        Refusal::new(Reason::Root, detail)
    })
}

/// The subject is compared afterwards: `sigstore-verify` knows no patterns and no user names.
fn demanded(trusted: &Trusted, root: &TrustRoot) -> VerificationPolicy {
    let mut policy = VerificationPolicy::any_identity();
    if let Some(issuer) = &trusted.issuer {
        policy = policy.require_issuer(issuer);
    }
    if !root.has_logs() {
        policy = policy.skip_tlog_unsafe();
    }
    if !root.has_certificate_logs() {
        policy = policy.skip_sct();
    }
    policy
}

/// Verifies that `key` has signed `artifact`, or a statement with it as a subject. Log entries and
/// timestamps are not needed; those that the bundle contains are verified with `root`. Without them, the signature
/// may have any algorithm of the key. With them, only the one that `sigstore-verify` knows for keys of this type and for
/// the digest that the bundle states, if the key has it: none for P-521, and not Ed25519ph.
///
/// # Errors
/// A check refuses, or there is evidence ([`Bundle::has_evidence`]) and no root.
pub fn verify_key(
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    key: &PublicKey,
    root: Option<&TrustRoot>,
    now: DateTime<Utc>,
) -> Result<Verified, Refusal> {
    if !bundle.is_by_key() {
        return Err(other_kind("a key", "a certificate"));
    }
    if !bundle.has_evidence() {
        return verify_bare(bundle, artifact, key);
    }
    let Some(root) = root else {
        let detail =
            "the bundle has evidence of a log or a timestamp, and no trusted root was given";
        return Err(Refusal::new(Reason::Root, detail));
    };
    algorithm::check(&bundle.inner().content, artifact, key)?;
    let verifier = verifier(bundle, root, now)?;
    let mut policy = PublicKeyVerificationPolicy::new(DerPublicKey::from(key.der()));
    if bundle.entries().is_empty() {
        policy = policy.skip_tlog_unsafe();
    }
    let result = verifier.verify(types::Artifact::from(artifact), bundle.inner(), &policy)?;
    finish(bundle, &result, root, now, None)
}

/// Adds what `sigstore-verify` does not check.
fn finish(
    bundle: &Bundle,
    result: &VerificationResult,
    root: &TrustRoot,
    now: DateTime<Utc>,
    signer: Option<Signer>,
) -> Result<Verified, Refusal> {
    let times: Vec<i64> = result
        .verified_timestamps()
        .iter()
        .map(|time| time.as_second())
        .collect();
    logs::check(bundle, root, &times)?;
    if times.iter().any(|&time| time > now.timestamp()) {
        let detail = "the time of the signature is in the future";
        return Err(Refusal::new(Reason::TimestampTime, detail));
    }
    let times = times
        .into_iter()
        .filter_map(|time| DateTime::from_timestamp(time, 0));
    Ok(Verified {
        signer,
        times: times.collect(),
        statement: bundle.payload().map(<[u8]>::to_vec),
    })
}

/// A bundle without evidence, which `sigstore-verify` refuses.
fn verify_bare(
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    key: &PublicKey,
) -> Result<Verified, Refusal> {
    let content = &bundle.inner().content;
    if let SignatureContent::MessageSignature(message) = content {
        check_stated(message, artifact)?;
    }
    algorithm::check_signature(content, artifact, key)?;
    if let SignatureContent::DsseEnvelope(envelope) = content {
        statement::check_subject(envelope.payload.as_bytes(), artifact)?;
    }
    Ok(Verified {
        signer: None,
        times: Vec::new(),
        statement: bundle.payload().map(<[u8]>::to_vec),
    })
}

/// Checks the digest that a message signature states, if it states one.
fn check_stated(message: &MessageSignature, artifact: &Artifact<'_>) -> Result<(), Refusal> {
    let Some(stated) = &message.message_digest else {
        return Ok(());
    };
    let digest = artifact.digest(stated.algorithm)?;
    match digest.as_bytes() == stated.digest.as_bytes() {
        true => Ok(()),
        false => {
            let detail = "the bundle contains another digest of the artifact";
            Err(Refusal::new(Reason::Artifact, detail))
        }
    }
}

fn other_kind(expected: &str, found: &str) -> Refusal {
    let detail = format!("expected a signature with {expected}, found one with {found}");
    Refusal::new(Reason::SignerKind, detail)
}
