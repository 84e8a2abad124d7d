use content::InvalidDigest;
use content::json::JsonError;

use crate::event_log::Register;
use crate::launch_policy::Violation;

/// A signature does not verify. The caller's cryptography reports no further cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Input that cannot be parsed, or that fails a check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event log is larger than [`content::limits::EVENT_LOG`].
    #[error("reading event log: {size} bytes are over the limit of {limit}")]
    EventLogSize {
        /// The log's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The log ends inside an event.
    #[error("reading event log: the event at byte {offset} is truncated")]
    EventCutOff {
        /// The offset of the event, in bytes.
        offset: usize,
    },
    /// A field of a record has another type than expected.
    #[error("reading event log: expected type {expected} at byte {offset}, found {found}")]
    EventRecord {
        /// The offset of the field, in bytes.
        offset: usize,
        /// The type expected.
        expected: u8,
        /// The type found.
        found: u8,
    },
    /// A record's number is not its position in the log.
    #[error("reading event log: the record at byte {offset} does not have the number {number}")]
    EventNumber {
        /// The offset of the record, in bytes.
        offset: usize,
        /// The record's position, counted from 0.
        number: u64,
    },
    /// A record names another register than the log's.
    #[error("reading event log: expected {register} at byte {offset}, found another register")]
    EventRegister {
        /// The offset of the field, in bytes.
        offset: usize,
        /// The register expected.
        register: Register,
    },
    /// A record lacks the digest for its register, or has a digest that does not match its event.
    #[error("reading event log: the digests of the record at byte {offset} do not match its event")]
    EventMeasured {
        /// The offset of the record, in bytes.
        offset: usize,
    },
    /// A record contains bytes after its event.
    #[error("reading event log: the event at byte {offset} has bytes after its end")]
    EventTrailing {
        /// The offset of the record, in bytes.
        offset: usize,
    },
    /// An event of an unknown type.
    #[error("reading event: unknown type {0}")]
    EventType(u8),
    /// The content of an event is invalid for its type.
    #[error("reading event: expected {expected} as content of type {kind}")]
    EventContent {
        /// The event's type.
        kind: u8,
        /// The content expected.
        expected: &'static str,
    },
    /// The digest in an event is invalid.
    #[error("reading event: type {kind}: {source}")]
    EventDigest {
        /// The event's type.
        kind: u8,
        /// The parser's error.
        source: InvalidDigest,
    },
    /// An event that may occur once occurs twice.
    #[error("replaying events: type {0} occurs twice")]
    EventTwice(u8),
    /// A required event is missing.
    #[error("replaying events: type {0} is missing")]
    EventMissing(u8),
    /// An event follows the launch separator: the container may have written it.
    #[error("replaying events: type {0} comes after the launch separator")]
    EventAfterSeparator(u8),
    /// A variable whose name is not `[a-zA-Z_][a-zA-Z0-9_]*`, or that has no `=`. Its value may be a
    /// secret and is not shown.
    #[error("reading environment variable: invalid name {0:?}")]
    VariableName(String),
    /// An unknown restart policy.
    #[error("reading restart policy: expected Never, Always or OnFailure, found {0:?}")]
    RestartPolicy(String),
    /// A label of the image is invalid for the launcher.
    #[error("reading launch policy: {0}")]
    Label(#[from] crate::launch_policy::LabelError),
    /// The image's launch policy does not allow the launch.
    #[error("checking launch policy: {0}")]
    Launch(#[from] Violation),
    /// The token is larger than [`content::limits::TOKEN`].
    #[error("parsing token: {size} bytes are over the limit of {limit}")]
    TokenSize {
        /// The token's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The token does not have three parts separated by dots.
    #[error("parsing token: expected three parts separated by dots")]
    TokenParts,
    /// A part of the token is not unpadded base64url.
    #[error("parsing token: the {part} is not unpadded base64url")]
    TokenBase64 {
        /// `header`, `payload` or `signature`.
        part: &'static str,
    },
    /// The header is not strict JSON with the expected members.
    #[error("parsing token: header: {0}")]
    TokenHeader(#[source] JsonError),
    /// The algorithm is not the issuer's.
    #[error("parsing token: expected algorithm RS256, found {0:?}")]
    TokenAlgorithm(String),
    /// The token's type is not JWT.
    #[error("parsing token: expected type JWT, found {0:?}")]
    TokenType(String),
    /// The header has critical extensions (RFC 7515, section 4.1.11).
    #[error("parsing token: the header has critical extensions")]
    TokenCritical,
    /// The signature does not verify.
    #[error("verifying token: {0}")]
    TokenSignature(#[source] BadSignature),
    /// The payload is not strict JSON with the expected claims.
    #[error("reading claims: {0}")]
    Claims(#[source] JsonError),
    /// The issuer is another.
    #[error("checking issuer: expected {expected}, found {found:?}")]
    Issuer {
        /// The issuer expected.
        expected: String,
        /// The issuer found.
        found: String,
    },
    /// The token is for another audience, or for several.
    #[error("checking audience: expected {expected}, found {found:?}")]
    Audience {
        /// The audience expected.
        expected: String,
        /// The audiences found.
        found: Vec<String>,
    },
    /// The token has expired.
    #[error("checking time: expired at {expires_at}, the time is {at} (Unix seconds)")]
    Expired {
        /// The time of the check, in Unix seconds.
        at: u64,
        /// The time of expiry, in Unix seconds.
        expires_at: u64,
    },
    /// The token is not valid yet.
    #[error("checking time: not valid before {from}, the time is {at} (Unix seconds)")]
    NotYet {
        /// The time of the check, in Unix seconds.
        at: u64,
        /// The time from which the token is valid, in Unix seconds.
        from: u64,
    },
    /// An expected nonce is not in the token.
    #[error("checking nonces: {0:?} is missing")]
    Nonce(String),
    /// The machine does not run Confidential Space.
    #[error("checking swname: expected CONFIDENTIAL_SPACE, found {found:?}")]
    Software {
        /// The claim `swname`, if present.
        found: Option<String>,
    },
    /// No container was measured.
    #[error("reading claims: no container")]
    Container,
    /// The image digest is invalid.
    #[error("reading claims: image_digest: {0}")]
    ImageDigest(#[source] InvalidDigest),
    /// The key set is not strict JSON with the expected members.
    #[error("reading key set: {0}")]
    KeySet(#[source] JsonError),
    /// Two keys have the same identifier.
    #[error("reading key set: two keys have the identifier {0:?}")]
    KeyTwice(String),
    /// A key's modulus or exponent is not a number in unpadded base64url.
    #[error("reading key set: key {0:?} is not a valid RSA key")]
    KeyNumber(String),
    /// A key or a token's header has no identifier.
    #[error("choosing key: no key identifier")]
    KeyUnnamed,
    /// The token was signed by a key that the issuer does not publish.
    #[error("choosing key: the issuer has no key {0:?}")]
    KeyUnknown(String),
    /// The discovery document is not strict JSON with the expected members.
    #[error("reading discovery: {0}")]
    Discovery(#[source] JsonError),
}
