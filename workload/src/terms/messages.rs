//! The messages that collaborators send: their entries belong together, all or none.

use std::time::Duration;

use google::kms::Key;
use google::pubsub::Subscription;

use super::error::{InvalidTerms, LONGEST_WAIT};
use super::parties::WireCollaborator;

/// The messages that the collaborators send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Messages {
    /// Who sends them, in the order of the collaborators.
    pub contributors: Vec<Contributor>,
    /// The Pub/Sub subscription that delivers them.
    pub subscription: Subscription,
    /// The index of the collaborator whose access token pulls the subscription.
    pub subscriber: usize,
    /// How long to wait for all of them.
    pub deadline: Duration,
}

/// A collaborator that sends messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contributor {
    /// Its name, as messages use it too.
    pub name: String,
    /// The Cloud KMS key that it encrypts with.
    pub kms_key: Key,
    /// The number of messages that it sends.
    pub messages: u32,
}

/// The entries beside those of the collaborators.
pub(super) struct WireMessages {
    pub(super) subscription: Option<String>,
    pub(super) subscriber: Option<String>,
    pub(super) deadline_seconds: Option<u64>,
}

pub(super) fn read(
    wire: WireMessages,
    collaborators: &[WireCollaborator],
) -> Result<Option<Messages>, InvalidTerms> {
    let WireMessages {
        subscription,
        subscriber,
        deadline_seconds,
    } = wire;
    let (subscription, subscriber, seconds) = match (subscription, subscriber, deadline_seconds) {
        (Some(subscription), Some(subscriber), Some(seconds)) => {
            (subscription, subscriber, seconds)
        }
        (None, None, None) if collaborators.iter().all(|c| c.messages.is_none()) => {
            return Ok(None);
        }
        _ => return Err(InvalidTerms::of(PARTIAL)),
    };
    let contributors = collaborators.iter().map(contributor);
    Ok(Some(Messages {
        subscription: subscription.parse().map_err(InvalidTerms::resource)?,
        subscriber: place(&subscriber, collaborators)?,
        deadline: deadline(seconds)?,
        contributors: contributors.collect::<Result<_, _>>()?,
    }))
}

const PARTIAL: &str = "subscription, subscriber, deadline_seconds and the messages of each collaborator \
                       belong together: all or none";

fn contributor(wire: &WireCollaborator) -> Result<Contributor, InvalidTerms> {
    let name = wire.name.clone();
    let (Some(messages @ 1..), Some(key)) = (wire.messages, &wire.kms_key) else {
        let lacks = match wire.kms_key {
            Some(_) => "sends no messages",
            None => "sends messages and has no kms_key",
        };
        return Err(InvalidTerms::of(format_args!("{name} {lacks}")));
    };
    Ok(Contributor {
        name,
        kms_key: key.parse().map_err(InvalidTerms::resource)?,
        messages,
    })
}

fn place(subscriber: &str, collaborators: &[WireCollaborator]) -> Result<usize, InvalidTerms> {
    let found = collaborators.iter().position(|c| c.name == subscriber);
    found.ok_or_else(|| {
        InvalidTerms::of(format_args!(
            "subscriber {subscriber:?} is not a collaborator"
        ))
    })
}

fn deadline(seconds: u64) -> Result<Duration, InvalidTerms> {
    match (1..=LONGEST_WAIT).contains(&seconds) {
        true => Ok(Duration::from_secs(seconds)),
        false => Err(InvalidTerms::of(format_args!(
            "invalid deadline_seconds {seconds}: expected 1 to {LONGEST_WAIT}"
        ))),
    }
}
