//! Gathers the data: pulls messages, decrypts them in turns, and keeps track of each, so that no message
//! is lost or counted twice.

use std::time::Duration;

use tee::deadline::Deadline;
use tee::{Access, Bound, Clock, Refusal, Secret, Tee};

use crate::platform::Error;
use crate::platform::backlog::{Backlog, Waiting};
use crate::platform::inbox::{Delivery, EncryptedMessage, Inbox};
use crate::platform::ledger::{Due, Ledger};
use crate::platform::open::{Opened, open};
use crate::platform::refusal_log::RefusalLog;
use crate::terms::Messages;

/// The pause after a pull without messages: some services answer such a pull immediately.
const PAUSE: Duration = Duration::from_millis(250);
/// The wait for new messages while others wait to be decrypted.
const SHORT_PULL: Duration = Duration::from_secs(2);
/// The time for acknowledging and returning messages after the result, or after a failure.
const FINISHING: Duration = Duration::from_secs(20);

/// The decision on one message.
enum Decision {
    /// It is counted, now or earlier, and is acknowledged once the result is written.
    Counted,
    /// It is refused, and is returned to the subscription at the end.
    Refused,
}

/// Takes the data of a message, or returns why it cannot.
pub type Take<'a> = &'a mut dyn FnMut(&Secret) -> Result<(), Box<dyn std::error::Error>>;

/// The messages of one run.
pub struct Session<'a> {
    messages: &'a Messages,
    bound: &'a Bound,
    access: &'a [Access<'a>],
    deadline: Deadline<'a>,
    log: &'a dyn Fn(&str),
    inbox: Inbox<'a>,
    ledger: Ledger,
    backlog: Backlog,
    /// The acknowledgement IDs of counted messages, including repeated deliveries.
    counted: Vec<String>,
    /// The acknowledgement IDs of refused messages. These are held until the end: Pub/Sub would deliver a
    /// returned message again immediately, in place of messages that have not been delivered yet.
    refused: Vec<String>,
    refusal_log: RefusalLog,
}

