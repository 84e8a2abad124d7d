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

/// After a pull that brought nothing: some services answer at once.
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

    let inbox = Inbox::new(&network, terms, &access[terms.subscriber]);
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
        counted: Vec::new(),
        refused: Vec::new(),
        told: BTreeSet::new(),
    };
    let outcome = session.gather().and_then(|()| session.publish());
    session.finish(outcome)
}

/// What happens to one message.
enum Fate {
    /// It is counted, now or before: it is acknowledged once the result is out.
    Counted,
    /// It is not wanted: it is given back at the end.
    Refused,
}

struct Session<'a> {
    terms: &'a Terms,
    world: &'a World<'a>,
    access: &'a [Access],
    inbox: Inbox<'a>,
    kms: Kms<'a>,
    ledger: Ledger,
    /// What to acknowledge counted messages by, second deliveries included.
    counted: Vec<String>,
    /// What to give all others back by. They are held meanwhile: given back at once they would come
    /// again at once, in place of those that have not come yet.
    refused: Vec<String>,
    /// What was told of refused messages, so that each is told once.
    told: BTreeSet<String>,
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
            let deliveries = self.inbox.pull()?;
            if deliveries.is_empty() {
                std::thread::sleep(PAUSE);
            }
            self.take_all(&deliveries)?;
        }
    }

    /// Takes one after the other; when one of them stops everything, the rest is refused unread.
    fn take_all(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        let mut outcome = Ok(());
        for delivery in deliveries {
            let fate = match &outcome {
                Ok(()) => self.take(delivery),
                Err(_) => Ok(Fate::Refused),
            };
            let fate = fate.unwrap_or_else(|error| {
                outcome = Err(error);
                Fate::Refused
            });
            let ids = match fate {
                Fate::Counted => &mut self.counted,
                Fate::Refused => &mut self.refused,
            };
            ids.push(delivery.ack_id().to_owned());
        }
        outcome
    }

    fn take(&mut self, delivery: &Delivery) -> Result<Fate, Error> {
        let letter = match delivery.read(&self.terms.collaborators) {
            Ok(letter) => letter,
            Err(objection) => return Ok(self.refuse(&delivery.name(), &objection)),
        };
        let objection = match self.ledger.due(&letter) {
            Due::Wanted => return self.count(&letter),
            Due::Counted => return Ok(Fate::Counted),
            Due::Another => "another one of this name has been counted",
            Due::Surplus => "its sender has sent all that is due",
        };
        Ok(self.refuse(&letter.message, &objection))
    }

    fn count(&mut self, letter: &Letter) -> Result<Fate, Error> {
        let key = &self.terms.collaborators[letter.place].kms_key;
        let data = match self.kms.open(letter, key, &self.access[letter.place])? {
            Opened::Plaintext(data) => data,
            Opened::NotOpened(reason) => return Ok(self.refuse(&letter.message, &reason)),
        };
        if let Err(objection) = self.ledger.count(letter, &data) {
            return Ok(self.refuse(&letter.message, &objection));
        }
        (self.world.tell)(&format!(
            "counted: message {} of {}",
            letter.message, letter.collaborator
        ));
        Ok(Fate::Counted)
    }

    fn refuse(&mut self, message: &str, reason: &dyn std::fmt::Display) -> Fate {
        let told = format!("refusing message {message}: {reason}");
        if self.told.insert(told.clone()) {
            (self.world.tell)(&told);
        }
        Fate::Refused
    }

    fn publish(&self) -> Result<(), Error> {
        (self.world.publish)(self.ledger.counts()).map_err(Error::Result)
    }

    /// Acknowledges what the published result is made of, and gives everything else back.
    fn finish(&self, outcome: Result<(), Error>) -> Result<(), Error> {
        let outcome = match outcome {
            Ok(()) => self.inbox.acknowledge(&self.counted),
            Err(error) => {
                self.give_back(&self.counted);
                Err(error)
            }
        };
        self.give_back(&self.refused);
        outcome
    }

    /// What cannot be given back comes back by itself, only later.
    fn give_back(&self, ack_ids: &[String]) {
        if let Err(error) = self.inbox.release(ack_ids) {
            (self.world.tell)(&format!("not given back yet: {error}"));
        }
    }
}
