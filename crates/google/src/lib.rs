//! Names of Google Cloud's resources and principals, the attribute mapping and condition of an identity
//! provider, and the formats in which a grant and a deployment
//! are printed. This crate uses no network and no clock.
//!
//! Each name is a type that is parsed strictly and printed as it was parsed: `print(parse(text))` is
//! `text`. An ID never begins with a hyphen, because a command would take it for an option, although
//! some services allow it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
pub mod admission;
mod artifact;
pub mod compute;
pub mod identity;
pub mod kms;
mod location;
mod member;
mod name;
pub mod outputs;
mod project;
pub mod pubsub;
mod role;
pub mod secret;
pub mod storage;

pub use account::ServiceAccount;
pub use artifact::ArtifactRepository;
pub use location::Location;
pub use member::{Identities, Member};
pub use name::InvalidName;
pub use project::{Project, ProjectId, ProjectNumber};
pub use role::Role;
