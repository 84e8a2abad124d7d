//! The text of what is wrong with an image, and of the parts of one.

use std::fmt::{self, Display, Formatter};

use crate::damage::{Damage, Part};

impl Display for Part {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => out.write_str("manifest"),
            Self::Config => out.write_str("config"),
            Self::Layer(index) => write!(out, "layer {index}"),
            Self::Uncompressed(index) => write!(out, "layer {index}, uncompressed"),
            Self::Layers => out.write_str("layers of the image"),
            Self::Entries => out.write_str("entries of all layers"),
            Self::Tag(name) => write!(out, "tag {name}"),
            Self::Referrers => out.write_str("referrers"),
            Self::Piece(carrier) => write!(out, "signature or statement, {carrier}"),
            Self::Pieces => out.write_str("signatures and statements"),
        }
    }
}

impl Display for Damage {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (expected, found) = (&self.expected, &self.found);
        write!(out, "{}: expected {expected}, found {found}", self.what)
    }
}
