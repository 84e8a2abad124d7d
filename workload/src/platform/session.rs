//! Gathers data: pulls messages, decrypts them by turns, and keeps account of each, so that none is
//! lost or counted twice.

use std::time::Duration;

use crate::platform::backlog::{Backlog, Waiting};
use crate::platform::deadline::{Deadline, Elapsed};
use crate::platform::decrypt::{Kms, Opened};
use crate::platform::exchange::Access;
use crate::platform::http::Client;
use crate::platform::identity::Identity;
use crate::platform::inbox::{Delivery, Inbox, Letter};
use crate::platform::ledger::{Due, Ledger};
use crate::platform::objections::Objections;
use crate::platform::{Error, Refusal, Secret};
use crate::terms::Terms;

/// After a pull that brought nothing: some services answer at once.
const PAUSE: Duration = Duration::from_millis(250);
/// How long to wait for messages while others wait to be decrypted.
const GLANCE: Duration = Duration::from_secs(2);
/// How long acknowledging and giving back may take, once the result is out or there is none.
const FINISHING: Duration = Duration::from_secs(20);

/// What happens to one message.
enum Fate {
    /// It is counted, now or before: it is acknowledged once the result is out.
    Counted,
    /// It is not wanted: it is given back at the end.
    Refused,
}

/// Takes the data of a message, or says why not.
pub type Take<'a> = &'a mut dyn FnMut(&Secret) -> Result<(), Box<dyn std::error::Error>>;

/// The messages of one run.
pub struct Session<'a> {
    terms: &'a Terms,
    access: &'a [Access],
    deadline: Deadline<'a>,
    tell: &'a dyn Fn(&str),
    inbox: Inbox<'a>,
    kms: Kms<'a>,
    ledger: Ledger,
    backlog: Backlog,
    /// What to acknowledge counted messages by, second deliveries included.
    counted: Vec<String>,
    /// What to give all others back by. They are held meanwhile: given back at once they would come
    /// again at once, in place of those that have not come yet.
    refused: Vec<String>,
    objections: Objections,
}

impl<'a> Session<'a> {
    /// Nothing has come. `access` has what was given for the tokens of `identity`; `network` ends its
    /// calls at `deadline`.
    pub fn new(
        terms: &'a Terms,
        identity: &Identity,
        access: &'a [Access],
        network: &Client<'a>,
        deadline: Deadline<'a>,
        tell: &'a dyn Fn(&str),
    ) -> Self {
        Self {
            terms,
            access,
            deadline,
            tell,
            inbox: Inbox::new(network.until(deadline), terms, &access[terms.subscriber]),
            kms: Kms {
                network: network.until(deadline),
                endpoint: &terms.endpoints.kms,
                image_digest: identity.image_digest,
            },
            ledger: Ledger::new(&terms.collaborators),
            backlog: Backlog::new(&terms.collaborators),
            counted: Vec::new(),
            refused: Vec::new(),
            objections: Objections::default(),
        }
    }

    /// Hands the data of each message to `take` until every collaborator has sent what was agreed.
    ///
    /// # Errors
    /// The deadline passes, a collaborator withholds its key, or a service fails.
    pub fn gather(&mut self, take: Take<'_>) -> Result<(), Error> {
        match self.rounds(take) {
            Err(Error::Late { doing }) => Err(self.overdue(Some(doing))),
            outcome => outcome,
        }
    }

    fn rounds(&mut self, take: Take<'_>) -> Result<(), Error> {
        while !self.ledger.owed().is_empty() {
            if self.deadline.is_over() {
                return Err(self.overdue(None));
            }
            let deliveries = self.pull()?;
            if deliveries.is_empty() && self.backlog.is_empty() {
                std::thread::sleep(PAUSE.min(self.deadline.left()));
            }
            deliveries
                .into_iter()
                .for_each(|delivery| self.sort(delivery));
            self.round(take)?;
        }
        Ok(())
    }

    fn overdue(&self, doing: Option<String>) -> Error {
        let seconds = self.terms.deadline.as_secs();
        let owed = self.ledger.owed();
        Refusal::Overdue {
            seconds,
            owed,
            doing,
        }
        .into()
    }

