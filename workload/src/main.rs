//! `workload`: reads the terms of its image, runs, and prints its result. It takes no
//! arguments. Exit status: 0 success, 1 refused, 2 error.
#![allow(clippy::print_stderr, reason = "only main prints")]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use content::limits;
use workload::platform::identity::{Launcher, SOCKET};
use workload::run::{Environment, run};
use workload::terms::Terms;
use workload::{Error, Refusal};

/// The path of the terms in the image.
const TERMS: &str = "/etc/countersign/terms.json";

fn main() -> ExitCode {
    let start = Instant::now();
    let elapsed = || start.elapsed();
    let environment = Environment {
        launcher: Launcher::at(Path::new(SOCKET)),
        now: &now,
        elapsed: &elapsed,
        log: &|line| eprintln!("workload: {line}"),
        publish: &print,
    };
    match read_terms().and_then(|terms| run(&terms, &environment)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Refused(refusal)) => refused(&refusal),
        Err(error) => failed(&error),
    }
}

fn refused(refusal: &Refusal) -> ExitCode {
    eprintln!("workload: refused: {refusal}");
    ExitCode::from(1)
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("workload: error: {error}\nhint: {}", error.hint());
    ExitCode::from(2)
}

fn read_terms() -> Result<Terms, Error> {
    let read_error = |error| Error::Terms(format!("{TERMS}: {error}"));
    let file = File::open(TERMS).map_err(|error| read_error(error.into()))?;
    let bytes = content::read_limited(file, limits::DOCUMENT).map_err(read_error)?;
    Ok(Terms::parse(&bytes)?)
}

/// The time in Unix seconds; 0 if the clock is before 1970, when no token is valid.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn print(result: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{result}")?;
    out.flush()
}
