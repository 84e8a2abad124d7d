//! Late binding: a program processes data only if enough parties have signed its image. Their signatures are looked for in the
//! sources that its terms name, and waited for if they say so.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Error, Refusal};
use crate::identity::Identity;
use crate::quorum::Quorum;
use crate::source::{Reader, Source};
use crate::tally::{Bound, Tally};
use crate::tee::Tee;

/// The pause before the sources are read again. Reading the token makes the launcher look for signatures, which takes seconds.
const PAUSE: Duration = Duration::from_secs(15);

/// How long to wait for signatures that are missing.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    /// The longest wait.
    pub wait: Duration,
    /// Is told who is missing, or what does not answer, whenever that changes.
    pub tell: &'a dyn Fn(&str),
}

impl Patience<'_> {
    /// Not to wait.
    pub const NONE: Self = Self {
        wait: Duration::ZERO,
        tell: &|_| {},
    };

    /// The identity of this container. While the wait lasts, a launcher or an issuer that does not answer is asked again.
    ///
    /// # Errors
    /// They refuse, or do not answer until the wait is over; or [`Error::Stopped`].
    pub fn identity(&self, tee: &Tee) -> Result<Identity, Error> {
        let (deadline, mut told) = (Deadline::after(tee.clock(), self.wait), String::new());
        loop {
            match tee.identity() {
                Err(error) if error.is_outage() && !deadline.is_over() => {
                    let why = error.to_string();
                    if why != told {
                        (self.tell)(&why);
                        told = why;
                    }
                    tee.clock().sleep(PAUSE.min(deadline.left()))?;
                }
                known => return known,
            }
        }
    }
}

impl Quorum {
    /// Checks that enough parties have signed the image of `identity`, and waits for them. A signature that was verified counts
    /// from then on, whatever its source says later.
    ///
    /// # Errors
    /// [`Error::Refused`] names the parties that have not signed, and why what was found does not count; or the quorum has
    /// expired. [`Error::Stopped`]: the clock ended the wait. Any other error: a source could not be read, so that it is
    /// not known who has signed.
    pub fn bind(
        &self,
        tee: &Tee,
        identity: &Identity,
        sources: &[Source],
        patience: &Patience,
    ) -> Result<Bound, Error> {
        self.check_expiry(identity)?;
        let image = identity.image_digest();
        let (mut tally, mut told) = (Tally::new(self, image), String::new());
        let mut reader = Reader::new(tee, sources, image);
        let deadline = Deadline::after(tee.clock(), patience.wait);
        loop {
            tally.begin();
            reader.read(self.repository(), deadline.left(), &mut tally);
            if tally.is_enough() || deadline.is_over() {
                break;
            }
            let missing = tally.missing();
            if missing != told {
                (patience.tell)(&missing);
                told = missing;
            }
            reader.pause(PAUSE.min(deadline.left()))?;
        }
        let bound = tally.outcome()?;
        if self.expires() {
            let rest = Patience {
                wait: deadline.left(),
                ..*patience
            };
            self.check_expiry(&rest.identity(tee)?)?;
        }
        Ok(bound)
    }

    fn check_expiry(&self, identity: &Identity) -> Result<(), Refusal> {
        match self.expired(identity) {
            None => Ok(()),
            Some(at) => Err(Refusal::new(
                format!("checking the terms of {}", identity.image_digest()),
                format_args!(
                    "they have expired at {at}, and the token was issued at {} (Unix seconds)",
                    identity.issued_at()
                ),
            )),
        }
    }
}
