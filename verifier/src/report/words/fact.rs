//! The text of facts about signatures, statements and rebuilds.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, SecondsFormat, Utc};

use super::list;
use crate::fact::{Objection, Reason, RegistryCheck, Visibility};

impl Display for Reason {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified(error) => out.write_str(error),
            Self::OtherImage {
                by,
                expected,
                found,
            } => write!(
                out,
                "signed by {by} for another image: expected {expected}, found {found}"
            ),
            Self::PayloadType {
                by,
                expected,
                found,
            } => write!(out, "signed by {by}: expected {expected}, found {found}"),
            Self::Unbound { by, media_type } => write!(
                out,
                "bill of materials of type {media_type}, signed by {}: its signature does not name the image",
                list(by)
            ),
            Self::Subjects { by, found } => {
                write!(out, "signed by {by}: expected 1 subject, found {found}")
            }
        }
    }
}

impl Display for Objection {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(error) | Self::Failed(error) => out.write_str(error),
            Self::Claim(claim) => write!(out, "{claim} does not match"),
            Self::Undated(pointers) if pointers.is_empty() => out.write_str(
                "it does not say when it was made, and a signature with a key has no time",
            ),
            Self::Undated(pointers) => write!(
                out,
                "it does not say when it was made ({}), and a signature with a key has no time",
                pointers.join(", ")
            ),
            Self::InvalidTime(found) => {
                write!(out, "expected a time of RFC 3339, found {found}")
            }
            Self::Old { made, limit } => {
                write!(out, "it was made at {}, more than {limit} ago", time(*made))
            }
            Self::Future(made) => write!(out, "it was made in the future, at {}", time(*made)),
            Self::False => out.write_str("cel: expected true, found false"),
            Self::Refused(answer) => {
                let rule = rego::Module::COSIGN_RULE;
                write!(out, "{rule}: expected true, found {answer}")
            }
        }
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Display for Visibility {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Counted => "it is counted",
            Self::NotUnderTag => "it is not under the tag with the suffix .sig",
            Self::NamesAnother => "its payload does not name this key and algorithm",
            Self::OtherAlgorithm => "it reads ECDSA on P-256 and RSA signatures only, with SHA-256",
        })
    }
}

impl Display for RegistryCheck {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made => {
                out.write_str("each crate of the rebuild has the digest that the registry has")
            }
            Self::NotMade { reason } => write!(
                out,
                "the crates or modules of the rebuild were not compared with their registry: {reason}"
            ),
        }
    }
}
