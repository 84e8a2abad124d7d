//! The program: arguments, environment, clock and printing. Everything else is in the library.

use std::process::ExitCode;

use builder::sandbox::{self, Role};

fn main() -> ExitCode {
    if let Some(role) = Role::of_arguments(std::env::args_os().skip(1)) {
        return sandbox::play(role);
    }
    ExitCode::from(2)
}
