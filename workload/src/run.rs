//! One run: identity, late binding, token exchange, messages, result. No service of a collaborator is
//! called before the parties have signed, and no message is acknowledged before the result is written.

use std::io;
use std::path::Path;

use tee::deadline::Deadline;
use tee::{Access, Bound, Clock, Patience, Tee};

use crate::job::exec::{Loaded, Place, Program, Ready, TERMINATED, protect_memory};
use crate::job::{self, Job, Work};
use crate::lend::{self, Lender};
use crate::platform::Error;
use crate::platform::session::Session;
use crate::terms::{Given, InvalidTerms, Messages, Terms};

/// What `main` provides: launcher, clock, what the operator has passed, and output.
pub struct Environment<'a> {
    /// The socket of the launcher that started this container.
    pub socket: &'a Path,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// What the operator has passed at the start.
    pub given: Given,
    /// The folders of the container that a program must not enter, and that its secrets are in.
    pub place: Place,
    /// Prints one line of progress; never data or tokens.
    pub log: &'a dyn Fn(&str),
    /// Writes the result; it is written when this returns.
    pub publish: &'a dyn Fn(&str) -> io::Result<()>,
}

/// Runs the workload once, and returns its exit status: that of the program, if the job runs one.
///
/// # Errors
/// [`Error::Refused`] if a party, a service or a check refuses; any other error if the run fails.
/// Messages that were not acknowledged are returned to the subscription.
pub fn run(terms: &Terms, environment: &Environment) -> Result<u8, Error> {
    let work = job::of(&terms.job).map_err(InvalidTerms::of)?;
    protect_memory()?;
    match work {
        Work::Messages(mut job) => count(job.as_mut(), terms, environment).map(|()| 0),
        Work::Program(program) => execute(&program, terms, environment),
    }
}

/// Runs a job over messages.
fn count(job: &mut dyn Job, terms: &Terms, environment: &Environment) -> Result<(), Error> {
    let messages = terms.messages.as_ref();
    let messages = messages.ok_or_else(|| InvalidTerms::of("job: it needs messages"))?;
    let tee = tee(terms, environment.socket, environment.clock);
    let bound = bind(&tee, terms, environment)?;
    let access = exchange(&tee, &bound, terms, environment)?;
    gather(job, &tee, messages, &bound, access, environment)
}

/// Runs a program, and returns its exit status.
fn execute(program: &Program, terms: &Terms, environment: &Environment) -> Result<u8, Error> {
    lend::check(program, &terms.collaborators)?;
    // Before anything starts a thread, and before anyone is asked.
    let ready = Ready::check(program, &environment.place)?;
    let loaded = match load(ready, terms, environment) {
        Err(Error::Service(tee::Error::Stopped(_))) => None,
        loaded => loaded?,
    };
    let Some(loaded) = loaded else {
        (environment.log)("exec: not started: SIGTERM came before");
        return Ok(TERMINATED);
    };
    let (user, secrets) = (program.user, program.secrets.len());
    (environment.log)(&format!(
        "exec: started as {}:{} with {secrets} secrets",
        user.uid, user.gid
    ));
    Ok(loaded.start(program)?.wait()?)
}

/// Waits for the signatures, and hands all secrets over. When this returns, all tokens are gone: nothing is fetched any more.
fn load(ready: Ready, terms: &Terms, environment: &Environment) -> Result<Option<Loaded>, Error> {
    let clock = ready.clock(environment.clock);
    let tee = tee(terms, environment.socket, &clock);
    let bound = bind(&tee, terms, environment)?;
    let access = exchange(&tee, &bound, terms, environment)?;
    let lender = Lender {
        collaborators: &terms.collaborators,
        access: &access,
        image: bound.image_digest(),
        root: Path::new("/"),
    };
    ready.hand_over(&mut |wanted| lender.lend(wanted))
}

fn tee<'a>(terms: &Terms, socket: &Path, clock: &'a dyn Clock) -> Tee<'a> {
    Tee::at(socket, terms.services.clone(), clock)
}

/// Checks that the parties have signed the image, or waits for them.
fn bind(tee: &Tee, terms: &Terms, environment: &Environment) -> Result<Bound, Error> {
    let log = environment.log;
    let late_binding = &terms.late_binding;
    let deadline = Deadline::after(tee.clock(), late_binding.wait);
    let patience = Patience {
        wait: late_binding.wait,
        tell: &|missing| log(&format!("late binding: waiting: {missing}")),
    };
    let identity = patience.identity(tee)?;
    log(&format!("identity: {}", identity.image_digest()));

    let patience = Patience {
        wait: deadline.left(),
        ..patience
    };
    let sources = late_binding.sources(&environment.given);
    let bound = late_binding
        .quorum
        .bind(tee, &identity, &sources, &patience)?;
    match (bound.signers(), bound.parties()) {
        (signers, parties) if signers.len() == parties => {
            log(&format!("late binding: signed by all {parties}"));
        }
        (signers, parties) => {
            let (count, names) = (signers.len(), signers.join(", "));
            log(&format!(
                "late binding: signed by {count} of {parties}: {names}"
            ));
        }
    }
    Ok(bound)
}

/// One access token for each collaborator, in the order of the terms.
fn exchange<'a>(
    tee: &Tee<'a>,
    bound: &Bound,
    terms: &Terms,
    environment: &Environment,
) -> Result<Vec<Access<'a>>, Error> {
    let collaborators = terms.collaborators.iter();
    let access = collaborators.map(|one| tee.exchange(bound, &one.federation));
    let access: Vec<_> = access.collect::<Result<_, _>>()?;
    (environment.log)(&format!("exchange: {} access tokens", access.len()));
    Ok(access)
}

/// Passes all messages to the job, and publishes its result.
fn gather<'a>(
    job: &mut dyn Job,
    tee: &Tee<'a>,
    messages: &Messages,
    bound: &Bound,
    mut access: Vec<Access<'a>>,
    environment: &Environment<'a>,
) -> Result<(), Error> {
    let deadline = Deadline::after(environment.clock, messages.deadline);
    access.iter_mut().for_each(|one| one.end_at(deadline));
    let log = environment.log;
    let mut session = Session::new(tee, messages, bound, &access, deadline, log);
    let gathered = session.gather(&mut |data| Ok(job.take(data.bytes())?));
    let outcome =
        gathered.and_then(|()| (environment.publish)(&job.result()).map_err(Error::Output));
    session.finish(outcome, environment.clock)
}
