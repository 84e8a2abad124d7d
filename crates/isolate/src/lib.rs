//! Isolation of a program from the machine that it runs on: namespaces, mounts, users, capabilities, resource
//! limits and system call filters. The build sandbox and the launcher's container use the same functions.
//! Each function changes the calling process, which must have a single thread.
#![forbid(unsafe_code)]

pub mod calls;
pub mod descriptors;
pub mod lifetime;
pub mod limits;
pub mod mounts;
pub mod namespaces;
pub mod privileges;
pub mod users;
