//! One run: identity, late binding, token exchange, messages, result. No service of a collaborator is
//! called before all parties have signed, and no message is acknowledged before the result is written.

use std::io;

use crate::job;
use crate::platform::deadline::{Deadline, Elapsed};
use crate::platform::http::Client;
use crate::platform::identity::{self, Launcher};
use crate::platform::session::Session;
use crate::platform::{Error, exchange, late_binding};
use crate::terms::{InvalidTerms, Terms};

/// What `main` provides: launcher, clocks and output.
pub struct Environment<'a> {
    /// The launcher that started this container.
    pub launcher: Launcher,
    /// The current time, in Unix seconds.
    pub now: &'a dyn Fn() -> u64,
    /// The time since the start, by a monotonic clock.
    pub elapsed: Elapsed<'a>,
    /// Prints one line of progress; never data or tokens.
    pub log: &'a dyn Fn(&str),
    /// Writes the result; it is written when this returns.
    pub publish: &'a dyn Fn(&str) -> io::Result<()>,
}

/// Runs the workload once.
///
/// # Errors
/// [`Error::Refused`] if a party, a service or a check refuses; any other error if the run fails.
/// Messages that were not acknowledged are returned to the subscription.
pub fn run(terms: &Terms, environment: &Environment) -> Result<(), Error> {
    let mut job = job::of(&terms.job).map_err(InvalidTerms::of)?;
    let network = Client::network();
    let identity =
        identity::establish(&environment.launcher, &network, terms, (environment.now)())?;
    (environment.log)(&format!("identity: {}", identity.image_digest));

    late_binding::check(&identity, &terms.signers)?;
    let signers = terms.signers.len();
    (environment.log)(&format!("late binding: signed by all {signers}"));

    let access = exchange::all(&network, terms, &identity)?;
    (environment.log)(&format!("exchange: {} access tokens", access.len()));

    let deadline = Deadline::after(environment.elapsed, terms.deadline);
    let network = network.until(deadline);
    let mut session = Session::new(
        terms,
        &identity,
        &access,
        &network,
        deadline,
        environment.log,
    );
    let gathered = session.gather(&mut |data| Ok(job.take(data.bytes())?));
    let outcome = gathered.and_then(|()| {
        (environment.publish)(&job.result()).map_err(|error| Error::system("writing result", error))
    });
    session.finish(outcome, environment.elapsed)
}
