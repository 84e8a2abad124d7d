//! Isolation of a program from the machine that it runs on: namespaces, mounts, users, capabilities, limits and system
//! call filters. The build sandbox and the launcher's container use it, and define only what differs: namespaces and
//! users, parts of the file system, and forbidden system calls.
//!
//! Functions change the calling process, which must have a single thread. [`stages`] starts such a process.
#![forbid(unsafe_code)]

pub mod calls;
pub mod descriptors;
pub mod lifetime;
pub mod limits;
pub mod mounts;
pub mod namespaces;
pub mod privileges;
pub mod process;
pub mod resources;
pub mod root;
pub mod stages;
pub mod step;
pub mod supervise;
mod usage;
pub mod users;
