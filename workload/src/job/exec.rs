//! Runs any program as the computation of an image. The workload is the entry point of the image: it fetches the secrets that
//! the terms name, hands them to the program, and then supervises it as the first process of a container must.
//!
//! The program runs as another user, so that it can neither use the launcher's token socket nor read the memory of this process.

pub mod associated_data;
mod clock;
mod descriptor;
mod error;
mod files;
mod guard;
mod hand_over;
mod invalid;
mod program;
pub mod shim;
mod signals;
mod source;
mod start;
mod supervise;
mod user;

pub use clock::Interruptible;
pub use error::ExecError;
pub use files::FOLDER;
pub use guard::{Place, protect_memory};
pub use invalid::InvalidProgram;
pub use program::{Give, Program, Wanted};
pub use source::{Form, Source};
pub use start::{Loaded, Ready};
pub use supervise::{Running, TERMINATED};
pub use user::User;
