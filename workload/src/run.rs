//! The diagram: identity, late binding, exchange, messages, result. Nothing is asked of a
//! collaborator before all have signed, and nothing is acknowledged before the result is out.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use crate::count::{Counts, Due, Ledger};
use crate::decrypt::{Kms, Opened};
use crate::exchange::{self, Access};
use crate::http::Client;
use crate::identity::{self, Launcher};
use crate::inbox::{Delivery, Inbox, Letter};
use crate::late_binding;
use crate::terms::Terms;
use crate::{Error, Refusal};

/// Between two pulls that brought nothing new: what was given back comes again at once.
const PAUSE: Duration = Duration::from_millis(250);

/// The world outside, as `main` has it.
pub struct World<'a> {
    /// The launcher of this container.
    pub launcher: Launcher,
    /// The time, in Unix seconds.
    pub now: &'a dyn Fn() -> u64,
    /// Tells people how far it is; never data, never tokens.
    pub tell: &'a dyn Fn(&str),
    /// Hands over the result; when it returns, the result is out.
    pub publish: &'a dyn Fn(&Counts) -> io::Result<()>,
}

/// Runs the workload once.
///
/// # Errors
/// A refusal, or something that does not work; messages that were not acknowledged are given back.
pub fn run(terms: &Terms, world: &World) -> Result<(), Error> {
    let network = Client::network();
    let identity = identity::establish(&world.launcher, &network, terms, (world.now)())?;
    let image_digest = identity.image_digest;
    (world.tell)(&format!("identity: {image_digest}"));

    late_binding::check(&identity, &terms.signers)?;
    (world.tell)(&format!(
        "late binding: signed by all {}",
        terms.signers.len()
    ));

    let access = exchange::all(&network, terms, &identity)?;
    (world.tell)(&format!("exchange: {} access tokens", access.len()));

    let inbox = Inbox {
        network: &network,
        terms,
        access: &access[terms.subscriber],
    };
    let kms = Kms {
        network: &network,
        endpoint: &terms.endpoints.kms,
        image_digest,
    };
    let mut session = Session {
        terms,
        world,
        access: &access,
        inbox,
        kms,
        ledger: Ledger::new(&terms.collaborators),
        held: Vec::new(),
        refused: BTreeSet::new(),
    };
    let outcome = session.gather().and_then(|()| session.publish());
    session.finish(outcome)
}

/// What happens to one message.
enum Fate {
    /// It is counted, now or before: hold it until the result is out.
    Hold,
    /// It is not wanted: give it back.
    Release,
}

struct Session<'a> {
    terms: &'a Terms,
    world: &'a World<'a>,
    access: &'a [Access],
    inbox: Inbox<'a>,
    kms: Kms<'a>,
    ledger: Ledger,
    /// What to acknowledge counted messages by, second deliveries included.
    held: Vec<String>,
    /// What was told of refused messages, so that each is told once.
    refused: BTreeSet<String>,
}

impl Session<'_> {
    /// Counts messages until everybody has sent what was agreed.
    fn gather(&mut self) -> Result<(), Error> {
        let seconds = self.terms.deadline.as_secs();
        let deadline = (self.world.now)().saturating_add(seconds);
        loop {
            let owed = self.ledger.owed();
            if owed.is_empty() {
                return Ok(());
            }
            if (self.world.now)() >= deadline {
                return Err(Refusal::Overdue { seconds, owed }.into());
            }
            self.take_batch()?;
            if self.ledger.owed() == owed {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Pulls once; whatever is not counted is given back, also when one of them stops everything.
    fn take_batch(&mut self) -> Result<(), Error> {
        let deliveries = self.inbox.pull()?;
        let mut unwanted = Vec::new();
        let mut stopped = Ok(());
        for delivery in &deliveries {
            let fate = match &stopped {
                Ok(()) => self.take(delivery),
                Err(_) => Ok(Fate::Release),
            };
            match fate {
                Ok(Fate::Hold) => {}
                Ok(Fate::Release) => unwanted.push(delivery.ack_id()),
                Err(error) => {
                    unwanted.push(delivery.ack_id());
                    stopped = Err(error);
                }
            }
        }
        let released = self.inbox.release(&unwanted);
        stopped.and(released)
    }

    fn take(&mut self, delivery: &Delivery) -> Result<Fate, Error> {
        let letter = match delivery.read(&self.terms.collaborators) {
            Ok(letter) => letter,
            Err(objection) => return Ok(self.refuse(&delivery.name(), &objection)),
        };
        match self.ledger.due(letter.place, &letter.message) {
            Due::Wanted => self.count(delivery, &letter),
            Due::Counted => Ok(self.hold(delivery)),
            Due::Surplus => {
                Ok(self.refuse(&letter.message, &"its sender has sent all that is due"))
            }
        }
    }

    fn count(&mut self, delivery: &Delivery, letter: &Letter) -> Result<Fate, Error> {
        let key = &self.terms.collaborators[letter.place].kms_key;
        let data = match self.kms.open(letter, key, &self.access[letter.place])? {
            Opened::Plaintext(data) => data,
            Opened::NotOpened(reason) => return Ok(self.refuse(&letter.message, &reason)),
        };
        if let Err(objection) = self.ledger.count(letter.place, &letter.message, &data) {
            return Ok(self.refuse(&letter.message, &objection));
        }
        (self.world.tell)(&format!(
            "counted: message {} of {}",
            letter.message, letter.collaborator
        ));
        Ok(self.hold(delivery))
    }

    fn hold(&mut self, delivery: &Delivery) -> Fate {
        self.held.push(delivery.ack_id().to_owned());
        Fate::Hold
    }

    fn refuse(&mut self, message: &str, reason: &dyn std::fmt::Display) -> Fate {
        let told = format!("refusing message {message}: {reason}");
        if self.refused.insert(told.clone()) {
            (self.world.tell)(&told);
        }
        Fate::Release
    }

    fn publish(&self) -> Result<(), Error> {
        (self.world.publish)(self.ledger.counts()).map_err(Error::Result)
    }

    /// Acknowledges what the published result is made of, or gives everything back.
    fn finish(&self, outcome: Result<(), Error>) -> Result<(), Error> {
        match outcome {
            Ok(()) => self.inbox.acknowledge(&self.held),
            Err(error) => {
                if let Err(another) = self.inbox.release(&self.held) {
                    (self.world.tell)(&format!("not given back: {another}"));
                }
                Err(error)
            }
        }
    }
}
