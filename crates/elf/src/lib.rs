//! Programs, libraries and object files in ELF of either width and byte order (System V ABI), and archives of object files (ar(5)), as
//! far as it takes to find data in them, and to add a section.
#![forbid(unsafe_code)]

mod interpreter;
mod pieces;
mod program;
mod section;

pub use interpreter::interpreter;
pub use pieces::{Piece, pieces};
pub use program::{Data, Program};
pub use section::{Fault, add_section};