    /// While messages wait to be decrypted, no long wait for others.
    fn pull(&mut self) -> Result<Vec<Delivery>, Error> {
        match self.backlog.is_empty() {
            true => self.inbox.pull(self.deadline),
            false => self.inbox.pull(self.deadline.at_most(GLANCE)),
        }
    }

    /// Refuses a message, knows it as counted, or lets it wait for its turn.
    fn sort(&mut self, delivery: Delivery) {
        let name = delivery.name();
        let sender = delivery.sender(&self.terms.collaborators).to_owned();
        let (letter, ack_id) = delivery.read(&self.terms.collaborators);
        let fate = match letter {
            Err(objection) => self.refuse(&sender, &name, &objection),
            Ok(letter) => match self.judge(&letter) {
                Some(fate) => fate,
                None => return self.wait(Waiting { letter, ack_id }),
            },
        };
        self.note(fate, ack_id);
    }

    fn wait(&mut self, waiting: Waiting) {
        if let Err(Waiting { letter, ack_id }) = self.backlog.push(waiting) {
            let reason = "too many of its sender wait already";
            let fate = self.refuse(&letter.collaborator, &letter.message, &reason);
            self.note(fate, ack_id);
        }
    }

    /// Decrypts what waits, by turns; when something stops everything, the rest is given back.
    fn round(&mut self, take: Take<'_>) -> Result<(), Error> {
        self.backlog.begin();
        while let Some(Waiting { letter, ack_id }) = self.backlog.take() {
            let fate = match self.judge(&letter) {
                Some(fate) => Ok(fate),
                None => self.count(&letter, take),
            };
            match fate {
                Ok(fate) => self.note(fate, ack_id),
                Err(error) => {
                    self.note(Fate::Refused, ack_id);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, fate: Fate, ack_id: String) {
        match fate {
            Fate::Counted => self.counted.push(ack_id),
            Fate::Refused => self.refused.push(ack_id),
        }
    }

    /// What happens to a message that need not be decrypted for that.
    fn judge(&mut self, letter: &Letter) -> Option<Fate> {
        let objection = match self.ledger.due(letter) {
            Due::Wanted if self.backlog.is_useless(letter) => "the same one was refused before",
            Due::Wanted => return None,
            Due::Counted => return Some(Fate::Counted),
            Due::Another => "another one of this name has been counted",
            Due::Surplus => "its sender has sent all that is due",
        };
        Some(self.refuse(&letter.collaborator, &letter.message, &objection))
    }

    fn count(&mut self, letter: &Letter, take: Take<'_>) -> Result<Fate, Error> {
        let key = &self.terms.collaborators[letter.place].kms_key;
        let data = match self.kms.open(letter, key, &self.access[letter.place])? {
            Opened::Plaintext(data) => data,
            Opened::NotOpened(reason) => return Ok(self.fail(letter, &reason)),
        };
        if let Err(objection) = take(&data) {
            return Ok(self.fail(letter, &objection));
        }
        self.ledger.count(letter);
        (self.tell)(&format!(
            "counted: message {} of {}",
            letter.message, letter.collaborator
        ));
        Ok(Fate::Counted)
    }

    fn fail(&mut self, letter: &Letter, reason: &dyn std::fmt::Display) -> Fate {
        self.backlog.fail(letter);
        self.refuse(&letter.collaborator, &letter.message, reason)
    }

    fn refuse(&mut self, sender: &str, message: &str, reason: &dyn std::fmt::Display) -> Fate {
        if let Some(line) = self.objections.line(sender, message, reason) {
            (self.tell)(&line);
        }
        Fate::Refused
    }

    /// Acknowledges what the published result is made of, and gives everything else back. That has
    /// an end of its own: the deadline may be near or over.
    ///
    /// # Errors
    /// Those of `outcome`; or acknowledging fails.
    pub fn finish(mut self, outcome: Result<(), Error>, elapsed: Elapsed<'a>) -> Result<(), Error> {
        self.inbox.end_at(Deadline::after(elapsed, FINISHING));
        self.refused
            .extend(self.backlog.drain().map(|waiting| waiting.ack_id));
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
            (self.tell)(&format!("not given back yet: {error}"));
        }
    }
}
