//! The diagram: identity, late binding, exchange, messages, result. Nothing is asked of a
//! collaborator before all have signed, and nothing is acknowledged before the result is out.

use std::io;

use crate::job;
use crate::platform::deadline::{Deadline, Elapsed};
use crate::platform::http::Client;
use crate::platform::identity::{self, Launcher};
use crate::platform::session::Session;
use crate::platform::{Error, exchange, late_binding};
use crate::terms::{InvalidTerms, Terms};

/// The world outside, as `main` has it.
pub struct World<'a> {
    /// The launcher of this container.
    pub launcher: Launcher,
    /// The time, in Unix seconds.
    pub now: &'a dyn Fn() -> u64,
    /// The time since the start, by a clock that never goes back.
    pub elapsed: Elapsed<'a>,
    /// Tells people how far it is; never data, never tokens.
    pub tell: &'a dyn Fn(&str),
    /// Hands over the result; when it returns, the result is out.
    pub publish: &'a dyn Fn(&str) -> io::Result<()>,
}

/// Runs the workload once.
///
/// # Errors
/// A refusal, or something that does not work; messages that were not acknowledged are given back.
pub fn run(terms: &Terms, world: &World) -> Result<(), Error> {
    let mut job = job::of(&terms.job).map_err(|error| InvalidTerms::Job(Box::new(error)))?;
    let network = Client::network();
    let identity = identity::establish(&world.launcher, &network, terms, (world.now)())?;
    (world.tell)(&format!("identity: {}", identity.image_digest));

    late_binding::check(&identity, &terms.signers)?;
    let signers = terms.signers.len();
    (world.tell)(&format!("late binding: signed by all {signers}"));

    let access = exchange::all(&network, terms, &identity)?;
    (world.tell)(&format!("exchange: {} access tokens", access.len()));

    let deadline = Deadline::after(world.elapsed, terms.deadline);
    let network = network.until(deadline);
    let mut session = Session::new(terms, &identity, &access, &network, deadline, world.tell);
    let gathered = session.gather(&mut |data| Ok(job.take(data.bytes())?));
    let outcome = gathered.and_then(|()| (world.publish)(&job.result()).map_err(Error::Result));
    session.finish(outcome, world.elapsed)
}
