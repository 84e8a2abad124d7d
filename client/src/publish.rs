//! From data to a message that was published, or to the reasons why it was not.

use console::hint::Hinted;
use content::Digest;
use gcp::{Policies, Pools};
use google::pubsub::Topic;
use grant::Grant;
use grant::inspect::Finding;

use crate::inspect;
use crate::message::Header;
use crate::plaintext::Plaintext;
use crate::seal::Sealer;
use crate::send::Sender;

/// The services that take part.
#[derive(Clone, Debug)]
pub struct Services {
    /// Policies of keys and key rings.
    pub policies: Policies,
    /// Pools and their providers.
    pub pools: Pools,
    /// Encryption.
    pub sealer: Sealer,
    /// Topics.
    pub sender: Sender,
}

/// What is to be published.
#[derive(Debug)]
pub struct Order<'a> {
    /// The grant that the key was opened by.
    pub grant: &'a Grant,
    /// Sender, name, image and key.
    pub header: &'a Header,
    /// Where to publish.
    pub topic: &'a Topic,
    /// The data.
    pub data: &'a Plaintext,
}

/// What was done.
#[derive(Debug)]
pub enum Outcome {
    /// The message was published, with this ID.
    Published(String),
    /// The key is not open to the image alone. Nothing was encrypted.
    Refused(Vec<Finding>),
}

/// Checks that the key is open to the image and to nothing else, encrypts the data with it, and publishes the message.
///
/// # Errors
/// Something cannot be checked, or a service refuses or does not answer.
pub async fn publish(services: &Services, order: &Order<'_>) -> Result<Outcome, Hinted> {
    let Order {
        grant,
        header,
        topic,
        data,
    } = order;
    let found = check(services, grant, &header.image_digest).await?;
    if !found.is_empty() {
        return Ok(Outcome::Refused(found));
    }
    let associated = header.associated_data();
    let associated = associated.map_err(|error| Hinted::doing("writing associated data", error))?;
    let sealed = services.sealer.seal(&header.key, data, &associated).await?;
    let id = services.sender.send(topic, header, &sealed).await?;
    Ok(Outcome::Published(id))
}

async fn check(
    services: &Services,
    grant: &Grant,
    digest: &Digest,
) -> Result<Vec<Finding>, Hinted> {
    let Services {
        policies, pools, ..
    } = services;
    let found = inspect::findings(policies, pools, grant, digest).await;
    found.map_err(|error| error.during(format_args!("checking {}", grant.key())))
}
