use content::InvalidDigest;
use content::json::JsonError;

use crate::event_log::Register;
use crate::launch_policy::Violation;

/// A signature that does not verify. The caller's cryptography gives no further cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// What cannot be read, or must not be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event log is larger than [`content::limits::EVENT_LOG`].
    #[error("reading event log: {size} bytes are over the limit of {limit}")]
    EventLogSize {
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The log ends inside an event.
    #[error("reading event log: the event at byte {offset} is cut off")]
    EventCutOff {
        /// Where the event begins, in bytes.
        offset: usize,
    },
    /// A field of another type than a record has in this place.
    #[error("reading event log: expected type {expected} at byte {offset}, found {found}")]
    EventRecord {
        /// Where the field begins, in bytes.
        offset: usize,
        /// The type expected.
        expected: u8,
        /// The type found.
        found: u8,
    },
    /// A record with another number than its place in the log.
    #[error("reading event log: the record at byte {offset} is not numbered {number}")]
    EventNumber {
        /// Where the record begins, in bytes.
        offset: usize,
        /// Its place, counted from 0.
        number: u64,
    },
    /// A record of another register than the log is of.
    #[error("reading event log: expected {register} at byte {offset}, found another register")]
    EventRegister {
        /// Where the field begins, in bytes.
        offset: usize,
        /// The register expected.
        register: Register,
    },
    /// A record without its register's digest, or with one that is not its event's.
    #[error("reading event log: the digests of the record at byte {offset} are not its event's")]
    EventMeasured {
        /// Where the record begins, in bytes.
        offset: usize,
    },
    /// More bytes in a record than its event has.
    #[error("reading event log: the event at byte {offset} has bytes after its end")]
    EventTrailing {
        /// Where the record begins, in bytes.
        offset: usize,
    },
    /// An event of a type that nobody has defined.
    #[error("reading event: type {0} is not known")]
    EventType(u8),
    /// The content of an event is not what its type holds.
    #[error("reading event: type {kind} does not hold {expected}")]
    EventContent {
        /// The event's type.
        kind: u8,
        /// What its content should have been.
        expected: &'static str,
    },
    /// The digest in an event is none.
    #[error("reading event: type {kind}: {source}")]
    EventDigest {
        /// The event's type.
        kind: u8,
        /// What is wrong with the digest.
        source: InvalidDigest,
    },
    /// An event that may occur once occurs again.
    #[error("replaying events: type {0} occurs twice")]
    EventTwice(u8),
    /// An event that must occur does not.
    #[error("replaying events: type {0} is missing")]
    EventMissing(u8),
    /// An event after the launch separator: the container may have written it.
    #[error("replaying events: type {0} comes after the launch separator")]
    EventAfterSeparator(u8),
    /// A variable whose name is not `[a-zA-Z_][a-zA-Z0-9_]*`, or without `=`. Its value may be a
    /// secret and is not repeated.
    #[error("reading environment variable: {0:?} is not a name")]
    VariableName(String),
    /// A restart policy that does not exist.
    #[error("reading restart policy: expected Never, Always or OnFailure, found {0:?}")]
    RestartPolicy(String),
    /// A label of the image that a launcher cannot read.
    #[error("reading launch policy: {0}")]
    Label(#[from] crate::launch_policy::LabelError),
    /// A launch that the image's launch policy does not allow.
    #[error("checking launch policy: {0}")]
    Launch(#[from] Violation),
    /// The token is larger than [`content::limits::TOKEN`].
    #[error("parsing token: {size} bytes are over the limit of {limit}")]
    TokenSize {
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A token has three parts with a dot between them.
    #[error("parsing token: not three parts")]
    TokenParts,
    /// A part of the token is not unpadded base64url.
    #[error("parsing token: the {part} is not unpadded base64url")]
    TokenBase64 {
        /// `header`, `payload` or `signature`.
        part: &'static str,
    },
    /// The header is not what it must be.
    #[error("parsing token: header: {0}")]
    TokenHeader(#[source] JsonError),
    /// An algorithm that the issuer does not use.
    #[error("parsing token: expected algorithm RS256, found {0:?}")]
    TokenAlgorithm(String),
    /// Another kind of token.
    #[error("parsing token: expected type JWT, found {0:?}")]
    TokenType(String),
    /// The header has extensions that must be understood.
    #[error("parsing token: the header has critical extensions")]
    TokenCritical,
    /// The signature does not hold.
    #[error("verifying token: {0}")]
    TokenSignature(#[source] BadSignature),
    /// The payload is not what it must be.
    #[error("reading claims: {0}")]
    Claims(#[source] JsonError),
    /// Somebody else signed.
    #[error("checking issuer: expected {expected}, found {found:?}")]
    Issuer {
        /// Who should have.
        expected: String,
        /// Who has.
        found: String,
    },
    /// The token is for somebody else, or not for one alone.
    #[error("checking audience: expected {expected}, found {found:?}")]
    Audience {
        /// Whom it should be for.
        expected: String,
        /// Whom it is for.
        found: Vec<String>,
    },
    /// The token holds no longer.
    #[error("checking time: expired at {expires_at}, now it is {at}")]
    Expired {
        /// When it was looked at, in Unix seconds.
        at: u64,
        /// When it expired, in Unix seconds.
        expires_at: u64,
    },
    /// The token does not hold yet.
    #[error("checking time: holds from {from}, now it is {at}")]
    NotYet {
        /// When it was looked at, in Unix seconds.
        at: u64,
        /// From when it holds, in Unix seconds.
        from: u64,
    },
    /// A nonce that was asked for is not in the token.
    #[error("checking nonces: {0:?} is missing")]
    Nonce(String),
    /// No Confidential Space.
    #[error("checking swname: expected CONFIDENTIAL_SPACE, found {found:?}")]
    Software {
        /// The claim.
        found: Option<String>,
    },
    /// No container was measured.
    #[error("reading claims: no container")]
    Container,
    /// The digest of the image is none.
    #[error("reading claims: image_digest: {0}")]
    ImageDigest(#[source] InvalidDigest),
    /// The key set is not what it must be.
    #[error("reading key set: {0}")]
    KeySet(#[source] JsonError),
    /// Two keys with one identifier.
    #[error("reading key set: two keys are {0:?}")]
    KeyTwice(String),
    /// Modulus or exponent is not a number in unpadded base64url.
    #[error("reading key set: key {0:?} is no RSA key")]
    KeyNumber(String),
    /// A key, or a token's header, without an identifier.
    #[error("choosing key: no key identifier")]
    KeyUnnamed,
    /// The token was signed by a key that the issuer does not publish.
    #[error("choosing key: the issuer has no key {0:?}")]
    KeyUnknown(String),
    /// The discovery document is not what it must be.
    #[error("reading discovery: {0}")]
    Discovery(#[source] JsonError),
    /// A name that cannot stand in a condition.
    #[error("writing condition: {0:?} is not a name")]
    ConditionText(String),
    /// A condition that no provider takes.
    #[error("writing condition: {size} bytes are over the limit of {limit}")]
    ConditionSize {
        /// Bytes needed.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// An audience that cannot be one collaborator's own.
    #[error("writing provider: {0:?} cannot be an audience of one's own")]
    ConditionAudience(String),
}