impl<'a> Session<'a> {
    /// A session without messages. `access` holds the access tokens of the contributors of `messages`; its calls end at `deadline`.
    pub fn new(
        tee: &'a Tee,
        messages: &'a Messages,
        bound: &'a Bound,
        access: &'a [Access<'a>],
        deadline: Deadline<'a>,
        log: &'a dyn Fn(&str),
    ) -> Self {
        let network = tee.network().until(deadline);
        let subscriber = &access[messages.subscriber];
        Self {
            messages,
            bound,
            access,
            deadline,
            log,
            inbox: Inbox::new(network, &tee.services().pubsub, messages, subscriber),
            ledger: Ledger::new(&messages.contributors),
            backlog: Backlog::new(&messages.contributors),
            counted: Vec::new(),
            refused: Vec::new(),
            refusal_log: RefusalLog::default(),
        }
    }

    /// Passes the data of each message to `take` until every collaborator has sent the agreed number of
    /// messages.
    ///
    /// # Errors
    /// The deadline passes, a collaborator denies the use of its key, or a service fails.
    pub fn gather(&mut self, take: Take<'_>) -> Result<(), Error> {
        match self.rounds(take) {
            Err(Error::Service(tee::Error::Late { doing })) => Err(self.overdue(Some(doing))),
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
        let seconds = self.messages.deadline.as_secs();
        let owed = self.ledger.owed().into_iter();
        let owed = owed.map(|(name, count)| format!("{count} from {name}"));
        let owed = owed.collect::<Vec<_>>().join(", ");
        let during = doing.map(|doing| format!("; no answer yet while {doing}"));
        let during = during.unwrap_or_default();
        Refusal::new(
            "waiting for data",
            format_args!("after {seconds} s, messages are missing: {owed}{during}"),
        )
        .into()
    }

    /// Pulls messages; waits only briefly for new ones while others wait to be decrypted.
    fn pull(&mut self) -> Result<Vec<Delivery>, Error> {
        let until = match self.backlog.is_empty() {
            true => self.deadline,
            false => self.deadline.at_most(SHORT_PULL),
        };
        Ok(self.inbox.pull(until)?)
    }

    /// Refuses a message, recognizes it as counted, or adds it to the backlog.
    fn sort(&mut self, delivery: Delivery) {
        let name = delivery.name();
        let sender = delivery.sender(&self.messages.contributors).to_owned();
        let (message, ack_id) = delivery.read(&self.messages.contributors);
        let decision = match message {
            Err(objection) => self.refuse(&sender, &name, &objection),
            Ok(message) => match self.judge(&message) {
                Some(decision) => decision,
                None => return self.wait(Waiting { message, ack_id }),
            },
        };
        self.note(decision, ack_id);
    }

    fn wait(&mut self, waiting: Waiting) {
        if let Err(Waiting { message, ack_id }) = self.backlog.push(waiting) {
            let reason = "too many messages of its sender are waiting";
            let decision = self.refuse(&message.collaborator, &message.name, &reason);
            self.note(decision, ack_id);
        }
    }

    /// Decrypts the waiting messages in turns. After an error, the rest is returned to the subscription.
    fn round(&mut self, take: Take<'_>) -> Result<(), Error> {
        self.backlog.begin();
        while let Some(Waiting { message, ack_id }) = self.backlog.take() {
            let decision = match self.judge(&message) {
                Some(decision) => Ok(decision),
                None => self.count(&message, take),
            };
            match decision {
                Ok(decision) => self.note(decision, ack_id),
                Err(error) => {
                    self.note(Decision::Refused, ack_id);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, decision: Decision, ack_id: String) {
        match decision {
            Decision::Counted => self.counted.push(ack_id),
            Decision::Refused => self.refused.push(ack_id),
        }
    }

    /// The decision on a message, if it can be made without decrypting.
    fn judge(&mut self, message: &EncryptedMessage) -> Option<Decision> {
        let objection = match self.ledger.due(message) {
            Due::Wanted if self.backlog.is_useless(message) => {
                "the same message was refused before"
            }
            Due::Wanted => return None,
            Due::Counted => return Some(Decision::Counted),
            Due::NameTaken => "a different message with this name has been counted",
            Due::Surplus => "its sender has sent all agreed messages",
        };
        Some(self.refuse(&message.collaborator, &message.name, &objection))
    }

    fn count(&mut self, message: &EncryptedMessage, take: Take<'_>) -> Result<Decision, Error> {
        let key = &self.messages.contributors[message.place].kms_key;
        let data = match open(message, key, &self.access[message.place], self.bound)? {
            Opened::Plaintext(data) => data,
            Opened::NotOpened(reason) => return Ok(self.fail(message, &reason)),
        };
        if let Err(objection) = take(&data) {
            return Ok(self.fail(message, &objection));
        }
        self.ledger.count(message);
        (self.log)(&format!(
            "counted: message {} of {}",
            message.name, message.collaborator
        ));
        Ok(Decision::Counted)
    }

    fn fail(&mut self, message: &EncryptedMessage, reason: &dyn std::fmt::Display) -> Decision {
        self.backlog.fail(message);
        self.refuse(&message.collaborator, &message.name, reason)
    }

    fn refuse(&mut self, sender: &str, message: &str, reason: &dyn std::fmt::Display) -> Decision {
        if let Some(line) = self.refusal_log.line(sender, message, reason) {
            (self.log)(&line);
        }
        Decision::Refused
    }

    /// Acknowledges the counted messages if `outcome` is a success, and returns all others to the
    /// subscription. This has its own deadline, because that of the session may have passed.
    ///
    /// # Errors
    /// The error of `outcome`, or acknowledging fails.
    pub fn finish(mut self, outcome: Result<(), Error>, clock: &'a dyn Clock) -> Result<(), Error> {
        self.inbox.end_at(Deadline::after(clock, FINISHING));
        self.refused
            .extend(self.backlog.drain().map(|waiting| waiting.ack_id));
        let outcome = match outcome {
            Ok(()) => Ok(self.inbox.acknowledge(&self.counted)?),
            Err(error) => {
                self.give_back(&self.counted);
                Err(error)
            }
        };
        self.give_back(&self.refused);
        outcome
    }

    /// Returns messages. After a failure, Pub/Sub delivers them again when their deadline expires.
    fn give_back(&self, ack_ids: &[String]) {
        if let Err(error) = self.inbox.release(ack_ids) {
            (self.log)(&format!(
                "leaving messages to be delivered again later: {error}"
            ));
        }
    }
}
