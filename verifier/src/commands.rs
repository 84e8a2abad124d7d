//! The commands: from arguments to what is printed.

pub mod granting;
pub mod judging;
pub mod printing;
