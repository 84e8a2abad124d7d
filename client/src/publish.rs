//! From data to a message that was published, or to the reasons why it was not.

use console::Status;
use console::hint::Hinted;
use gcp::Cloud;
use google::pubsub::Topic;
use grant::inspect::{self as judge, Inspection, Observation};
use grant::live::Scope;

use crate::inspect;
use crate::message::Header;
use crate::plaintext::Plaintext;
use crate::seal::Sealer;
use crate::send::Sender;

/// The services that take part.
#[derive(Clone, Debug)]
pub struct Services {
    /// Who may use a key.
    pub cloud: Cloud,
    /// Encryption.
    pub sealer: Sealer,
    /// Topics.
    pub sender: Sender,
}

/// What is to be published.
#[derive(Debug)]
pub struct Order<'a> {
    /// The grant that the key was opened by, and which images were approved; without verdicts, the image that the data is for is the only one.
    pub inspection: Inspection<'a>,
    /// How far up the policies are read that the key inherits.
    pub scope: Scope,
    /// Sender, name, image and key.
    pub header: &'a Header,
    /// Where to publish.
    pub topic: &'a Topic,
    /// The data.
    pub data: &'a Plaintext,
}

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    /// The ID of the message that was published; `None` if the key is open to others: then nothing was encrypted.
    pub published: Option<String>,
    /// Everything that was found.
    pub observed: Vec<Observation>,
    /// How far up the policies were read that the key inherits.
    pub scope: Scope,
}

impl Outcome {
    /// Why nothing was sent.
    pub fn forbidding(&self) -> impl Iterator<Item = &Observation> {
        let observed = self.observed.iter();
        observed.filter(|it| it.finding.forbids_sending())
    }

    /// Whether the message was published. If not, but only because something could not be read, it is not known whether the key is open to others.
    pub fn status(&self) -> Status {
        let is_known = |it: &Observation| it.finding.outcome() != judge::Outcome::Unread;
        match self.published {
            Some(_) => Status::Yes,
            None if self.forbidding().any(is_known) => Status::No,
            None => Status::Unknown,
        }
    }
}

/// Checks that the key is open to the image and to nothing that was not approved, encrypts the data with it, and publishes the message.
///
/// # Errors
/// Something cannot be checked, or a service refuses or does not answer.
pub async fn publish(services: &Services, order: &Order<'_>) -> Result<Outcome, Hinted> {
    let (inspection, header) = (&order.inspection, order.header);
    let key = inspection.grant.key();
    let observed = inspect::observe(&services.cloud, inspection, &header.image_digest).await;
    let observed = observed.map_err(|error| error.during(format_args!("checking {key}")))?;
    let is_forbidden = observed.iter().any(|it| it.finding.forbids_sending());
    let published = match is_forbidden {
        true => None,
        false => Some(send(services, order).await?),
    };
    Ok(Outcome {
        published,
        observed,
        scope: order.scope,
    })
}

async fn send(services: &Services, order: &Order<'_>) -> Result<String, Hinted> {
    let Order {
        header,
        topic,
        data,
        ..
    } = order;
    let associated = header.associated_data();
    let associated = associated.map_err(|error| Hinted::doing("writing associated data", error))?;
    let sealed = services.sealer.seal(&header.key, data, &associated).await?;
    services.sender.send(topic, header, &sealed).await
}
