//! Supervises real programs. Signals concern a whole process, so each case runs in one of its own, with one thread: this
//! executable once more.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "this is a main")]

mod cases;
mod scene;

use std::panic::catch_unwind;
use std::process::ExitCode;

use workload::job::exec::shim;

fn main() -> ExitCode {
    if let Some(command) = shim::command(std::env::args_os()) {
        let Err(error) = shim::become_program(&command);
        eprintln!("workload: error: {error}");
        return ExitCode::from(error.status());
    }
    match std::env::args().nth(1).as_deref() {
        Some(scene::INNER) => scene::inner(),
        Some("--list") => ExitCode::SUCCESS,
        _ => all(),
    }
}

fn all() -> ExitCode {
    let mut failed = 0;
    for (name, case) in cases::ALL {
        let ended = catch_unwind(case);
        println!(
            "test {name} ... {}",
            if ended.is_ok() { "ok" } else { "FAILED" }
        );
        failed += usize::from(ended.is_err());
    }
    println!("{} cases, {failed} failed", cases::ALL.len());
    ExitCode::from(u8::from(failed > 0))
}
