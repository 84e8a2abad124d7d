//! The commands: the part of the program that reads their arguments and prints.

pub mod deploy;
pub mod keys;
pub mod pack;
pub mod publish;
pub mod report;
pub mod store;
