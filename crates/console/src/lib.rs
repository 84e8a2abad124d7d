//! Code that the programs share: common arguments, exit status, printing, progress, signals, child processes, and git.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod git;
pub mod hint;
pub mod location;
pub mod password;
pub mod print;
pub mod process;
pub mod progress;
pub mod proxy;
pub mod runtime;
pub mod signals;
mod status;
pub mod text;

pub use content::at;
pub use status::Status;
