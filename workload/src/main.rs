//! `workload`: reads the terms of its image, runs, and prints its result. Its arguments and the variable
//! `COUNTERSIGN_SIGNATURES` are signatures, if the terms allow it. Exit status: 0 success, 1 refused, 2 error; or that of the
//! program that the terms name.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use content::limits;
use tee::{SOCKET, SystemClock, VARIABLE};
use workload::job::exec::{Place, shim};
use workload::run::{Environment, run};
use workload::terms::{Given, Terms};
use workload::{Error, Refusal};

/// The path of the terms in the image.
const TERMS: &str = "/etc/countersign/terms.json";

fn main() -> ExitCode {
    if let Some(command) = shim::command(std::env::args_os()) {
        return become_program(&command);
    }
    let environment = Environment {
        socket: Path::new(SOCKET),
        clock: &SystemClock::start(),
        given: given(),
        place: Place::default(),
        log: &|line| say(format_args!("workload: {line}")),
        publish: &print,
    };
    match read_terms().and_then(|terms| run(&terms, &environment)) {
        Ok(status) => ExitCode::from(status),
        Err(Error::Refused(refusal)) => refused(&refusal),
        Err(error) => failed(&error),
    }
}

/// Prints a line. If no one can read it, that ends nothing: this is the first process of a container.
fn say(line: fmt::Arguments) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn become_program(command: &[OsString]) -> ExitCode {
    let Err(error) = shim::become_program(command);
    say(format_args!("workload: error: {error}"));
    ExitCode::from(error.status())
}

fn refused(refusal: &Refusal) -> ExitCode {
    say(format_args!("workload: refused: {refusal}"));
    ExitCode::from(1)
}

fn failed(error: &Error) -> ExitCode {
    say(format_args!(
        "workload: error: {error}\nhint: {}",
        error.hint()
    ));
    ExitCode::from(2)
}

fn read_terms() -> Result<Terms, Error> {
    let file = File::open(TERMS).map_err(content::ReadError::Io)?;
    let bytes = content::read_limited(file, limits::DOCUMENT)?;
    Ok(Terms::parse(&bytes)?)
}

/// What the operator has passed. Text that is not UTF-8 is no signature.
fn given() -> Given {
    let arguments = std::env::args_os().skip(1);
    Given {
        arguments: arguments
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        variable: std::env::var(VARIABLE).ok(),
    }
}

fn print(result: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{result}")?;
    out.flush()
}
