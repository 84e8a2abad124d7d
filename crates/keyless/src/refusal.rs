use std::fmt;

use sigstore_verify::bundle::Error as Structure;
use sigstore_verify::types::Error as Types;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

/// The check that refused a bundle.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The bundle is larger than the limit.
    Size,
    /// The bundle is not strict JSON, or a member has the wrong form.
    Json,
    /// The bundle has more log entries, timestamps, certificates, subjects or digests than the limit.
    Count,
    /// The media type is of no version that is read.
    MediaType,
    /// The bundle has not exactly one signer and one content, or misses what its version requires.
    Structure,
    /// The envelope has not exactly one signature.
    EnvelopeSignatures,
    /// The bundle contains one log entry or one timestamp twice.
    Duplicate,
    /// The bundle is signed with a key where a certificate is expected, or the other way round.
    SignerKind,
    /// The key that must have signed cannot be parsed.
    Key,
    /// The envelope's payload is of another type than an in-toto statement.
    PayloadType,
    /// The payload is no in-toto statement.
    Statement,
    /// The artifact is not what was signed.
    Artifact,
    /// The signature needs another digest of the artifact, or the artifact itself.
    ArtifactForm,
    /// The certificate names another subject.
    Identity,
    /// The certificate names another issuer.
    Issuer,
    /// The certificate cannot be parsed, or does not name exactly one subject.
    Certificate,
    /// The certificate does not chain to an authority that the root trusts for code signing, or a certificate of the
    /// chain, the first included, was not valid when the signature was made.
    CertificateChain,
    /// The time of the signature is outside the validity that the certificate states, although the chain was accepted
    /// for that time.
    CertificateTime,
    /// The certificate is not in a certificate transparency log of the root.
    CertificateLog,
    /// The bundle contains no proof that the signature is in a log.
    LogMissing,
    /// The log entry is of a log that the root does not contain.
    LogUnknown,
    /// The inclusion proof does not lead to the root hash.
    LogProof,
    /// The checkpoint is not signed by the log, or is of another tree.
    LogCheckpoint,
    /// The inclusion promise is not signed by the log.
    LogPromise,
    /// The log entry is of another signature, key or artifact.
    LogEntry,
    /// The log entry cannot be parsed, or is of an unknown kind.
    LogBody,
    /// The root no longer trusted the log when the signature was made, or the machine's clock says that the log's time
    /// is in the future.
    LogTime,
    /// A timestamp is not by an authority of the root, or is of another signature.
    Timestamp,
    /// A timestamp is from outside the period in which the root trusts its authority, or the time of a timestamp or of
    /// a log is after the time that counts as now.
    TimestampTime,
    /// No log and no timestamp authority says when the signature was made.
    TimestampMissing,
    /// The signature is not by this key over these bytes.
    Signature,
    /// An algorithm or a format is not supported.
    Unsupported,
    /// The trusted root is malformed.
    Root,
}

impl Reason {
    /// The name of the reason in reports. It does not change between versions.
    pub fn code(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Json => "json",
            Self::Count => "count",
            Self::MediaType => "media-type",
            Self::Structure => "structure",
            Self::EnvelopeSignatures => "envelope-signatures",
            Self::Duplicate => "duplicate",
            Self::SignerKind => "signer-kind",
            Self::Key => "key",
            Self::PayloadType => "payload-type",
            Self::Statement => "statement",
            Self::Artifact => "artifact",
            Self::ArtifactForm => "artifact-form",
            Self::Identity => "identity",
            Self::Issuer => "issuer",
            Self::Certificate => "certificate",
            Self::CertificateChain => "certificate-chain",
            Self::CertificateTime => "certificate-time",
            Self::CertificateLog => "certificate-log",
            Self::LogMissing => "log-missing",
            Self::LogUnknown => "log-unknown",
            Self::LogProof => "log-proof",
            Self::LogCheckpoint => "log-checkpoint",
            Self::LogPromise => "log-promise",
            Self::LogEntry => "log-entry",
            Self::LogBody => "log-body",
            Self::LogTime => "log-time",
            Self::Timestamp => "timestamp",
            Self::TimestampTime => "timestamp-time",
            Self::TimestampMissing => "timestamp-missing",
            Self::Signature => "signature",
            Self::Unsupported => "unsupported",
            Self::Root => "root",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// Why a bundle is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The check that refused.
    pub reason: Reason,
    /// What was found, in words. It may quote the bundle.
    pub detail: String,
}

impl Refusal {
    /// A refusal by a check.
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { reason, detail }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(reason(&error), error.to_string())
    }
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::IdentityMismatch { .. } => Reason::Identity,
        Error::IssuerMismatch { .. } => Reason::Issuer,
        Error::SignatureInvalid(_) => Reason::Signature,
        Error::ArtifactMismatch(_) => Reason::Artifact,
        Error::UnsupportedArtifact(_) | Error::ArtifactRead(_) => Reason::ArtifactForm,
        Error::Certificate(error) => of_certificate(error),
        Error::TransparencyLog(error) => of_log(error),
        Error::Timestamp(error) => of_timestamp(error),
        Error::InvalidBundle(_) => Reason::Structure,
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
            Reason::Root
        }
        Error::Bundle(error) => of_structure(error),
        Error::Types(error) => of_types(error),
        _ => Reason::Unsupported,
    }
}

fn of_certificate(error: &CertificateError) -> Reason {
    match error {
        CertificateError::Malformed(_) => Reason::Certificate,
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
            Reason::CertificateTime
        }
        CertificateError::Sct(_) => Reason::CertificateLog,
        _ => Reason::CertificateChain,
    }
}

fn of_log(error: &TransparencyLogError) -> Reason {
    match error {
        TransparencyLogError::UnknownLog { .. } => Reason::LogUnknown,
        TransparencyLogError::InclusionProof(_) => Reason::LogProof,
        TransparencyLogError::Checkpoint(_) => Reason::LogCheckpoint,
        TransparencyLogError::InclusionPromise(_) => Reason::LogPromise,
        TransparencyLogError::EntryMismatch(_) => Reason::LogEntry,
        TransparencyLogError::IntegratedTime(_) => Reason::LogTime,
        _ => Reason::LogBody,
    }
}

fn of_timestamp(error: &TimestampError) -> Reason {
    match error {
        TimestampError::OutsideAuthorityValidity { .. } => Reason::TimestampTime,
        TimestampError::NoVerifiedTimestamp(_) => Reason::TimestampMissing,
        _ => Reason::Timestamp,
    }
}

fn of_structure(error: &Structure) -> Reason {
    match error {
        Structure::UnsupportedMediaType(_) => Reason::MediaType,
        Structure::MissingInclusionPromise(_)
        | Structure::MissingInclusionProof(_)
        | Structure::MissingSigningTimeEvidence => Reason::LogMissing,
        Structure::MissingTimestamp => Reason::TimestampMissing,
        Structure::MissingCheckpoint | Structure::CheckpointRootMismatch => Reason::LogCheckpoint,
        Structure::LogIndexOutOfRange { .. } => Reason::LogProof,
        _ => Reason::Structure,
    }
}

fn of_types(error: &Types) -> Reason {
    match error {
        Types::Json(_) => Reason::Json,
        Types::InvalidCheckpoint(_) => Reason::LogCheckpoint,
        Types::InvalidMediaType(_) => Reason::MediaType,
        Types::InvalidHashAlgorithm(_) => Reason::Unsupported,
        _ => Reason::Structure,
    }
}
