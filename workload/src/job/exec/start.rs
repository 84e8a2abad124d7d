//! Starts the program.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::unistd::Uid;
use tee::{Clock, Secret};

use super::clock::Interruptible;
use super::error::ExecError;
use super::files::check_memory;
use super::guard::{self, Place};
use super::hand_over::{Handed, fetch_all, hand_over};
use super::program::{Give, Program, RESERVED, Wanted};
use super::shim;
use super::signals::Signals;
use super::supervise::Running;

/// This process, protected from the program that it will start.
pub struct Ready<'a> {
    program: &'a Program,
    place: &'a Place,
    signals: Signals,
}

impl<'a> Ready<'a> {
    /// Holds signals, checks what the program needs, and hides what it must not reach. This process must have one thread.
    ///
    /// # Errors
    /// This process cannot hide the token socket, or has no place for the secrets.
    pub fn check(program: &'a Program, place: &'a Place) -> Result<Self, ExecError> {
        let signals = Signals::hold()?;
        guard::check_user(Uid::effective())?;
        guard::protect_memory()?;
        guard::close(&place.closed)?;
        if program.secrets.iter().any(|one| one.give == Give::File) {
            check_memory(&place.memory)?;
        }
        Ok(Self {
            program,
            place,
            signals,
        })
    }

    /// The clock for everything that is waited for until the hand-over: SIGTERM ends its pauses.
    pub fn clock<'b>(&self, clock: &'b dyn Clock) -> Interruptible<'b> {
        Interruptible {
            clock,
            signals: self.signals,
        }
    }

    /// Fetches all secrets and hands them over. `None` if SIGTERM came before: then nothing is handed over.
    ///
    /// # Errors
    /// The error of `fetch`; or a secret cannot be handed over.
    pub fn hand_over<E: From<ExecError>>(
        self,
        fetch: &mut dyn FnMut(&Wanted) -> Result<Secret, E>,
    ) -> Result<Option<Loaded>, E> {
        let secrets = fetch_all(self.program, fetch)?;
        if self.signals.is_over()? {
            return Ok(None);
        }
        let mut command = command(self.program);
        let handed = hand_over(self.program, &secrets, self.place, &mut command)?;
        Ok(Some(Loaded {
            command,
            handed,
            signals: self.signals,
        }))
    }
}

/// The program with its secrets, not started yet.
pub struct Loaded {
    command: Command,
    handed: Handed,
    signals: Signals,
}

impl Loaded {
    /// Starts the program. Once this returns, this process keeps no secret in use.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(self, program: &Program) -> Result<Running, ExecError> {
        let running = Running::start(self.command, self.handed.folder, self.signals);
        // The program has its own copies of these.
        drop(self.handed.descriptors);
        running.map_err(|source| ExecError::Start {
            program: program.command[0].clone(),
            source,
        })
    }
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(shim::SELF);
    command
        .arg(shim::MARK)
        .args(&program.command)
        .uid(program.user.uid)
        .gid(program.user.gid)
        .stdin(Stdio::null());
    // The signatures on the image are here, and whatever else an operator may set; the program trusts these names.
    let reserved = std::env::vars_os().map(|(name, _)| name);
    let reserved = reserved.filter(|name| name.as_encoded_bytes().starts_with(RESERVED.as_bytes()));
    reserved.for_each(|name| {
        command.env_remove(name);
    });
    command
}
