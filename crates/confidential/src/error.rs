use content::InvalidDigest;

use crate::launch_policy::Violation;

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
    /// A record that is no event of Confidential Space.
    #[error("reading event log: expected type 80 at byte {offset}, found {found}")]
    EventRecord {
        /// Where the record begins, in bytes.
        offset: usize,
        /// The type found.
        found: u8,
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
}
