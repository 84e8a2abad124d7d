//! What separates a program from the machine that it runs on: namespaces, mounts, users, capabilities,
//! limits and system call filters. The compiler's sandbox and the launcher's container are both made of
//! these pieces. Each of them changes the calling process, which must have a single thread.
#![forbid(unsafe_code)]

pub mod calls;
pub mod descriptors;
pub mod lifetime;
pub mod limits;
pub mod mounts;
pub mod namespaces;
pub mod privileges;
pub mod users;
